// Histories put together by hand: what each client did, step by step, as the recorder would have written it.
import type { Absence, Call, History, JobEnd, News, Touch } from '../../src/testing/histories/history.ts';

type Body = Record<string, unknown>;

export class MadeHistory {
  readonly #calls: Call[] = [];
  readonly #news: News[] = [];
  readonly #absences: Absence[] = [];
  readonly #touches: Touch[] = [];
  readonly #jobs: JobEnd[] = [];

  /** A request from one moment to another; `[at]` alone: never answered. */
  call(client: string, op: string, body: Body, [at, doneAt]: [number, number?], answer?: unknown): this {
    const id = this.#calls.length + 1;
    const done = doneAt === undefined ? {} : { doneAt, answer };
    this.#calls.push({ id, client, op, body, at, ...done });
    return this;
  }

  refused(client: string, op: string, body: Body, [at, doneAt]: [number, number], error: string): this {
    this.#calls.push({ id: this.#calls.length + 1, client, op, body, at, doneAt, error });
    return this;
  }

  /** A ticket that waits, and what more it asked for. */
  waits(
    client: string,
    ticket: number,
    target: string,
    [at, doneAt]: [number, number],
    more: Body = {},
  ): this {
    const body = { target, key: `${client}-key`, kind: 'lock', ...more };
    return this.call(client, 'submit', body, [at, doneAt], { ticket, view: { state: 'waiting', ticket } });
  }

  told(client: string, at: number, view: Body & { state: string; ticket: number }): this {
    this.#news.push({ client, at, view });
    return this;
  }

  offered(client: string, ticket: number, board: string, token: string, at: number): this {
    return this.told(client, at, { state: 'offered', ticket, board, token });
  }

  confirms(client: string, ticket: number, board: string, token: string, span: [number, number?]): this {
    const lock = { board, token, key: `${client}-key`, state: 'held' };
    return this.call(client, 'confirm', { ticket, token }, span, { view: { state: 'held', ticket, lock } });
  }

  /** From the wish to the lock: ten milliseconds each for the wait, the offer and the confirm. */
  holds(client: string, ticket: number, board: string, token: string, at: number, more: Body = {}): this {
    return this.waits(client, ticket, board, [at, at + 10], more)
      .offered(client, ticket, board, token, at + 20)
      .confirms(client, ticket, board, token, [at + 21, at + 30]);
  }

  releases(client: string, board: string, span: [number, number?], outcome = 'released'): this {
    const body = { target: board, key: `${client}-key` };
    return this.call(client, 'release', body, span, { outcomes: [{ board, outcome }] });
  }

  /** Somebody looks: board, token and key of each lock. */
  looks(
    span: [number, number],
    ...locks: [board: string, token: string, client: string, state?: string][]
  ): this {
    const members = locks.map(([board, token, client, state = 'held']) => ({
      board,
      lock: { board, token, key: `${client}-key`, state },
    }));
    return this.call('caretaker', 'locks', {}, span, { members });
  }

  away(client: string, at: number, endedAt?: number): this {
    this.#absences.push({
      client,
      at,
      isEnd: endedAt === undefined,
      ...(endedAt === undefined ? {} : { endedAt }),
    });
    return this;
  }

  touched(board: string, ...lines: [what: Touch['what'], label: string][]): this {
    this.#touches.push(...lines.map(([what, label]) => ({ board, what, label })));
    return this;
  }

  jobEnded(job: JobEnd): this {
    this.#jobs.push(job);
    return this;
  }

  get history(): History {
    return {
      seed: 0,
      isOver: true,
      boards: ['a', 'b'],
      pools: { both: ['a', 'b'] },
      calls: this.#calls,
      news: this.#news,
      absences: this.#absences,
      touches: this.#touches,
      jobs: this.#jobs,
      events: [{ at: 0, what: 'begin' }],
    };
  }
}
