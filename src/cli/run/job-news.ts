// What is heard of a job while it runs.
import type { JobView } from '../../protocol/views.ts';

/** `speaking`: the first bytes of its console have come. */
type JobState = JobView['state'] | 'speaking';

export class JobNews {
  #message: string | undefined;
  #state: JobState | undefined;
  #waiting: { readonly states: readonly JobState[]; readonly resolve: () => void }[] = [];

  hear(job: JobView, message: string | undefined): void {
    this.#message = message ?? this.#message;
    this.#enter(job.state);
  }

  /** The board says something, so it is there to listen. */
  hearConsole(): void {
    if (this.#state !== 'completed' && this.#state !== 'ended') this.#enter('speaking');
  }

  #enter(state: JobState): void {
    if (state === this.#state) return;
    this.#state = state;
    const isReached = ({ states }: { states: readonly JobState[] }) => states.includes(state);
    const reached = this.#waiting.filter(isReached);
    this.#waiting = this.#waiting.filter((wait) => !isReached(wait));
    for (const { resolve } of reached) resolve();
  }

  /** What a person should know of it, such as who released the lock under it. */
  get message(): string | undefined {
    return this.#message;
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Resolves when the job is in one of the states, which it may be already. */
  reached(states: readonly JobState[]): Promise<void> {
    if (this.#state !== undefined && states.includes(this.#state)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ states, resolve }));
  }
}
