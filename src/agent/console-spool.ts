// A job's console at the agent: every byte is kept in a byte log first; then it counts, is handed on, and a text that
// ended in it decides. Bytes past the text may be kept too (the rest of its chunk, what the board still says while it
// is stopped): who shows the console up to the text cuts at `matchEnd`.
import { ByteLog, type ByteRange } from '../platform/byte-log.ts';
import { type CompiledPattern, compilePattern } from '../platform/match/compile.ts';
import { type StreamMatch, StreamMatcher } from '../platform/match/stream-matcher.ts';
import {
  consoleHeadBytes,
  consoleQueueBytesMax,
  consoleSegmentBytes,
  consoleWaitBytes,
  logBytesMin,
} from './limits.ts';

/** What the stream to the server reads: a live job's spool, or what is left of an ended one. */
export interface ConsoleSource {
  /** Bytes that were kept, a gap included. What is behind them is not to be read yet. */
  readonly length: number;
  /** Where the end or error text ended; known before the first byte behind it counts. */
  readonly matchEnd: number | undefined;
  read(options: { readonly from: number; readonly bytesMax: number }): Promise<ByteRange[]>;
}

export interface SpoolEvents {
  readonly onMatch: (text: 'end' | 'error', matchEnd: number) => void;
  readonly onFailure: (why: string) => void;
}

export interface SpoolOptions {
  readonly folder: string;
  readonly logBytesMax: number;
  /** Sources of patterns that the server has checked; empty ones never match. */
  readonly endText: string;
  readonly errorText: string;
  readonly wallMs: () => number;
}

/** Takes each chunk once it counts. */
export type ChunkListener = (offset: number, bytes: Uint8Array, atMs: number) => void;

export class ConsoleSpool implements ConsoleSource {
  readonly #log: ByteLog;
  readonly #events: SpoolEvents;
  readonly #wallMs: () => number;
  readonly #texts: readonly ('end' | 'error')[];
  #matcher: StreamMatcher | undefined;
  /** The last append, matched and told. */
  #last: Promise<void> = Promise.resolve();
  #length = 0;
  #hasFailed = false;
  #isDecided = false;
  #matchEnd: number | undefined;
  /** One at a time: the stream of the present connection. */
  listener: ChunkListener | undefined;

  /** Throws where the folder can't be made, or a pattern is none after all. */
  static async open(options: SpoolOptions, events: SpoolEvents): Promise<ConsoleSpool> {
    // Before the log: a pattern that is none must not leave it open.
    const texts = textsOf(options);
    const bytesMax = Math.max(options.logBytesMax, logBytesMin);
    const log = await ByteLog.open(options.folder, {
      bytesMax,
      headBytes: Math.min(consoleHeadBytes, Math.floor(bytesMax / 4)),
      segmentBytes: Math.min(consoleSegmentBytes, Math.ceil(bytesMax / 4)),
    });
    return new ConsoleSpool(log, { texts, wallMs: options.wallMs }, events);
  }

  private constructor(
    log: ByteLog,
    { texts, wallMs }: { texts: readonly WatchedText[]; wallMs: () => number },
    events: SpoolEvents,
  ) {
    this.#log = log;
    this.#length = log.length;
    this.#events = events;
    this.#wallMs = wallMs;
    this.#texts = texts.map(({ text }) => text);
    if (texts.length > 0) this.#matcher = new StreamMatcher(texts.map(({ pattern }) => pattern));
  }

  get length(): number {
    return this.#length;
  }

  get matchEnd(): number | undefined {
    return this.#matchEnd;
  }

  /** A chunk of the console; the bytes are copied. */
  take(bytes: Uint8Array): void {
    if (this.#hasFailed || bytes.length === 0) return;
    if (this.#log.queuedBytes + bytes.length > consoleQueueBytesMax) {
      return this.#fail('it came faster than the disk takes it');
    }
    const kept = Buffer.from(bytes);
    const atMs = this.#wallMs();
    // In the order of the bytes, but told only when they are kept.
    const match = this.#matcher?.feed(kept);
    if (match) this.#matcher = undefined;
    this.#last = this.#log.append(kept, atMs).then(
      (end) => this.#onKept({ end, bytes: kept, atMs, match }),
      (error: Error) => this.#fail(error.message),
    );
  }

  /** A promise asks the board to wait until it resolves, since the disk is behind. One that can't goes on, up to a limit. */
  hold(): Promise<void> | undefined {
    return this.#log.queuedBytes > consoleWaitBytes ? this.#last : undefined;
  }

  /** The board has ended: what patterns waited for is decided. Resolves when all is kept, matched and told. */
  async endInput(): Promise<void> {
    await this.#last;
    const match = this.#matcher?.finish();
    this.#matcher = undefined;
    if (match) this.#onMatch(match);
  }

  /** No more matching: the verdict is settled. A match that waits for its bytes to be kept is none any more. */
  stopMatching(): void {
    this.#matcher = undefined;
    this.#isDecided = true;
  }

  read(options: { from: number; bytesMax: number }): Promise<ByteRange[]> {
    return this.#log.read({ ...options, to: this.#length, splitByTime: true });
  }

  /** Later bytes are dropped. `length` is final when it resolves. */
  async close(): Promise<void> {
    this.#matcher = undefined;
    await this.#last;
    this.#hasFailed = true;
    await this.#log.close();
    // Where the disk refused the rest of a chunk, its beginning may have been kept.
    this.#length = this.#log.length;
  }

  #onKept(chunk: { end: number; bytes: Buffer; atMs: number; match: StreamMatch | undefined }): void {
    const { end, bytes, atMs, match } = chunk;
    this.#length = end;
    if (match) this.#onMatch(match);
    this.listener?.(end - bytes.length, bytes, atMs);
  }

  #onMatch(match: StreamMatch): void {
    if (this.#isDecided || this.#hasFailed) return;
    this.#isDecided = true;
    this.#matchEnd = match.endOffset;
    this.#events.onMatch(this.#texts[match.index] ?? 'end', match.endOffset);
  }

  #fail(why: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#events.onFailure(`the console could not be kept: ${why}`);
  }
}

interface WatchedText {
  readonly text: 'end' | 'error';
  readonly pattern: CompiledPattern;
}

/** The error text first: it wins a tie. Throws where one is none after all. */
function textsOf({ endText, errorText }: SpoolOptions): WatchedText[] {
  const wanted = [
    { text: 'error', source: errorText },
    { text: 'end', source: endText },
  ] as const;
  return wanted
    .filter(({ source }) => source !== '')
    .map(({ text, source }) => {
      const compiled = compilePattern(source);
      if (compiled.ok) return { text, pattern: compiled.pattern };
      throw new Error(`a pattern that the server took is refused here: ${compiled.message}`);
    });
}
