// A console on its way to stdout, from its last lines on.
import type { Client } from '../../client/client.ts';
import { readConsole } from '../../client/console.ts';
import type { Timers } from '../../client/link.ts';
import type { Terminal } from '../terminal/terminal.ts';

const lineFeed = 0x0a;
/** What of a console is shown that goes on for longer. */
export const tailBytes = 4096;

/** How a board that has been sent all of a pipe is given time to answer. */
const quietMs = 1_000;
const quietMsMax = 10_000;

export class ShownConsole {
  #heard: (() => void) | undefined;

  /** Shows the console until the job has ended. Rejects with the signal's reason. */
  async show(
    client: Client,
    job: number,
    { from, terminal, signal }: { from: number; terminal: Terminal; signal: AbortSignal },
  ): Promise<void> {
    let isCut = from > 0;
    for await (const piece of readConsole(client, job, { from, signal })) {
      this.#heard?.();
      if (piece.kind === 'gap') {
        terminal.complain(`${piece.length} bytes are missing here: they were not kept.`);
        continue;
      }
      // From the first whole line on.
      const start = isCut ? piece.bytes.indexOf(lineFeed) + 1 : 0;
      isCut = false;
      if (start < piece.bytes.length) await terminal.write(piece.bytes.subarray(start));
    }
  }

  /** Resolves when the board has said nothing for a second, or talks on for ten. */
  quiet(timers: Timers): Promise<void> {
    return new Promise((resolve) => {
      let callOff = timers.after(quietMs, () => end());
      const callOffAll = timers.after(quietMsMax, () => end());
      const end = () => {
        callOff();
        callOffAll();
        this.#heard = undefined;
        resolve();
      };
      this.#heard = () => {
        callOff();
        callOff = timers.after(quietMs, () => end());
      };
    });
  }
}
