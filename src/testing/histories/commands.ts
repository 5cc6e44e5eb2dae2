// Clients that are processes of their own: real `mq` commands against the lab, some of which are killed or stopped on the way.
// Records each with what it printed.

import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../simulation/random.ts';
import type { Call } from './history.ts';
import { jobBytes, mqPath, plainEnvironment, within } from './lab-processes.ts';
import type { Recorder } from './recorder.ts';
import { pickTarget } from './wishes.ts';

export interface CommandsOptions {
  readonly random: Random;
  readonly recorder: Recorder;
  readonly liveKeys: Set<string>;
  /** A socket for the client of this name; and that it is not needed any more. */
  readonly openLine: (name: string) => Promise<string>;
  readonly closeLine: (name: string) => void;
  readonly jobFile: (name: string, bytes: Uint8Array) => Promise<string>;
  /** How long one that is stopped stays so, in milliseconds. */
  readonly stopMs: (random: Random) => number;
}

interface Command {
  readonly op: string;
  readonly words: readonly string[];
  readonly body: Record<string, unknown>;
}

interface Ended {
  /** null: it was killed. */
  readonly code: number | null;
  readonly stdout: string;
}

const commandMs = 120_000;

export class Commands {
  readonly #options: CommandsOptions;
  readonly #running = new Set<ChildProcess>();
  #count = 0;
  kills = 0;
  stops = 0;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** One command, or a lock and what gives it back, to its end. */
  async attempt(): Promise<void> {
    const { random, liveKeys } = this.#options;
    this.#count += 1;
    const name = `mq${this.#count}`;
    const key = `${name}-1`;
    liveKeys.add(key);
    try {
      const command = await this.#pick(key);
      const { code } = await this.#run(name, command);
      if (code !== 0 || command.op === 'mq with' || command.op === 'mq run') return;
      await sleep(random.pick([0, 20, 50]));
      const target = String(command.body.target);
      await this.#run(name, {
        op: 'mq unlock',
        words: ['unlock', target, '--key', key, '--json'],
        body: { target, key },
      });
    } finally {
      liveKeys.delete(key);
    }
  }

  /** Ends all that still runs. */
  killAll(): void {
    for (const child of this.#running) {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
    }
  }

  async #pick(key: string): Promise<Command> {
    const { random, jobFile } = this.#options;
    const target = pickTarget(random);
    const body = { target, key };
    const set = random.chance(0.5) ? ['--set', 'x'] : [];
    const wait = ['--wait', '20s'];
    switch (random.pick(['lock', 'lock', 'several', 'sem', 'with', 'run'])) {
      case 'several': {
        const words = ['lock', 'left', '--count', '2', '--key', key, '--json', ...wait];
        return { op: 'mq lock', words, body: { target: 'left', count: 2, key } };
      }
      case 'sem': {
        const board = random.pick(['a', 'b', 'f']);
        const words = ['sem', '-wait', board, '-k', key, '-t', '20', '-w', '1'];
        return { op: 'mq sem', words, body: { target: board, key } };
      }
      case 'with': {
        const words = [
          'with',
          target,
          '--key',
          key,
          ...wait,
          ...set,
          '--',
          'sh',
          '-c',
          'echo "$MQ_BOARDS/$MQ_TOKENS"',
        ];
        return { op: 'mq with', words, body };
      }
      case 'run': {
        const lines = random.between(1, 3);
        const path = await jobFile(`${key}.${lines}`, jobBytes({ label: key, lines, pause: 0.01 }));
        const words = ['run', '-s', target, '-c', 'x', '-k', key, '-t', '20', '-w', '1', '-f', path];
        return { op: 'mq run', words, body: { ...body, kind: 'run', lines } };
      }
      default:
        return { op: 'mq lock', words: ['lock', target, '--key', key, '--json', ...wait, ...set], body };
    }
  }

  async #run(name: string, { op, words, body }: Command): Promise<Ended> {
    const { recorder, openLine, closeLine, random } = this.#options;
    const line = `${name}.${op.slice(3)}`;
    const path = await openLine(line);
    const call = recorder.begin(line, op, body);
    const env = { ...plainEnvironment(), MQ_SERVER: `unix:${path}` };
    const child = spawn(mqPath, words, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#running.add(child);
    let stdout = '';
    child.stdout.on('data', (bytes: Buffer) => {
      stdout += bytes.toString();
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout }));
    });
    this.#befall(child, random);
    try {
      const result = await within(ended, `'mq ${words.join(' ')}' to end`, commandMs);
      recorder.end(call, { ...result, ...readOutput(call, result) });
      return result;
    } finally {
      this.#running.delete(child);
      closeLine(line);
    }
  }

  /** A quarter of them do not live to their end, and some sleep for a while. */
  #befall(child: ChildProcess, random: Random): void {
    const dice = random.next();
    const afterMs = random.between(5, 400);
    if (dice < 0.25)
      setTimeout(() => {
        if (this.#running.has(child) && child.kill('SIGKILL')) this.kills += 1;
      }, afterMs).unref();
    else if (dice < 0.33)
      setTimeout(() => {
        if (!this.#running.has(child) || !child.kill('SIGSTOP')) return;
        this.stops += 1;
        setTimeout(() => child.kill('SIGCONT'), this.#options.stopMs(random)).unref();
      }, afterMs).unref();
  }
}

/** The locks that a command printed, and what became of a release. */
function readOutput({ op }: Call, { code, stdout }: Ended): object {
  if (op === 'mq with') {
    const [boards = '', tokens = ''] = stdout.trim().split('/');
    const names = boards.split(' ');
    return {
      tokens: tokens === '' ? [] : tokens.split(' ').map((token, at) => ({ board: names[at], token })),
    };
  }
  if (op !== 'mq lock' && op !== 'mq unlock') return {};
  if (op === 'mq lock' && code !== 0) return {};
  try {
    const said = [JSON.parse(stdout)].flat() as Record<string, string>[];
    return op === 'mq lock' ? { tokens: said } : { outcomes: said };
  } catch {
    // It was killed while it wrote.
    return {};
  }
}
