// Frames over any byte stream: [u32 big-endian payload length][u8 kind][payload].
// Kind 0 is UTF-8 JSON. Kind 1 is data: [u32 stream id][u64 offset][f64 atMs][bytes], all big-endian.
// Touches nothing but the buffers it is given. The peer may be hostile: every length is checked before
// memory is taken, and memory grows with the bytes that came, never with the length that was promised.

import { isUtf8 } from 'node:buffer';
import { PlatformError } from './platform-error.ts';

const frameHeaderBytes = 5;
const dataHeaderBytes = 20;
const kindJson = 0;
const kindData = 1;
const u32Max = 0xffff_ffff;
/** The high half of the largest offset that a double holds exactly (2^53 - 1). */
const offsetHighMax = 0x1f_ffff;
const assemblyBytesMin = 1024;

/** One frame. `bytes` may be a view of the chunk that brought it: copy it to keep it for long. */
export type Frame = { kind: 'json'; value: unknown } | DataFrame;

export type DataFrame = {
  kind: 'data';
  /** Which of the connection's streams; 32 bits, unsigned. */
  streamId: number;
  /** Where in that stream the first byte stands. */
  offset: number;
  /** When the bytes came, in milliseconds of the sender's wall clock; fractions are kept. */
  atMs: number;
  bytes: Buffer;
};

/** A JSON frame. Throws a TypeError for a value that has no JSON (undefined, a function, a BigInt). */
export function encodeJson(value: unknown): Buffer {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError('a JSON frame needs a value that has JSON');
  const payloadBytes = Buffer.byteLength(text);
  assertPayloadFits(payloadBytes);
  const frame = Buffer.allocUnsafe(frameHeaderBytes + payloadBytes);
  frame.writeUInt32BE(payloadBytes, 0);
  frame[4] = kindJson;
  frame.write(text, frameHeaderBytes, 'utf8');
  return frame;
}

/** A data frame as two buffers to write one after the other, so that the bytes are not copied. */
export function encodeData(
  frame: Omit<DataFrame, 'kind' | 'bytes'> & { bytes: Uint8Array },
): [Buffer, Buffer] {
  const { streamId, offset, atMs, bytes } = frame;
  if (!Number.isSafeInteger(offset) || offset < 0) throw new RangeError(`no stream offset: ${offset}`);
  if (!Number.isFinite(atMs)) throw new RangeError(`no time: ${atMs}`);
  const payloadBytes = dataHeaderBytes + bytes.length;
  assertPayloadFits(payloadBytes);
  const header = Buffer.allocUnsafe(frameHeaderBytes + dataHeaderBytes);
  header.writeUInt32BE(payloadBytes, 0);
  header[4] = kindData;
  header.writeUInt32BE(streamId, 5);
  header.writeUInt32BE(Math.floor(offset / 2 ** 32), 9);
  header.writeUInt32BE(offset % 2 ** 32, 13);
  header.writeDoubleBE(atMs, 17);
  return [header, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)];
}

function assertPayloadFits(payloadBytes: number): void {
  if (payloadBytes > u32Max) throw new RangeError(`a frame cannot hold ${payloadBytes} bytes`);
}

/**
 * Turns chunks of any size into frames. The first bad frame ends the stream: `push` throws a PlatformError
 * (FRAME_TOO_LARGE, FRAME_MALFORMED), frames before it in the same chunk are dropped with it, and every
 * later `push` throws the same error. At most one frame and one chunk are held.
 */
export class FrameReader {
  readonly #payloadBytesMax: number;
  /** The unfinished frame, header included; `#heldBytes` of it are filled. */
  #held: Buffer = Buffer.alloc(0);
  #heldBytes = 0;
  #failure: PlatformError | undefined;

  /** `payloadBytesMax`: the longest payload that is accepted; a longer one is refused at its header. */
  constructor(options: { payloadBytesMax: number }) {
    this.#payloadBytesMax = options.payloadBytesMax;
  }

  /** Takes the next bytes of the stream and returns the frames that they complete, in order. */
  push(chunk: Buffer): Frame[] {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#parse(chunk);
    } catch (error) {
      this.#held = Buffer.alloc(0);
      this.#heldBytes = 0;
      if (error instanceof PlatformError) this.#failure = error;
      throw error;
    }
  }

  /** True when the stream may end here: no frame is half read. */
  get isBetweenFrames(): boolean {
    return this.#heldBytes === 0;
  }

  #parse(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let position = 0;
    if (this.#heldBytes > 0) {
      position = this.#completeHeld(chunk, frames);
      if (this.#heldBytes > 0) return frames;
    }
    while (chunk.length - position >= frameHeaderBytes) {
      const end = position + frameHeaderBytes + this.#payloadBytesAt(chunk, position);
      if (end > chunk.length) break;
      frames.push(decode(chunk, position, end));
      position = end;
    }
    if (position < chunk.length)
      this.#hold(chunk, position, chunk.length, this.#frameBytesAt(chunk, position));
    return frames;
  }

  /** Fills the held frame from the chunk's start and returns how many bytes of the chunk it took. */
  #completeHeld(chunk: Buffer, frames: Frame[]): number {
    let position = 0;
    if (this.#heldBytes < frameHeaderBytes) {
      position = Math.min(frameHeaderBytes - this.#heldBytes, chunk.length);
      this.#hold(chunk, 0, position, frameHeaderBytes);
      if (this.#heldBytes < frameHeaderBytes) return position;
    }
    const frameBytes = frameHeaderBytes + this.#payloadBytesAt(this.#held, 0);
    const taken = Math.min(frameBytes - this.#heldBytes, chunk.length - position);
    this.#hold(chunk, position, position + taken, frameBytes);
    if (this.#heldBytes < frameBytes) return chunk.length;
    const frame = this.#held;
    this.#held = Buffer.alloc(0);
    this.#heldBytes = 0;
    frames.push(decode(frame, 0, frameBytes));
    return position + taken;
  }

  /** Copies bytes behind the held ones; room doubles as bytes come, up to the length of the frame. */
  #hold(chunk: Buffer, start: number, end: number, frameBytes: number): void {
    const neededBytes = this.#heldBytes + end - start;
    if (neededBytes > this.#held.length) {
      const roomBytes = Math.max(
        neededBytes,
        Math.min(frameBytes, Math.max(2 * neededBytes, assemblyBytesMin)),
      );
      // Not from the shared pool: the frame's bytes are handed out as a view of this buffer.
      const room = Buffer.allocUnsafeSlow(roomBytes);
      this.#held.copy(room, 0, 0, this.#heldBytes);
      this.#held = room;
    }
    chunk.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes = neededBytes;
  }

  #frameBytesAt(buffer: Buffer, start: number): number {
    if (buffer.length - start < frameHeaderBytes) return frameHeaderBytes;
    return frameHeaderBytes + this.#payloadBytesAt(buffer, start);
  }

  /** Reads and judges a frame's header. */
  #payloadBytesAt(buffer: Buffer, start: number): number {
    const payloadBytes = buffer.readUInt32BE(start);
    const kind = buffer[start + 4];
    if (kind !== kindJson && kind !== kindData) throw malformed(`unknown frame kind ${kind}`);
    if (payloadBytes > this.#payloadBytesMax) {
      throw new PlatformError(
        'FRAME_TOO_LARGE',
        `the peer sent a message of ${payloadBytes} bytes, the limit is ${this.#payloadBytesMax}`,
        { details: { payloadBytes, payloadBytesMax: this.#payloadBytesMax } },
      );
    }
    if (kind === kindData && payloadBytes < dataHeaderBytes) {
      throw malformed(`a data frame of ${payloadBytes} bytes, shorter than its own header`);
    }
    return payloadBytes;
  }
}

/** The frame between `start` and `end`; its header was judged before. */
function decode(buffer: Buffer, start: number, end: number): Frame {
  const payloadStart = start + frameHeaderBytes;
  return buffer[start + 4] === kindData
    ? decodeData(buffer, payloadStart, end)
    : { kind: 'json', value: decodeJson(buffer.subarray(payloadStart, end)) };
}

function decodeData(buffer: Buffer, start: number, end: number): DataFrame {
  const offsetHigh = buffer.readUInt32BE(start + 4);
  if (offsetHigh > offsetHighMax) throw malformed('a stream offset above 2^53');
  const atMs = buffer.readDoubleBE(start + 12);
  if (!Number.isFinite(atMs)) throw malformed('a time that is no number');
  return {
    kind: 'data',
    streamId: buffer.readUInt32BE(start),
    offset: offsetHigh * 2 ** 32 + buffer.readUInt32BE(start + 8),
    atMs,
    bytes: buffer.subarray(start + dataHeaderBytes, end),
  };
}

function decodeJson(payload: Buffer): unknown {
  if (!isUtf8(payload)) throw malformed('text that is not UTF-8');
  try {
    return JSON.parse(payload.toString('utf8')) as unknown;
  } catch (error) {
    throw malformed('text that is not JSON', error);
  }
}

function malformed(what: string, cause?: unknown): PlatformError {
  return new PlatformError('FRAME_MALFORMED', `the peer sent ${what}`, { cause });
}
