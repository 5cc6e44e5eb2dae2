// Answers by request id, so that a repeated request is answered again instead of carried out again. The newest are
// in memory; older ones are asked of the store, which only clients that say they repeat make necessary.
import { MqError } from '../protocol/errors.ts';
import type { StoredAnswer } from '../store/contract.ts';

/** Answers kept in memory; the store keeps more. */
const rememberedMax = 10_000;

export class Answers {
  readonly #byId = new Map<string, StoredAnswer>();
  /**
   * The request ids in a ring, the oldest at `#next`. Not the Map's own first key: each look for that goes past all keys
   * that were deleted before it.
   */
  readonly #ids: string[] = [];
  #next = 0;

  add(answer: StoredAnswer): void {
    const { requestId } = answer;
    if (!this.#byId.has(requestId)) this.#makeRoom(requestId);
    this.#byId.set(requestId, answer);
  }

  #makeRoom(requestId: string): void {
    const oldest = this.#ids[this.#next];
    if (oldest !== undefined) this.#byId.delete(oldest);
    this.#ids[this.#next] = requestId;
    this.#next = (this.#next + 1) % rememberedMax;
  }

  find(requestId: string): StoredAnswer | undefined {
    return this.#byId.get(requestId);
  }
}

/** The stored answer, if it is one to this very request; throws REQUEST_ID_REUSED if it is not. */
export function checkAnswer(stored: StoredAnswer, request: { caller: string; digest: string }): string {
  if (stored.caller === request.caller && stored.digest === request.digest) return stored.answer;
  throw new MqError(
    'REQUEST_ID_REUSED',
    `Request id ${stored.requestId} was used for another request. Use a new id.`,
  );
}
