// A program under test as a child process: what it writes, how it ends, signals to it. Every wait has an end.
import { type ChildProcess, spawn } from 'node:child_process';

/** Far above what anything here takes, so that a busy machine fails no test, and a hang is still told. */
const waitMilliseconds = 40_000;

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly uid?: number;
  readonly gid?: number;
  /** `closed`: end of input at once; `open`: `input` may be written to. */
  readonly stdin?: 'closed' | 'open';
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The bytes behind `stdout`. */
  readonly bytes: Buffer;
}

type Stream = 'stdout' | 'stderr';

export class Running {
  readonly #closed: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #chunks: Record<Stream, Buffer[]> = { stdout: [], stderr: [] };
  #looks: (() => void)[] = [];
  #ended: Promise<Ended> | undefined;
  #hasEnded = false;

  constructor(path: string, words: readonly string[], options: RunOptions = {}) {
    const { cwd, env, uid, gid, stdin = 'closed' } = options;
    this.#name = [path.split('/').at(-1), ...words].join(' ');
    this.#child = spawn(path, words, {
      stdio: [stdin === 'open' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#child[stream]?.on('data', (chunk: Buffer) => {
        this.#chunks[stream].push(chunk);
        this.#look();
      });
    }
    this.#closed = new Promise<Ended>((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        this.#hasEnded = true;
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr, bytes: this.bytes });
        this.#look();
      });
    });
    this.#closed.catch(() => undefined);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} has not started`);
    return this.#child.pid;
  }

  /** Resolves when the process is gone and all it wrote has come. The time for it runs from the first asking. */
  get ended(): Promise<Ended> {
    this.#ended ??= this.#within(this.#closed, 'to end');
    return this.#ended;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks.stdout);
  }

  get stdout(): string {
    return this.bytes.toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#chunks.stderr).toString();
  }

  /** Signals this process alone. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Types into its standard input. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Closes our end of its stdout, as a pager does that is left. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** Resolves when it has written the text. */
  printed(text: string, stream: Stream = 'stdout'): Promise<void> {
    const isThere = (): boolean => this[stream].includes(text);
    const found = new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (isThere()) resolve();
        else if (this.#hasEnded) reject(new Error(`${this.#name} ended without '${text}':\n${this.#all()}`));
        else this.#looks.push(look);
      };
      look();
    });
    return this.#within(found, `to print '${text}'`);
  }

  #look(): void {
    const looks = this.#looks;
    this.#looks = [];
    for (const look of looks) look();
  }

  #all(): string {
    return `${this.stdout}\n${this.stderr}`;
  }

  async #within<T>(event: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = (): void => reject(new Error(`${this.#name} took too long ${what}:\n${this.#all()}`));
      timer = setTimeout(fail, waitMilliseconds);
    });
    try {
      return await Promise.race([event, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
