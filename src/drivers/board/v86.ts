// Driver v86: a board that is an emulated x86 PC in a thread of its own. Loads a multiboot image, with at most
// one boot module beside it; no BIOS, disk or network. The agent watches its console.

import { Worker } from 'node:worker_threads';
import { entryUrl } from '../../platform/entry-url.ts';
import type { BoardDriver, BoardExit, BoardHooks, BoardSession } from './contract.ts';
import { endedSession } from './ended-session.ts';
import { prepareJob } from './v86-load.ts';
import type { FromThread, ThreadStart, ToThread } from './v86-messages.ts';

export interface V86Options {
  /** From 2 to 1024. */
  readonly memoryMb: number;
}

const bytesPerMegabyte = 1024 * 1024;
/** What the thread's own JavaScript may use, beside the emulated memory. */
const threadHeapMegabytes = 256;

/** A driver for one board. Throws a RangeError for a memory size that can't be. */
export function createV86Driver(options: V86Options): BoardDriver {
  if (!(Number.isInteger(options.memoryMb) && options.memoryMb >= 2 && options.memoryMb <= 1024)) {
    throw new RangeError(`a v86 board has 2 to 1024 MB of memory, not ${options.memoryMb}`);
  }
  const memoryBytes = options.memoryMb * bytesPerMegabyte;
  let current: BoardSession | undefined;
  return {
    watches: false,
    async start(job, hooks, { signal }) {
      await current?.stop();
      const prepared = await prepareJob(job, memoryBytes);
      if (signal.aborted) current = endedSession({ kind: 'stopped' });
      else if (!prepared.ready) current = endedSession(prepared.exit);
      else current = runThread(prepared.start, hooks, signal);
      return current;
    },
    async powerOff() {
      await current?.stop();
    },
  };
}

/** Its exit resolves when the thread is gone, and all that it sent was handed on. */
function runThread(start: ThreadStart, hooks: BoardHooks, signal: AbortSignal): BoardSession {
  const thread = new Worker(entryUrl('drivers/board/v86-thread.ts'), {
    workerData: start,
    transferList: start.bootModule === undefined ? [start.image] : [start.image, start.bootModule],
    resourceLimits: { maxOldGenerationSizeMb: threadHeapMegabytes },
  });
  const { promise, resolve } = Promise.withResolvers<BoardExit>();
  let exit: BoardExit | undefined;
  const end = (reason: BoardExit) => {
    exit ??= reason;
    void thread.terminate();
  };
  const stop = async () => {
    end({ kind: 'stopped' });
    await promise;
  };
  signal.addEventListener('abort', stop);
  thread.on('message', (message: FromThread) => {
    if (!(message instanceof Uint8Array)) return end(message.exit);
    const { length: bytes } = message;
    hooks.onConsole(message);
    const take = () => thread.postMessage({ kind: 'taken', bytes } satisfies ToThread);
    const held = hooks.holdConsole?.();
    if (held === undefined) take();
    else void held.then(take);
  });
  thread.on('error', (error) => {
    end({ kind: 'fault', message: `The thread of the emulated board failed: ${error.message}` });
  });
  // By then Node has handed over all messages.
  thread.on('exit', () => {
    signal.removeEventListener('abort', stop);
    resolve(exit ?? { kind: 'fault', message: 'The thread of the emulated board ended by itself.' });
  });
  return {
    exit: promise,
    write(bytes) {
      // A copy, for the caller's buffer stays the caller's.
      thread.postMessage({ kind: 'input', bytes: Uint8Array.from(bytes) } satisfies ToThread);
    },
    stop,
  };
}
