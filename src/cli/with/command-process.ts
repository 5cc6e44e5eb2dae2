// The command of `mq with` as a child process, without a shell, with our own input and output.
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface CommandProcess {
  readonly child: ChildProcess;
  /** How it ended, as a shell would say it; `problem` where it could not be started. Never rejects. */
  readonly ended: Promise<CommandEnd>;
}

export interface CommandEnd {
  readonly exit: number;
  readonly problem?: string;
}

export function startCommand(
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): CommandProcess {
  const [file = '', ...rest] = words;
  const child = spawn(file, rest, { stdio: 'inherit', env });
  const ended = new Promise<CommandEnd>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) resolve(startFailure(file, error));
    });
    child.once('exit', (code, signal) => resolve({ exit: exitCode(code, signal) }));
  });
  return { child, ended };
}

/** 128 + the signal's number for a command that was ended by one. */
export function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}

/** 127 where there is no such program, 126 where it can't be run. */
export function startFailure(file: string, error: NodeJS.ErrnoException): CommandEnd {
  if (error.code === 'ENOENT') return { exit: 127, problem: `${file}: there is no such program` };
  return { exit: 126, problem: `${file} can not be run: ${error.code ?? error.message}` };
}
