// The demonstration's own lab: a fresh folder with images, a server on it, and the end of server and agent.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { defaultErrorText, makeImage } from '../../src/testing/images/make-image.ts';
import type { Mq } from './mq.ts';

export const endText = 'All is well in the universe';

const startMsMax = 20_000;
/** For the server after a SIGTERM, then as long for its agent. */
const stopMsMax = 10_000;
const pollMs = 50;
/** A unix socket's path has about 100 bytes at most; the agent's, deep in the folder, is the longest. */
const socketPathBytesMax = 95;

export interface LabFolder {
  readonly path: string;
  readonly socketPath: string;
  /** Paths of the images by name. */
  readonly images: Readonly<Record<'slow' | 'short' | 'hello' | 'fail' | 'hang', string>>;
}

/** A new folder in the checkout, or in the system's place for such where the checkout's path is too long. */
export function makeLabFolder(root: string): LabFolder {
  const home = join(root, '.demo');
  mkdirSync(home, { recursive: true });
  const longest = join(home, 'run-XXXXXX', 'state/agent/agent.sock');
  const fits = Buffer.byteLength(longest) <= socketPathBytesMax;
  const path = mkdtempSync(fits ? join(home, 'run-') : join(tmpdir(), 'mq-demo-'));
  const write = (name: string, spec: Parameters<typeof makeImage>[0]): string => {
    const file = join(path, `${name}.elf`);
    writeFileSync(file, makeImage({ ...spec, endText }));
    return file;
  };
  const images = {
    slow: write('slow', { kind: 'slow', seconds: 4, lines: 2 }),
    short: write('short', { kind: 'slow', seconds: 3, lines: 1 }),
    hello: write('hello', { kind: 'hello', lines: [] }),
    fail: write('fail', { kind: 'fail', errorText: defaultErrorText }),
    hang: write('hang', { kind: 'hang' }),
  };
  return { path, socketPath: join(path, 'mq.sock'), images };
}

export class Lab {
  readonly folder: LabFolder;
  readonly #server: ChildProcess;
  readonly #ended = new AbortController();

  /** Starts the server. `ready` says when it can be talked to. */
  constructor(root: string, folder: LabFolder) {
    this.folder = folder;
    const log = openSync(join(folder.path, 'server.log'), 'a');
    const config = join(root, 'examples/overlapping-pools.yaml');
    const where = ['--state', join(folder.path, 'state'), '--socket', folder.socketPath];
    this.#server = spawn(join(root, 'bin/mq'), ['server', '--config', config, ...where, '--drain', '5s'], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    const end = () => this.#ended.abort(new Error('the server has ended'));
    this.#server.once('exit', end);
    this.#server.once('error', end);
  }

  /** Aborts when the server ends. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  get serverPid(): number | undefined {
    return this.#server.pid;
  }

  /** Throws when that takes too long. */
  async ready(mq: Mq, signal: AbortSignal): Promise<void> {
    const endAt = performance.now() + startMsMax;
    while ((await mq.run(['systems', 'simple'], signal)).code !== 0) {
      if (performance.now() > endAt) throw new Error('the server does not answer');
      await pause(pollMs, undefined, { signal });
    }
  }

  /** The server goes on without this process. */
  leaveUp(): void {
    this.#server.unref();
  }

  /** Ends the server, and with it the agent, which leaves when its server has. */
  async stop(): Promise<void> {
    const agentPid = this.#agentPid();
    if (!this.ended.aborted) {
      const exited = once(this.#server, 'exit');
      this.#server.kill('SIGTERM');
      const late = setTimeout(() => this.#server.kill('SIGKILL'), stopMsMax);
      await exited;
      clearTimeout(late);
    }
    if (agentPid !== undefined) await this.#endAgent(agentPid);
  }

  /** Files of a lab that has ended. */
  remove(): void {
    rmSync(this.folder.path, { recursive: true, force: true });
  }

  async #endAgent(pid: number): Promise<void> {
    // A server that died has told it nothing.
    const names =
      this.#server.exitCode === 0
        ? ([undefined, 'SIGTERM', 'SIGKILL'] as const)
        : (['SIGTERM', 'SIGKILL'] as const);
    for (const name of names) {
      if (name !== undefined && this.#isOurAgent(pid)) process.kill(pid, name);
      const endAt = performance.now() + stopMsMax;
      while (this.#isOurAgent(pid)) {
        if (performance.now() > endAt) break;
        await pause(pollMs);
      }
    }
  }

  #agentPid(): number | undefined {
    try {
      const pid = Number.parseInt(readFileSync(join(this.folder.path, 'state/agent/lock'), 'utf8'), 10);
      return pid > 0 ? pid : undefined;
    } catch {
      return undefined;
    }
  }

  /** Its number may have gone to another process: the command line names this lab's folder. */
  #isOurAgent(pid: number): boolean {
    return commandLine(pid).includes(this.folder.path);
  }
}

/** Empty where there is no such process. */
function commandLine(pid: number): string {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
