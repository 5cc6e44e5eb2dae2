// Puts the time before each line of a byte stream. Holds no bytes back.
import { lockTime } from '../legacy/lock-lines.ts';

const lineFeed = 0x0a;

export class LineStamper {
  #isAtLineStart = true;

  /** The bytes with `2026-11-24 21:02:03.197 ` before each line that begins in them. */
  stamp(bytes: Uint8Array, atMs: number): Uint8Array {
    const stamp = Buffer.from(`${lockTime(atMs).slice(0, '2026-11-24 21:02:03.197'.length)} `);
    const parts: Uint8Array[] = [];
    let start = 0;
    while (start < bytes.length) {
      if (this.#isAtLineStart) parts.push(stamp);
      const end = bytes.indexOf(lineFeed, start);
      this.#isAtLineStart = end >= 0;
      const next = end < 0 ? bytes.length : end + 1;
      parts.push(bytes.subarray(start, next));
      start = next;
    }
    return Buffer.concat(parts);
  }
}
