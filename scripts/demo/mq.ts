// Runs bin/mq as child processes against the demonstration's server, and ends those that are left.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

/** A command that only asks or changes something takes a fraction of this. */
const quickMsMax = 30_000;
/** How long a command that is told to stop may take to clean up. */
const stopMsMax = 8_000;

export interface Ended {
  /** undefined: ended by a signal. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** Resolves when the command has ended and all it printed was heard; rejects only if it could not be started. */
  readonly ended: Promise<Ended>;
}

export class Mq {
  readonly #root: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #live = new Map<ChildProcess, Promise<unknown>>();

  constructor(options: { root: string; socketPath: string }) {
    this.#root = options.root;
    this.#env = { ...process.env, MQ_SERVER: `unix:${options.socketPath}` };
  }

  /** Starts a command. `onLine` hears each line of its stdout, the last one also without a line end. */
  start(args: readonly string[], onLine: (line: string) => void = () => undefined): Running {
    // A group of its own: Ctrl+C reaches the demonstration alone, which then ends the commands in order.
    const child = spawn(join(this.#root, 'bin/mq'), args, {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const ended = this.#follow(child, onLine);
    const settled = ended.catch(() => undefined).finally(() => this.#live.delete(child));
    this.#live.set(child, settled);
    return { ended };
  }

  /** Runs a short command to its end. */
  async run(args: readonly string[], signal: AbortSignal): Promise<Ended> {
    signal.throwIfAborted();
    const { ended } = this.start(args);
    const late = AbortSignal.any([signal, AbortSignal.timeout(quickMsMax)]);
    return await orAborted(ended, late);
  }

  /** As `run`; throws where it does not end with 0. Returns the lines of its stdout. */
  async lines(args: readonly string[], signal: AbortSignal): Promise<string[]> {
    const { code, stdout, stderr } = await this.run(args, signal);
    if (code !== 0) throw new Error(`mq ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
    return stdout.split('\n').filter((line) => line !== '');
  }

  /** Asks the commands that still run to stop, and kills them when they take too long. */
  async stopAll(): Promise<void> {
    for (const child of this.#live.keys()) child.kill('SIGTERM');
    const timer = setTimeout(() => {
      for (const child of this.#live.keys()) child.kill('SIGKILL');
    }, stopMsMax);
    await Promise.all(this.#live.values());
    clearTimeout(timer);
  }

  #follow(child: ChildProcess, onLine: (line: string) => void): Promise<Ended> {
    let stdout = '';
    let stderr = '';
    let heard = 0;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      for (let end = stdout.indexOf('\n', heard); end >= 0; end = stdout.indexOf('\n', heard)) {
        onLine(stdout.slice(heard, end));
        heard = end + 1;
      }
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        if (heard < stdout.length) onLine(stdout.slice(heard));
        resolve({ code: code ?? undefined, stdout, stderr });
      });
    });
  }
}

/** The promise, or a rejection with the signal's reason once it aborts. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
