// A server of one board in memory, at the level of messages: stored answers by request id, one ticket queue, one
// console. A test may cut the link before or after any message, counted over both directions and all links.
import type { DataPiece, Link, LinkHandlers, OpenLink } from '../../src/client/link.ts';
import type { ChannelMessage, ChannelRequest } from '../../src/protocol/channel.ts';
import type { ErrorCode, MqError } from '../../src/protocol/errors.ts';
import type { JobView, TicketView } from '../../src/protocol/views.ts';
import { VirtualTimers } from './virtual-timers.ts';

type Request = { id: number; op: string; body: Record<string, unknown>; again?: true };
type Cut = { at: number; lose: boolean };

export interface ScriptedOptions {
  /** Cuts the link at these messages; `lose`: before the message is delivered. */
  cuts?: readonly Cut[];
  /** The board is held by somebody else until then (virtual ms); absent: free. */
  busyUntilMs?: number;
  console?: Buffer;
  /** Take an offer back when its client is cut off, and offer under another token later. */
  takeBack?: boolean;
  consoleChunk?: number;
  /** The job does not end by itself: the test says when, and how. */
  jobRunsOn?: boolean;
}

export class ScriptedServer {
  readonly timers = new VirtualTimers();
  /** Everything that was done, once for each time it was done. */
  readonly done: string[] = [];
  /** Every message that was delivered or lost. */
  readonly trace: string[] = [];
  readonly images = new Map<string, Buffer>();
  isDown = false;
  /** Refuses every new link with this. */
  refuseLinks: MqError | undefined;
  /** Operations that are never answered. */
  readonly silent = new Set<string>();
  /** Answers that a test gives in place of the server's own. */
  readonly answers = new Map<string, unknown>();
  refuseWith: { op: string; code: ErrorCode; times: number } | undefined;
  connections = 0;
  readonly options: ScriptedOptions;
  view: TicketView | undefined;
  job: JobView | undefined;
  #answers = new Map<string, unknown>();
  #count = 0;
  #link: ServerLink | undefined;
  #token = 1;
  #followed = new Set<ServerLink>();

  constructor(options: ScriptedOptions = {}) {
    this.options = options;
    if (options.busyUntilMs) this.timers.after(options.busyUntilMs, () => this.#grant());
  }

  readonly openLink: OpenLink = async (handlers) => {
    if (this.isDown) throw new Error('connect ECONNREFUSED');
    if (this.refuseLinks) throw this.refuseLinks;
    this.connections += 1;
    const link = new ServerLink(this, handlers);
    this.#link = link;
    return link;
  };

  /** Counts a message; returns whether it arrives. */
  passes(link: ServerLink, what: string): boolean {
    if (link.isClosed) return false;
    const cut = this.options.cuts?.find(({ at }) => at === this.#count);
    this.#count += 1;
    this.trace.push(what);
    if (!cut) return true;
    if (cut.lose) {
      link.cut();
      return false;
    }
    queueMicrotask(() => link.cut());
    return true;
  }

  onCut(link: ServerLink): void {
    this.#followed.delete(link);
    if (this.#link === link) this.#link = undefined;
    if (this.options.takeBack && this.view?.state === 'offered') this.view = this.#waiting();
  }

  /** Ends the link, as a server that dies does. */
  cutNow(): void {
    this.#link?.cut();
  }

  push(message: ChannelMessage): void {
    if (this.#link && this.#followed.has(this.#link)) this.#link.deliver(message);
  }

  /** To whoever is connected. */
  pushAlways(message: ChannelMessage): void {
    this.#link?.deliver(message);
  }

  pushData(piece: DataPiece): void {
    this.#link?.deliverData(piece);
  }

  handle(link: ServerLink, request: Request): void {
    if (this.silent.has(request.op)) return;
    const refusal = this.refuseWith;
    if (refusal && refusal.op === request.op && refusal.times > 0) {
      refusal.times -= 1;
      link.deliver({
        id: request.id,
        ok: false,
        error: { code: refusal.code, message: 'refused by the script' },
      });
      return;
    }
    const requestId = request.body.requestId as string | undefined;
    // Only what says that it was sent before is looked up, as a server does whose answers are on disk.
    const stored = requestId === undefined || !request.again ? undefined : this.#answers.get(requestId);
    const body = stored ?? this.#execute(link, request);
    if (requestId !== undefined) this.#answers.set(requestId, body);
    if (request.op === 'put-image' || body === undefined) return;
    link.deliver({ id: request.id, ok: true, body } as ChannelMessage);
    this.#after(link, request);
  }

  #execute(link: ServerLink, { id, op, body }: Request): unknown {
    if (this.answers.has(op)) return this.answers.get(op);
    switch (op) {
      case 'submit': {
        this.done.push('submit');
        this.#followed.add(link);
        this.view = this.#waiting();
        if (this.options.busyUntilMs === undefined) this.view = this.#offer();
        return { ticket: 7, kind: 'board', members: [{ board: 'b' }], view: this.view };
      }
      case 'attach':
        this.#followed.add(link);
        if (this.view?.state === 'waiting' && this.timers.now() >= (this.options.busyUntilMs ?? 0))
          this.view = this.#offer();
        return { view: this.view, ...(this.job ? { job: this.job } : {}) };
      case 'confirm':
        if (this.view?.state === 'offered' && this.view.token === body.token) {
          this.done.push('confirm');
          this.view = { state: 'started', ticket: 7, board: 'b', token: String(body.token) };
        }
        return { view: this.view };
      case 'withdraw':
        this.done.push('withdraw');
        this.view = { state: 'ended', ticket: 7, reason: 'withdrawn', text: '' };
        return { view: this.view };
      case 'console':
        return { from: body.from };
      case 'images':
        return { missing: (body.hashes as string[]).filter((hash) => !this.images.has(hash)) };
      case 'put-image':
        link.expectUpload(id, body as { hash: string; size: number; stream: number });
        return undefined;
      default:
        this.done.push(op);
        return {};
    }
  }

  #after(link: ServerLink, { op, body }: Request): void {
    if (op === 'confirm' && this.view?.state === 'started' && !this.job) this.#startJob();
    if (op === 'console') this.#sendConsole(link, body.from as number);
    if (op === 'console-close') link.consoleRun += 1;
  }

  #waiting(): TicketView {
    return { state: 'waiting', ticket: 7, place: 0, reasons: [] };
  }

  #offer(): TicketView {
    this.#token += 1;
    return { state: 'offered', ticket: 7, board: 'b', token: `1.${this.#token}` };
  }

  #grant(): void {
    if (this.view?.state !== 'waiting' || !this.#link || !this.#followed.has(this.#link)) return;
    this.view = this.#offer();
    this.push({ event: 'ticket', view: this.view });
    // What is offered and not confirmed comes back later.
    if (this.options.takeBack) this.timers.after(3000, () => this.#grant());
  }

  #startJob(): void {
    this.done.push('start');
    this.job = {
      id: 7,
      state: 'running',
      target: 'b',
      board: 'b',
      user: 'ana',
      key: '0',
      set: '',
      files: [],
    };
    this.push({ event: 'job', job: this.job });
    if (this.options.jobRunsOn) return;
    this.timers.after(1000, () => {
      const length = this.options.console?.length ?? 0;
      this.job = { ...(this.job as JobView), state: 'ended', verdict: 'completed', consoleLength: length };
      this.push({ event: 'job', job: this.job });
    });
  }

  #sendConsole(link: ServerLink, from: number): void {
    const bytes = this.options.console ?? Buffer.alloc(0);
    const chunk = this.options.consoleChunk ?? 16;
    link.consoleRun += 1;
    const run = link.consoleRun;
    const step = (offset: number): void => {
      if (link.isClosed || link.consoleRun !== run) return;
      if (offset >= bytes.length) {
        link.deliver({ event: 'console-end', job: 7, length: bytes.length });
        return;
      }
      link.deliverData({ streamId: 7, offset, atMs: 1, bytes: bytes.subarray(offset, offset + chunk) });
      setImmediate(step, offset + chunk);
    };
    setImmediate(step, from);
  }
}

class ServerLink implements Link {
  isClosed = false;
  consoleRun = 0;
  readonly #server: ScriptedServer;
  readonly #handlers: LinkHandlers;
  #uploads = new Map<
    number,
    { id: number; hash: string; size: number; parts: Uint8Array[]; bytes: number }
  >();

  constructor(server: ScriptedServer, handlers: LinkHandlers) {
    this.#server = server;
    this.#handlers = handlers;
  }

  send(message: ChannelRequest): void {
    const request = structuredClone(message) as unknown as Request & { pong?: number };
    queueMicrotask(() => {
      if (!this.#server.passes(this, `> ${request.op ?? 'pong'}`)) return;
      if (request.pong !== undefined) this.#server.done.push(`pong ${request.pong}`);
      else this.#server.handle(this, request);
    });
  }

  async sendData(piece: DataPiece): Promise<void> {
    await Promise.resolve();
    if (!this.#server.passes(this, '> data')) return;
    const upload = this.#uploads.get(piece.streamId);
    if (!upload || piece.offset !== upload.bytes) return;
    upload.parts.push(piece.bytes);
    upload.bytes += piece.bytes.length;
    this.#finishUpload(piece.streamId);
  }

  close(): void {
    this.isClosed = true;
    this.#server.onCut(this);
  }

  cut(): void {
    if (this.isClosed) return;
    this.close();
    this.#handlers.onClose(undefined);
  }

  deliver(message: ChannelMessage): void {
    queueMicrotask(() => {
      const what = 'id' in message ? 'answer' : message.event;
      if (this.#server.passes(this, `< ${what}`)) this.#handlers.onMessage(structuredClone(message));
    });
  }

  deliverData(piece: DataPiece): void {
    queueMicrotask(() => {
      if (this.#server.passes(this, '< data')) this.#handlers.onData(piece);
    });
  }

  expectUpload(id: number, { hash, size, stream }: { hash: string; size: number; stream: number }): void {
    this.#uploads.set(stream, { id, hash, size, parts: [], bytes: 0 });
    this.#finishUpload(stream);
  }

  #finishUpload(stream: number): void {
    const upload = this.#uploads.get(stream);
    if (!upload || upload.bytes < upload.size) return;
    this.#uploads.delete(stream);
    this.#server.images.set(upload.hash, Buffer.concat(upload.parts));
    this.deliver({ id: upload.id, ok: true, body: {} } as ChannelMessage);
  }
}
