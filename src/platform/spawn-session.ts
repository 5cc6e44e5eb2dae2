// Starts a program as the leader of a session of its own, with what it writes on both outputs coming through
// one pipe, so that the order of the two is kept. No shell. May make processes, and a fifo in the folder for
// temporary files, which is gone again before the program runs.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { close, constants, open } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex, Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { type ProcessIdentity, readStartTime } from './process-table.ts';

export interface SessionProgram {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  /** false: its standard input is empty. */
  readonly takesInput: boolean;
  /** true: it has one end of a connected unix socket as descriptor 3. */
  readonly hasSocket?: boolean;
  /** Called synchronously right after the process is made. */
  readonly onChild?: ((child: { readonly pid: number }) => void) | undefined;
}

export interface SpawnedSession {
  readonly leader: ProcessIdentity;
  /** Both outputs of all processes of the session; ends when the last of them has closed them. */
  readonly output: Readable;
  /** Errors of a reader that went away are dropped. */
  readonly input: Writable | undefined;
  /** Our end of the program's socket, where it has one. Errors are dropped: it closes. */
  readonly socket: Duplex | undefined;
  /** How the leader itself ended. Never rejects. */
  readonly ended: Promise<{ readonly code: number } | { readonly signal: NodeJS.Signals }>;
}

/** Rejects with a system error (ENOENT, EACCES, …) where the program can't be started. */
export async function spawnSession(program: SessionProgram): Promise<SpawnedSession> {
  const pipe = await openPipe();
  try {
    const child = spawn(program.path, program.arguments, {
      cwd: program.workingFolder,
      env: program.environment,
      detached: true,
      stdio: [
        program.takesInput ? 'pipe' : 'ignore',
        pipe.writeFd,
        pipe.writeFd,
        // What Node calls a pipe is a pair of unix sockets.
        ...(program.hasSocket === true ? (['pipe'] as const) : []),
      ],
    });
    if (child.pid !== undefined) program.onChild?.({ pid: child.pid });
    return await describe(child, pipe.reader);
  } catch (error) {
    pipe.reader.destroy();
    throw error;
  } finally {
    close(pipe.writeFd);
  }
}

async function describe(child: ChildProcess, output: Readable): Promise<SpawnedSession> {
  const { pid } = child;
  if (pid === undefined) throw await new Promise((resolve) => child.once('error', resolve));
  const ended = new Promise<Awaited<SpawnedSession['ended']>>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }));
  });
  // Without a process table the number alone has to do, for as long as the process is our child.
  const startTime = readStartTime(pid) ?? '';
  child.stdin?.on('error', () => {});
  const socket = (child.stdio as readonly unknown[])[3] as Duplex | undefined;
  socket?.on('error', () => {});
  return { leader: { pid, startTime }, output, input: child.stdin ?? undefined, socket, ended };
}

/**
 * A true pipe. What Node makes by itself is a socket, which programs can't open again as /dev/stdout or
 * /dev/stderr, as shell scripts like to do.
 */
async function openPipe(): Promise<{ reader: Socket; writeFd: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'pipe-'));
  try {
    const path = join(folder, 'fifo');
    await promisify(execFile)('mkfifo', ['-m', '600', path]);
    const openFile = promisify(open);
    // In this order neither waits for the other.
    const readFd = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeFd = await openFile(path, constants.O_WRONLY);
    return { reader: new Socket({ fd: readFd, readable: true, writable: false }), writeFd };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
