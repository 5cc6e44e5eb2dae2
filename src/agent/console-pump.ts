// Sends the consoles of all jobs over one connection, each from where the server stands to its end, then its result.
//
// A console that the server is up to date with is live: its chunks go out as they come, without a look at the disk. When
// the connection takes no more, a console falls behind: its chunks are passed over here, and read from its spool later.
// Those that are behind take turns. So memory is bounded by the connection's own buffer and one turn, whatever a board
// prints and however slow the server is, and no job waits for another one's backlog.
//
// Order, for each job: bytes by offset; `completed` after the last byte of the text and before the next one; `ended`
// behind everything.
import type { ByteRange } from '../platform/byte-log.ts';
import type { Logger } from '../platform/logger.ts';
import type { AgentJobResult } from '../protocol/agent-messages.ts';
import type { ConsoleSource } from './console-spool.ts';
import { frameBytesMax, turnBytesMax } from './limits.ts';
import type { ServerLink } from './server-link.ts';

export interface StreamedJob {
  readonly id: number;
  readonly token: string;
  /** Whether the job stays open for its client after the end text. */
  readonly isOpen: boolean;
}

interface Stream {
  readonly job: StreamedJob;
  readonly source: ConsoleSource;
  /** Where the next byte to send stands. */
  offset: number;
  isBehind: boolean;
  hasToldMatch: boolean;
  result: AgentJobResult | undefined;
}

export class ConsolePump {
  readonly #link: ServerLink;
  readonly #logger: Logger;
  readonly #streams = new Map<number, Stream>();
  /** Those that are behind, the next one first. */
  readonly #behind: Stream[] = [];
  #isRunning = false;

  constructor(link: ServerLink, logger: Logger) {
    this.#link = link;
    this.#logger = logger;
  }

  /** `from`: bytes that the server has. A job that is sent already stays as it is. */
  add(job: StreamedJob, source: ConsoleSource, from: number): void {
    if (this.#streams.has(job.id)) return;
    const stream: Stream = {
      job,
      source,
      offset: from,
      isBehind: false,
      hasToldMatch: false,
      result: undefined,
    };
    this.#streams.set(job.id, stream);
    this.#tellMatch(stream);
    this.#catchUp(stream);
  }

  /** A chunk that the job's spool has just kept. */
  takeChunk(job: number, offset: number, bytes: Uint8Array, atMs: number): void {
    const stream = this.#streams.get(job);
    if (!stream || stream.isBehind) return;
    // A read of the spool may have been quicker, and a server may have more than the agent kept over a power cut.
    if (offset + bytes.length <= stream.offset) return this.#tellMatch(stream);
    if (offset > stream.offset || this.#link.isFull) return this.#catchUp(stream);
    this.#send(stream, bytes.subarray(stream.offset - offset), atMs);
  }

  /** The job has ended and its source is final. */
  end(job: number, result: AgentJobResult): void {
    const stream = this.#streams.get(job);
    if (!stream) return;
    stream.result = result;
    if (!stream.isBehind) this.#catchUp(stream);
  }

  /** The server wants no more of it. */
  remove(job: number): void {
    this.#streams.delete(job);
  }

  #catchUp(stream: Stream): void {
    if (stream.offset >= stream.source.length) return this.#finish(stream);
    stream.isBehind = true;
    this.#behind.push(stream);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let stream = this.#behind.shift(); stream; stream = this.#behind.shift()) {
      await this.#link.writable();
      if (this.#link.isClosed) break;
      if (this.#streams.get(stream.job.id) !== stream) continue;
      await this.#takeTurn(stream);
      if (this.#streams.get(stream.job.id) !== stream) continue;
      // In the same step as the last look at its length: what comes from here on is live again.
      stream.isBehind = false;
      this.#catchUp(stream);
    }
    this.#isRunning = false;
  }

  async #takeTurn(stream: Stream): Promise<void> {
    for (const range of await this.#read(stream)) {
      if (range.kind === 'bytes') this.#send(stream, range.bytes, range.atMs);
      else this.#skip(stream, range.length);
    }
  }

  /** A spool that can't be read is a gap: the job goes on without these bytes rather than never ending. */
  async #read(stream: Stream): Promise<ByteRange[]> {
    const { offset, source } = stream;
    const length = source.length - offset;
    const lost: ByteRange = { kind: 'gap', offset, length };
    try {
      const ranges = await source.read({ from: offset, bytesMax: turnBytesMax });
      return ranges.length > 0 ? ranges : [lost];
    } catch (error) {
      this.#logger.error('a console can not be read', { job: stream.job.id, offset, error });
      return [lost];
    }
  }

  #skip(stream: Stream, length: number): void {
    this.#link.send({ type: 'console-gap', job: stream.job.id, offset: stream.offset, length });
    stream.offset += length;
    this.#tellMatch(stream);
  }

  /** Bytes from the stream's offset on. */
  #send(stream: Stream, bytes: Uint8Array, atMs: number): void {
    this.#tellMatch(stream);
    for (let start = 0; start < bytes.length; ) {
      const { offset, source } = stream;
      const untilMatch = (source.matchEnd ?? 0) - offset;
      const most = untilMatch > 0 ? Math.min(untilMatch, frameBytesMax) : frameBytesMax;
      const piece = bytes.subarray(start, start + most);
      this.#link.sendConsole({ job: stream.job.id, offset, atMs, bytes: piece });
      start += piece.length;
      stream.offset += piece.length;
      this.#tellMatch(stream);
    }
  }

  #tellMatch(stream: Stream): void {
    const { matchEnd } = stream.source;
    if (stream.hasToldMatch || matchEnd === undefined || stream.offset < matchEnd) return;
    stream.hasToldMatch = true;
    this.#link.send({ type: 'completed', job: stream.job.id, matchEnd, open: stream.job.isOpen });
  }

  #finish(stream: Stream): void {
    this.#tellMatch(stream);
    if (stream.result === undefined) return;
    this.#streams.delete(stream.job.id);
    const { id: job, token } = stream.job;
    this.#link.send({ type: 'ended', job, token, result: stream.result });
  }
}
