// Ids that sort by the time they were made: 10 characters of time, 10 of chance, in Crockford's base 32 without
// letters that are taken for digits (i, l, o, u). They are unique, and no secrets.

import { randomBytes } from 'node:crypto';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const chanceMax = 2 ** 50;

/** Makes ids of one process: each sorts after the one before it, also when the wall clock goes back. */
export class IdSource {
  readonly #wallMs: () => number;
  #lastMs = 0;
  #chance = 0;

  constructor(wallMs: () => number = Date.now) {
    this.#wallMs = wallMs;
  }

  /** 20 characters of 0-9 and a-z. */
  next(): string {
    const nowMs = Math.floor(this.#wallMs());
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      // The upper half stays free for the ids of the same millisecond.
      this.#chance = randomBelowHalf();
    } else {
      this.#chance += 1 + (randomBelowHalf() % 1024);
      if (this.#chance >= chanceMax) {
        this.#lastMs += 1;
        this.#chance = randomBelowHalf();
      }
    }
    return base32(this.#lastMs) + base32(this.#chance);
  }
}

function randomBelowHalf(): number {
  const bytes = randomBytes(8);
  return (bytes.readUInt32BE(0) % 2 ** 17) * 2 ** 32 + bytes.readUInt32BE(4);
}

/** 50 bits as 10 characters. */
function base32(value: number): string {
  let text = '';
  for (let rest = value, count = 0; count < 10; count += 1) {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
