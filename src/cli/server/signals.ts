// What signals ask of a server: TERM and INT to leave, HUP to load its configuration again. At a terminal a HUP says that
// the terminal has gone; then the server leaves too.
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

export interface ServerSignals {
  /** Asked to leave; and asked once more. */
  readonly first: Promise<void>;
  readonly second: Promise<void>;
  /** Calls the listener at each HUP, and at once where one has come before. */
  onReload(listener: () => void): void;
}

export function catchSignals(): ServerSignals {
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const isAtTerminal = [0, 1, 2].some((fd) => isatty(fd));
  let count = 0;
  let isMissed = false;
  let reload = (): void => {
    isMissed = true;
  };
  const leave = (): void => {
    count += 1;
    if (count === 1) return first.resolve();
    second.resolve();
    // Whatever is still being done is safe to be cut: nothing was answered that is not on disk.
    setTimeout(() => process.exit(1), 1_000).unref();
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, leave);
  process.on('SIGHUP', () => (isAtTerminal && !hasTerminal() ? leave() : reload()));
  return {
    first: first.promise,
    second: second.promise,
    onReload: (listener) => {
      reload = listener;
      if (isMissed) listener();
    },
  };
}

/** Whether the terminal that this process was started from is still there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
