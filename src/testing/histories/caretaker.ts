// Looks after the lab of a history, as an admin would: reads who has what, clears away locks and jobs that nobody will see to
// any more, and brings broken boards back. Its reads are observations like any client's.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ResponseOf } from '../../protocol/operations.ts';
import type { JobEnd } from './history.ts';
import type { Person } from './person.ts';

const lookMs = 120;

export class Caretaker {
  readonly #person: Person;
  readonly #liveKeys: ReadonlySet<string>;
  /** What was nobody's at the last look: only at the second one it is cleared away. */
  #suspects = new Set<string>();
  #looks = 0;

  /** @param liveKeys keys whose locks somebody will still see to */
  constructor(person: Person, liveKeys: ReadonlySet<string>) {
    this.#person = person;
    this.#liveKeys = liveKeys;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      await sleep(lookMs);
    }
  }

  /** Returns whether nothing is held, waits or runs. */
  async look(): Promise<boolean> {
    this.#looks += 1;
    const { members } = await this.#person.ask('locks', {});
    if (this.#looks % 3 !== 0 && members.length > 0) return false;
    const status = await this.#person.ask('status', {});
    const suspects = new Set<string>();
    await this.#clearLocks(members, suspects);
    await this.#clearTickets(status, suspects);
    const broken = status.boards.filter(({ health }) => health !== 'good').map(({ board }) => board);
    if (broken.length > 0) await this.#person.resume(broken);
    this.#suspects = suspects;
    return members.length + status.queue.length + status.jobs.length === 0;
  }

  async #clearLocks(members: ResponseOf<'locks'>['members'], suspects: Set<string>): Promise<void> {
    for (const { board, lock } of members) {
      if (!lock || this.#liveKeys.has(lock.key)) continue;
      const name = `${board} ${lock.token}`;
      if (this.#suspects.has(name) && lock.job === undefined) {
        const { token, key } = lock;
        await this.#person.change('release', { target: board, key, token, force: true });
      } else suspects.add(name);
    }
  }

  async #clearTickets({ queue, jobs }: ResponseOf<'status'>, suspects: Set<string>): Promise<void> {
    const all = [...queue.map(({ ticket, key }) => ({ id: ticket, key })), ...jobs];
    for (const { id, key } of all) {
      if (this.#liveKeys.has(key)) continue;
      const name = `ticket ${id}`;
      if (!this.#suspects.has(name)) suspects.add(name);
      else await this.#person.change('cancel', { id }).catch(ignoreGone);
    }
  }

  /** How these jobs ended, with their consoles. */
  async readJobs(jobs: readonly number[]): Promise<JobEnd[]> {
    const ends: JobEnd[] = [];
    for (const id of jobs) {
      const { job } = await this.#person.ask('job', { id });
      const { text, isWhole } = await this.#person.readConsole(id);
      const { state, verdict, detail } = job;
      ends.push({
        id,
        state,
        console: text,
        isWhole,
        ...(verdict === undefined ? {} : { verdict }),
        ...(detail === undefined ? {} : { detail }),
      });
    }
    return ends;
  }
}

/** It ended meanwhile. */
function ignoreGone(error: unknown): void {
  if ((error as { code?: string }).code !== 'UNKNOWN_TICKET') throw error;
}
