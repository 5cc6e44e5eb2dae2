// A board that runs whatever it is given for a moment, says what it was given, and ends. Without it no job would get on.
import { readFile } from 'node:fs/promises';
import type { BoardDriver, BoardExit } from '../../drivers/board/contract.ts';

const runMs = 5;

export function fuzzBoard(): BoardDriver {
  let isOn = false;
  return {
    watches: false,
    async start(job, hooks, { signal }) {
      const { promise, resolve } = Promise.withResolvers<BoardExit>();
      isOn = true;
      for (const file of job.files) hooks.onConsole(await readFile(file.path).catch(() => Buffer.alloc(0)));
      hooks.onConsole(Buffer.from(`\u001b[31m${job.endText}\u009b`));
      const done = setTimeout(() => resolve({ kind: 'exited', code: 0 }), runMs);
      const stop = async () => {
        clearTimeout(done);
        resolve({ kind: 'stopped' });
      };
      if (signal.aborted) void stop();
      else signal.addEventListener('abort', () => void stop(), { once: true });
      return { exit: promise, write: (bytes) => hooks.onConsole(bytes), stop };
    },
    async powerOff() {
      isOn = false;
    },
    async powerOn() {
      isOn = true;
    },
    powerStatus: async () => (isOn ? 'on' : 'off'),
  };
}
