// A job's console at the agent: matched, kept in a byte log, and read from there for the server. Matching comes first,
// so that whoever reads a byte already knows whether a text ended before it.
import { ByteLog, type ByteRange } from '../platform/byte-log.ts';
import { compilePattern } from '../platform/match/compile.ts';
import { StreamMatcher } from '../platform/match/stream-matcher.ts';
import { consoleHeadBytes, consoleQueueBytesMax, consoleSegmentBytes, frameBytesMax } from './limits.ts';

export interface SpoolEvents {
  readonly onMatch: (text: 'end' | 'error', matchEnd: number) => void;
  readonly onFailure: (why: string) => void;
}

export interface SpoolOptions {
  readonly folder: string;
  readonly logBytesMax: number;
  /** Empty: never. The server has checked them. */
  readonly endText: string;
  readonly errorText: string;
  /** False: the board's own program watches. */
  readonly matches: boolean;
  readonly wallMs: () => number;
}

export class ConsoleSpool {
  readonly #log: ByteLog;
  readonly #events: SpoolEvents;
  readonly #wallMs: () => number;
  readonly #texts: ('end' | 'error')[];
  #matcher: StreamMatcher | undefined;
  #failed = false;
  /** Where the end or error text ended, once it has come. */
  matchEnd: number | undefined;

  static async open(options: SpoolOptions, events: SpoolEvents): Promise<ConsoleSpool> {
    const { logBytesMax: bytesMax } = options;
    const log = await ByteLog.open(options.folder, {
      bytesMax,
      headBytes: Math.min(consoleHeadBytes, Math.floor(bytesMax / 4)),
      segmentBytes: Math.min(consoleSegmentBytes, Math.ceil(bytesMax / 4)),
    });
    return new ConsoleSpool(log, options, events);
  }

  private constructor(log: ByteLog, options: SpoolOptions, events: SpoolEvents) {
    this.#log = log;
    this.#events = events;
    this.#wallMs = options.wallMs;
    // The error text first: it wins a tie.
    const wanted = [
      ['error', options.errorText],
      ['end', options.endText],
    ] as const;
    const used = options.matches ? wanted.filter(([, source]) => source !== '') : [];
    this.#texts = used.map(([text]) => text);
    if (used.length > 0) this.#matcher = new StreamMatcher(used.map(([, source]) => compile(source)));
  }

  get length(): number {
    return this.#log.length;
  }

  /** A chunk of the console; the bytes are copied. */
  take(bytes: Uint8Array): void {
    if (this.#failed || bytes.length === 0) return;
    const match = this.#matcher?.feed(bytes);
    if (this.#log.queuedBytes > consoleQueueBytesMax)
      return this.#fail('the console came faster than the disk takes it');
    this.#log.append(Buffer.from(bytes), this.#wallMs()).catch((error: Error) => this.#fail(error.message));
    if (match) this.#onMatch(match);
  }

  /** The board has ended: what patterns waited for is decided. */
  endInput(): void {
    const match = this.#matcher?.finish();
    this.#matcher = undefined;
    if (match) this.#onMatch(match);
  }

  /** No more matching: the verdict is settled otherwise. */
  stopMatching(): void {
    this.#matcher = undefined;
  }

  /** Ranges from an offset on, as they come, until the spool is closed. */
  follow(from: number, signal: AbortSignal): AsyncGenerator<ByteRange, void, undefined> {
    return this.#log.follow({ from, signal, bytesMax: frameBytesMax, splitByTime: true });
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #onMatch(match: { index: number; endOffset: number }): void {
    this.#matcher = undefined;
    this.matchEnd = match.endOffset;
    this.#events.onMatch(this.#texts[match.index] ?? 'end', match.endOffset);
  }

  #fail(why: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#events.onFailure(`the console could not be kept: ${why}`);
  }
}

function compile(source: string) {
  const compiled = compilePattern(source);
  if (!compiled.ok) throw new Error(`a pattern that the server took is refused here: ${compiled.message}`);
  return compiled.pattern;
}
