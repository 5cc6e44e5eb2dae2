// Signals to a command: the first asks it to stop cleanly, the second ends it at once, and the server cleans up. A
// reader of stdout that went away counts as a first signal, once, and never as the second.
import { hasJustLostLink } from './lost-link.ts';
import type { Terminal } from './terminal/terminal.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** Until then the loss of a server that a write has run into is known. */
const lossKnownMs = 100;

/** The command was asked to stop. */
export class Interrupted extends Error {
  constructor(why: string) {
    super(`stopped by ${why}`);
    this.name = 'Interrupted';
  }
}

/**
 * Takes the signals over for the rest of the process. The signal that is returned aborts, with an Interrupted, at
 * the first of them.
 *
 * @param onFirst what to tell a person then
 */
export function takeSignals(terminal: Terminal, onFirst?: string): AbortSignal {
  const abort = new AbortController();
  let count = 0;
  const stop = (name: string) => {
    abort.abort(new Interrupted(name));
    if (onFirst !== undefined) terminal.hint(onFirst);
  };
  for (const name of signals) {
    process.on(name, () => {
      count += 1;
      if (count > 1) process.exit(1);
      stop(name);
    });
  }
  // Every write to a reader that is gone raises it again, so it is never the second signal; and one to a server that
  // is gone raises it too, which is no reason to stop.
  process.on('SIGPIPE', () => {
    setTimeout(() => {
      if (abort.signal.aborted || hasJustLostLink()) return;
      count += 1;
      stop('SIGPIPE');
    }, lossKnownMs);
  });
  for (const stream of [terminal.stdout, terminal.stderr]) {
    stream.on('error', () => {
      if (stream === terminal.stdout) abort.abort(new Interrupted('its reader, who went away'));
    });
  }
  return abort.signal;
}
