// So many of a kind at once and no more, as the lab's limits have it at that moment.
import { MqError } from '../protocol/errors.ts';
import type { Limits } from '../protocol/lab.ts';

export class Room {
  readonly #limit: keyof Limits;
  readonly #value: () => number;
  readonly #what: string;
  #taken = 0;

  /** `what`: the kind, as `connections`, for the refusal. */
  constructor(limit: keyof Limits, options: { value: () => number; what: string }) {
    this.#limit = limit;
    this.#value = options.value;
    this.#what = options.what;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Throws LIMIT_REACHED. What it returns gives the place back; a second call does nothing. */
  take(): () => void {
    if (this.#taken >= this.#value()) throw noRoom(this.#limit, { value: this.#value(), what: this.#what });
    this.#taken += 1;
    let isTaken = true;
    return () => {
      if (isTaken) this.#taken -= 1;
      isTaken = false;
    };
  }
}

/** The refusal of one more. */
export function noRoom(limit: keyof Limits, { value, what }: { value: number; what: string }): MqError {
  return new MqError(
    'LIMIT_REACHED',
    `This lab takes ${value} ${what} at once, and has them. Try again later.`,
    {
      details: { limit, value },
    },
  );
}
