// The server's side of the process that works on lock files: calls with a limit in time, and a new process where one has
// ended. One that hangs is let hang, since another would hang too; when it answers, the folder is back.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { entryUrl } from '../../platform/entry-url.ts';
import type { FileLook, FolderCall } from './folder.ts';
import type { KeeperCall, KeeperMessage } from './keeper-process.ts';

/** Works on lock files; tests have their own. */
export interface Keeper {
  look(names?: readonly string[]): Promise<FileLook[]>;
  /** True where it was done. */
  work(call: Exclude<FolderCall, { call: 'look' }>): Promise<boolean>;
  stop(): void;
}

export type OpenKeeper = (folder: string, onChanged: (names: readonly string[]) => void) => Keeper;

interface Waiting {
  readonly resolve: (result: FileLook[] | boolean) => void;
  readonly reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

export class KeeperProcess implements Keeper {
  readonly #folder: string;
  readonly #onChanged: (names: readonly string[]) => void;
  readonly #answerMsMax: number;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #nextId = 1;
  #hangs = false;
  #lastWordMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(
    folder: string,
    onChanged: (names: readonly string[]) => void,
    { answerMsMax = 10_000 }: { answerMsMax?: number } = {},
  ) {
    this.#answerMsMax = answerMsMax;
    this.#folder = folder;
    this.#onChanged = onChanged;
  }

  async look(names?: readonly string[]): Promise<FileLook[]> {
    return (await this.#call({ call: 'look', ...(names ? { names } : {}) })) as FileLook[];
  }

  async work(call: Exclude<FolderCall, { call: 'look' }>): Promise<boolean> {
    return (await this.#call(call)) as boolean;
  }

  stop(): void {
    this.#isStopped = true;
    // What it is about is done or not, and looked at again by the next server.
    this.#child?.kill('SIGKILL');
    this.#failAll('the server is leaving');
  }

  #call(call: FolderCall): Promise<FileLook[] | boolean> {
    if (this.#isStopped) return Promise.reject(new Error('the server is leaving'));
    if (this.#hangs) return Promise.reject(this.#hanging());
    const child = this.#child ?? this.#start();
    const { promise, resolve, reject } = Promise.withResolvers<FileLook[] | boolean>();
    const id = this.#nextId++;
    const timer = setTimeout(() => this.#onLate(id), this.#answerMsMax);
    this.#waiting.set(id, { resolve, reject, timer });
    child.send({ id, call } satisfies KeeperCall, (error) => {
      if (error) this.#settle(id, (waiting) => waiting.reject(error));
    });
    return promise;
  }

  #start(): ChildProcess {
    const child = fork(fileURLToPath(entryUrl('server/lock-files/keeper-process.ts')), [this.#folder], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    child.on('message', (message: KeeperMessage) => this.#onMessage(message));
    child.on('error', () => this.#onEnd(child));
    child.on('exit', () => this.#onEnd(child));
    return child;
  }

  #onEnd(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#hangs = false;
    this.#failAll('the process that works on lock files has ended');
  }

  #onMessage(message: KeeperMessage): void {
    // Whatever it says, it is alive.
    this.#hangs = false;
    this.#lastWordMs = performance.now();
    if ('changed' in message) return this.#onChanged(message.changed);
    this.#settle(message.id, ({ resolve, reject }) =>
      'error' in message ? reject(new Error(message.error)) : resolve(message.result),
    );
  }

  /** Behind others that took their time it has not hung yet. */
  #onLate(id: number): void {
    const quietMs = performance.now() - this.#lastWordMs;
    const waiting = this.#waiting.get(id);
    if (waiting && quietMs < this.#answerMsMax) {
      waiting.timer = setTimeout(() => this.#onLate(id), this.#answerMsMax - quietMs);
      return;
    }
    this.#hangs = true;
    this.#settle(id, ({ reject }) => reject(this.#hanging()));
  }

  #hanging(): Error {
    return new Error(`${this.#folder} has not answered for ${this.#answerMsMax / 1000} s`);
  }

  #failAll(message: string): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, ({ reject }) => reject(new Error(message)));
  }

  #settle(id: number, tell: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    tell(waiting);
  }
}
