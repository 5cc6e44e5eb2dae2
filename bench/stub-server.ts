// What the pairs of the real server are compared with: a process that takes the same messages on the same kind of
// channel, writes the same rows through the same store (its thread, its batches, one commit at a time) and answers
// after the commit. It has no scheduler: a list of free boards, a list of those who wait, and no checks at all.
//   node stub-server.ts SOCKET DATABASE BOARDS
import { createServer, type Socket } from 'node:net';
import type { AuditEvent } from '../src/domain/commands.ts';
import type { Change, LockRecord, MetaRecord, TicketRecord } from '../src/domain/records.ts';
import { formatToken } from '../src/domain/records.ts';
import { encodeJson, FrameReader } from '../src/platform/frames.ts';
import { messageBytesMax } from '../src/protocol/channel.ts';
import type { StoredAnswer } from '../src/store/contract.ts';
import { openSqliteStore } from '../src/store/sqlite/store.ts';

interface Request {
  readonly id: number;
  readonly op: 'submit' | 'confirm' | 'release';
  readonly body: { requestId: string; target: string; key: string; ticket: number; set: string };
}

interface Effect {
  readonly socket: Socket;
  readonly message: unknown;
}

const [socketPath = '', databasePath = '', boardCount = '1'] = process.argv.slice(2);
const threadUrl = new URL('../src/store/sqlite/thread.ts', import.meta.url);
const store = await openSqliteStore({ path: databasePath, threadUrl });

const free = Array.from({ length: Number(boardCount) }, (_, at) => `board-${at}`);
const waiting: { ticket: TicketRecord; socket: Socket }[] = [];
const tickets = new Map<number, { ticket: TicketRecord; lock: LockRecord }>();
const locks = new Map<string, LockRecord>();
let meta: MetaRecord = { sequence: 0, token: { generation: 1, number: 0 }, mode: 'open' };

const pending: { socket: Socket; request: Request }[] = [];
let isCommitting = false;
let isScheduled = false;
let changes: Change[] = [];
let audit: AuditEvent[] = [];
let offers: Effect[] = [];

function put(entity: Change['entity'], key: string, before: unknown, after: unknown): void {
  changes.push({ entity, key, before, after } as Change);
}

function grant(ticket: TicketRecord, board: string): TicketRecord {
  const token = { generation: 1, number: meta.token.number + 1 };
  const before = meta;
  meta = { ...meta, sequence: meta.sequence + 1, token };
  put('meta', '', before, meta);
  const { user, key, set, holdSeconds, note } = ticket;
  const at = Date.now();
  const lock: LockRecord = {
    ...{ board, token, lastToken: token, user, key, set, state: 'granted', kind: 'lock', ticket: ticket.id },
    ...{ grantedWallAt: at, holdSeconds, overdue: false, note },
  };
  locks.set(board, lock);
  put('lock', board, undefined, lock);
  const offer = { board, token, confirmBy: at + 3000, grantNumber: meta.sequence };
  const offered: TicketRecord = { ...ticket, state: 'offered', offer };
  put('ticket', String(ticket.id), ticket, offered);
  tickets.set(ticket.id, { ticket: offered, lock });
  audit.push({ event: 'granted', by: 'system', user, key, board, ticket: ticket.id });
  return offered;
}

function viewOffer(ticket: TicketRecord): unknown {
  if (!ticket.offer) return { state: 'waiting', ticket: ticket.id, reasons: [] };
  const { board, token } = ticket.offer;
  return { state: 'offered', ticket: ticket.id, board, token: formatToken(token) };
}

function submit(socket: Socket, { target, key, set }: Request['body']): unknown {
  const before = meta;
  meta = { ...meta, sequence: meta.sequence + 1 };
  put('meta', '', before, meta);
  const ticket: TicketRecord = {
    ...{ id: meta.sequence, user: 'root', key, set, priority: 1, kind: 'lock', queue: `p:${target}` },
    ...{ target: { kind: 'pool', name: target }, turnFloor: 0, state: 'waiting', settling: false },
    ...{ holdSeconds: 0, submittedWallAt: Date.now(), detached: false, note: '' },
  } as TicketRecord;
  put('ticket', String(ticket.id), undefined, ticket);
  audit.push({ event: 'submitted', by: 'root', ticket: ticket.id, key, detail: target });
  const board = free.pop();
  const now = board === undefined ? ticket : grant(ticket, board);
  if (board === undefined) waiting.push({ ticket, socket });
  return { ticket: ticket.id, kind: 'pool', members: [], view: viewOffer(now) };
}

function confirm(id: number): unknown {
  const found = tickets.get(id);
  if (!found) throw new Error(`no ticket ${id}`);
  const { ticket, lock } = found;
  tickets.delete(id);
  const held: LockRecord = { ...lock, state: 'held', heldWallAt: Date.now() };
  locks.set(lock.board, held);
  put('lock', lock.board, lock, held);
  const { offer: _offer, ...rest } = ticket;
  const outcome = { kind: 'confirmed', board: lock.board, token: lock.token } as const;
  put('ticket', String(id), ticket, { ...rest, state: 'ended', outcome });
  audit.push({ event: 'confirmed', by: 'root', board: lock.board, ticket: id, key: lock.key });
  const { board, token, user, key, state, holdSeconds } = held;
  const view = { board, token: formatToken(token), user, key, state, sinceAt: held.heldWallAt, holdSeconds };
  return { view: { state: 'held', ticket: id, lock: view } };
}

function release(board: string): unknown {
  const lock = locks.get(board);
  if (!lock) throw new Error(`no lock on ${board}`);
  locks.delete(board);
  put('lock', board, lock, undefined);
  const { user, key, token } = lock;
  audit.push({ event: 'released', by: 'root', user, key, board, token: formatToken(token), detail: '' });
  const next = waiting.shift();
  if (!next) free.push(board);
  else {
    const view = viewOffer(grant(next.ticket, board));
    offers.push({ socket: next.socket, message: { event: 'ticket', view } });
  }
  return { outcomes: [{ board, outcome: 'released' }] };
}

function carryOut(socket: Socket, { op, body }: Request): unknown {
  if (op === 'submit') return submit(socket, body);
  return op === 'confirm' ? confirm(body.ticket) : release(body.target);
}

async function runBatch(): Promise<void> {
  isScheduled = false;
  isCommitting = true;
  const taken = pending.splice(0, 512);
  const answers: StoredAnswer[] = [];
  const replies = taken.map(({ socket, request }) => {
    const body = carryOut(socket, request);
    const { requestId } = request.body;
    const answer = JSON.stringify({ value: body });
    // As long as the digest that the real one stores.
    answers.push({ requestId, caller: 'root', digest: 'c3R1YnN0dWJzdHVic3R1YnN0dWI=', answer });
    return { socket, message: { id: request.id, ok: true, body } };
  });
  const told = offers;
  const outcome = await store.commit({ changes, audit, answers, now: Date.now(), wallAt: Date.now() });
  if (outcome.kind !== 'committed') throw new Error(`${outcome.kind}: ${outcome.message}`);
  [changes, audit, offers] = [[], [], []];
  for (const { socket, message } of [...replies, ...told]) socket.write(encodeJson(message));
  isCommitting = false;
  schedule();
}

function schedule(): void {
  if (isScheduled || isCommitting || pending.length === 0) return;
  isScheduled = true;
  setImmediate(() => void runBatch());
}

const server = createServer((socket) => {
  const reader = new FrameReader({ payloadBytesMax: messageBytesMax });
  let isUp = false;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (!isUp) {
      // The client waits for the answer to its upgrade's bytes only.
      isUp = true;
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      const rest = chunk.subarray(chunk.indexOf('\r\n\r\n') + 4);
      if (rest.length === 0) return;
      chunk = rest;
    }
    for (const frame of reader.push(chunk)) {
      if (frame.kind === 'json') pending.push({ socket, request: frame.value as Request });
    }
    schedule();
  });
});
server.listen(socketPath, () => console.log('up'));
