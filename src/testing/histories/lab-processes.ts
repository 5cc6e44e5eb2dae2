// A real lab for histories: the built `mq server` in a folder of its own, with its real agent, and boards that are a small
// program each, which notes every touch. Starts, kills and stops these processes; owns the folder.

import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Touch } from './history.ts';

const root = resolve(import.meta.dirname, '../../..');
export const mqPath = join(root, 'bin/mq');

/**
 * Run with the words of the old scripts, it takes the job's file as its settings, holds a lock of the kernel's while it is at the
 * board, and notes start and end, or that somebody else was there. A power off does the same.
 */
const boardProgram = `#!/bin/sh
board=\${0%.program}
note() { printf '%s\\n' "$*" >> "$board.journal"; }
label=
if [ "$1" != --shutdown ]; then
  while [ $# -gt 1 ]; do [ "$1" = -k ] && . "$2"; shift; done
fi
exec 9>>"$board.busy"
flock -n 9 || note "overlap $label"
[ -n "$label" ] || { note off; exit 0; }
note "start $label"
n=0
while [ $n -lt $lines ]; do n=$((n+1)); echo "$label says $n"; sleep "$pause"; done
note "end $label"
echo "$label is done"
`;

export interface LabShape {
  readonly boards: readonly string[];
  readonly pools: Readonly<Record<string, readonly string[]>>;
  readonly discipline: 'turns' | 'fifo';
}

export interface LabProcessesOptions {
  readonly shape: LabShape;
  /** A mistake of planted-bugs that server and agent are to have. */
  readonly planted?: string | undefined;
  /** What its log calls an error of its own. */
  readonly onComplaint: (line: string) => void;
  /** Everything that its servers write to their logs. */
  readonly onLog?: (text: string) => void;
}

const waitMs = 60_000;
const leftoverMs = 10_000;
/** What must never be in a server's log, whatever happens to the lab. */
const complaints =
  /a step failed|an effect was not|an operation failed|rejected a commit|uncaught|could not be read/i;

export class LabProcesses {
  readonly folder: string;
  readonly socketPath: string;
  readonly #options: LabProcessesOptions;
  #shape: LabShape;
  #server: ChildProcess | undefined;
  #ready = Promise.withResolvers<void>();
  #ended: Promise<void> = Promise.resolve();
  #log = '';
  #isClosed = false;

  private constructor(folder: string, options: LabProcessesOptions) {
    this.folder = folder;
    this.socketPath = join(folder, 's');
    this.#options = options;
    this.#shape = options.shape;
  }

  static async make(options: LabProcessesOptions): Promise<LabProcesses> {
    const lab = new LabProcesses(await mkdtemp(join(tmpdir(), 'mq-histories-')), options);
    await mkdir(lab.lineFolder);
    await lab.configure(options.shape);
    return lab;
  }

  /** Writes the configuration, and the programs of its boards. */
  async configure(shape: LabShape): Promise<void> {
    this.#shape = shape;
    const { boards, pools, discipline } = shape;
    for (const board of boards) {
      const path = this.#path(board, 'program');
      await writeFile(path, boardProgram);
      await chmod(path, 0o755);
    }
    const machines = boards.map((board) => [
      board,
      { machine: { driver: 'script', path: this.#path(board, 'program') } },
    ]);
    const config = { lab: 'Histories', discipline, boards: Object.fromEntries(machines), pools };
    await writeFile(join(this.folder, 'lab.yaml'), JSON.stringify(config));
  }

  /** Where each client's own socket of the proxy goes. */
  get lineFolder(): string {
    return join(this.folder, 'lines');
  }

  get shape(): LabShape {
    return this.#shape;
  }

  /** The last lines of the server's log. */
  get logEnd(): string {
    return this.#log.slice(-2_000);
  }

  /**
   * Starts a server. `ready` tells when it can be reached, should it live so long.
   *
   * @param options.hooks modules that change the program as it is loaded
   */
  start({ hooks = [] }: { hooks?: readonly string[] } = {}): void {
    if (this.#isClosed) return;
    const { planted } = this.#options;
    const plant = planted === undefined ? [] : [new URL('../planted-bugs/plant.ts', import.meta.url).href];
    const [path, ...first] = programWords([...plant, ...hooks]);
    const places = ['--config', join(this.folder, 'lab.yaml'), '--state', join(this.folder, 'state')];
    const words = [...first, 'server', ...places, '--socket', this.socketPath];
    const env = { ...plainEnvironment(), ...(planted === undefined ? {} : { MQ_PLANTED_BUG: planted }) };
    const child = spawn(path, words, { stdio: ['ignore', 'ignore', 'pipe'], env });
    this.#server = child;
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => undefined);
    this.#ready = ready;
    const ended = Promise.withResolvers<void>();
    this.#ended = ended.promise;
    child.stderr.on('data', (bytes: Buffer) => this.#read(bytes.toString(), ready.resolve));
    child.once('error', (error) =>
      this.#options.onComplaint(`the server can't be started: ${error.message}`),
    );
    child.once('close', (code) => {
      if (this.#server === child) this.#server = undefined;
      if (code !== null && code !== 0)
        this.#options.onComplaint(`the server ended with ${code}: ${this.logEnd}`);
      ready.reject(new Error(`the server ended before it was ready: ${this.logEnd}`));
      ended.resolve();
    });
  }

  /** Resolves when clients can reach it; rejects when it ends before. */
  ready(): Promise<void> {
    return within(this.#ready.promise, 'the server to be ready');
  }

  async kill(): Promise<void> {
    this.#server?.kill('SIGKILL');
    await within(this.#ended, 'the server to end');
  }

  signal(name: NodeJS.Signals): void {
    this.#server?.kill(name);
  }

  /** Resolves when it has gone by itself. */
  ended(): Promise<void> {
    return within(this.#ended, 'the server to end');
  }

  /** Kills the agent, if there is one that drives the boards. Returns whether there was. */
  async killAgent(): Promise<boolean> {
    const text = await readFile(join(this.folder, 'state/agent/lock'), 'utf8').catch(() => '');
    const pid = Number(/\d+/.exec(text)?.[0] ?? 0);
    if (pid <= 1) return false;
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return words.includes(this.folder) && kill(pid);
  }

  async touches(): Promise<Touch[]> {
    const { boards } = this.#shape;
    const lists = boards.map(async (board) => {
      const text = await readFile(this.#path(board, 'journal'), 'utf8').catch(() => '');
      const lines = text.split('\n').filter((line) => line !== '');
      return lines.map((line): Touch => {
        const [what = '', label = ''] = line.split(' ');
        return { board, what: what as Touch['what'], label };
      });
    });
    return (await Promise.all(lists)).flat();
  }

  /** Writes what a job brings, for a command that names a file. */
  async jobFile(name: string, bytes: Uint8Array): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, bytes);
    return path;
  }

  /** Ends server and agent and removes the folder. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.signal('SIGCONT');
    await this.kill();
    await this.#endLeftovers();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  /** An agent outlives its server, also one that is only coming up, and boards may be busy. */
  async #endLeftovers(): Promise<void> {
    const endAt = performance.now() + leftoverMs;
    for (
      let pids = await this.#ours();
      pids.length > 0 && performance.now() < endAt;
      pids = await this.#ours()
    ) {
      for (const pid of pids) kill(pid);
      await sleep(20);
    }
  }

  /** Processes that were started with a path in the folder. */
  async #ours(): Promise<number[]> {
    const pids = (await readdir('/proc').catch(() => [])).map(Number);
    const found = pids
      .filter((pid) => pid > 1 && pid !== process.pid)
      .map(async (pid) => {
        const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        return words.includes(this.folder) ? [pid] : [];
      });
    return (await Promise.all(found)).flat();
  }

  #path(board: string, what: string): string {
    return join(this.folder, `${board}.${what}`);
  }

  #read(text: string, onReady: () => void): void {
    this.#log = `${this.#log}${text}`.slice(-20_000);
    this.#options.onLog?.(text);
    if (text.includes('"ready"')) onReady();
    for (const line of text.split('\n')) if (complaints.test(line)) this.#options.onComplaint(line);
  }
}

/** The built program; or, where something is to be changed as it is loaded, that from its source. */
function programWords(hooks: readonly string[]): [string, ...string[]] {
  if (hooks.length === 0) return [mqPath];
  const imports = hooks.flatMap((hook) => ['--import', hook]);
  return [process.execPath, '--no-warnings', ...imports, join(root, 'src/cli/main.ts')];
}

/** What a job's file says, and the label by which its board notes it. */
export function jobBytes({ label, lines, pause }: { label: string; lines: number; pause: number }): Buffer {
  return Buffer.from(`label=${label}\nlines=${lines}\npause=${pause}\n`);
}

/** Whether it was there to be killed. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** What a CI or a person has set must not change what clients ask for. */
export function plainEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: '/nonexistent', LANG: 'C.UTF-8' };
}

/** Every wait has an end. */
export async function within<T>(promise: Promise<T>, what: string, ms = waitMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms / 1000} s in vain for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
