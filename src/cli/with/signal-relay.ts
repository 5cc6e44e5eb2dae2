// Where a signal to `mq with` goes: before the command has started it ends the wait, then it goes on to the command,
// and while the lock is given back it ends `mq with` at once, whose guard releases then.
import type { ChildProcess } from 'node:child_process';
import { isInForeground } from '../../platform/foreground.ts';
import { Interrupted } from '../interrupt.ts';

const signals = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** What keys at a terminal send, to the whole group. */
const keySignals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

export class SignalRelay {
  readonly #stop = new AbortController();
  #state: 'waiting' | 'running' | 'leaving' = 'waiting';
  #child: ChildProcess | undefined;

  /** Takes the signals over for the rest of the process. */
  constructor(onFirst: () => void) {
    for (const name of signals) process.on(name, () => this.#take(name, onFirst));
  }

  /** Aborts with the first signal before the command runs. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  passTo(child: ChildProcess): void {
    this.#state = 'running';
    this.#child = child;
  }

  leave(): void {
    this.#state = 'leaving';
  }

  #take(name: NodeJS.Signals, onFirst: () => void): void {
    if (this.#state === 'running') {
      if (!(keySignals.includes(name) && isInForeground())) this.#child?.kill(name);
    } else if (this.#state === 'leaving' || this.#stop.signal.aborted) {
      process.exit(1);
    } else {
      this.#stop.abort(new Interrupted(name));
      onFirst();
    }
  }
}
