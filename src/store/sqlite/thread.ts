// Entry point of the store's own thread: a slow disk delays answers but freezes no stream. It takes calls one
// after the other and posts an answer to each.
import { parentPort, workerData } from 'node:worker_threads';
import { type PruneBefore, StoreError } from '../contract.ts';
import { openDatabase } from './open.ts';
import * as read from './read.ts';
import * as retention from './retention.ts';
import { type WriteBatch, Writer } from './write.ts';

/** A call from the other side. `id` joins the answer to it. */
export type ThreadCall =
  | { readonly id: number; readonly call: 'open' }
  | { readonly id: number; readonly call: 'load' }
  | { readonly id: number; readonly call: 'commit'; readonly batch: WriteBatch }
  | { readonly id: number; readonly call: 'findAnswer'; readonly requestId: string }
  | { readonly id: number; readonly call: 'findTicket' | 'findJob'; readonly key: number }
  | { readonly id: number; readonly call: 'listJobs'; readonly filter: { user?: string; limit: number } }
  | {
      readonly id: number;
      readonly call: 'listAudit';
      readonly filter: { board?: string; ticket?: number; limit: number };
    }
  | { readonly id: number; readonly call: 'prune'; readonly before: PruneBefore }
  | {
      readonly id: number;
      readonly call: 'listLogs';
      readonly filter: { endedBefore: number; limit: number };
    }
  | { readonly id: number; readonly call: 'findLogs'; readonly jobs: readonly number[] }
  | {
      readonly id: number;
      readonly call: 'dropLogs';
      readonly jobs: readonly number[];
      readonly wallAt: number;
    }
  | { readonly id: number; readonly call: 'close' };

export type ThreadAnswer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly code: string | undefined; readonly message: string };

if (!parentPort) throw new Error('this file runs as a thread of the store only');
const port = parentPort;
const { path } = workerData as { path: string };

let db: ReturnType<typeof openDatabase> | undefined;
let writer: Writer | undefined;

function answer(call: ThreadCall): unknown {
  if (call.call === 'open') {
    db = openDatabase(path);
    writer = new Writer(db);
    return undefined;
  }
  if (!db || !writer) throw new Error('the store is not open');
  switch (call.call) {
    case 'load':
      return read.load(db);
    case 'commit':
      return writer.commit(call.batch);
    case 'findAnswer':
      return read.findAnswer(db, call.requestId);
    case 'findTicket':
      return read.findTicket(db, call.key);
    case 'findJob':
      return read.findJob(db, call.key);
    case 'listJobs':
      return read.listJobs(db, call.filter);
    case 'listAudit':
      return read.listAudit(db, call.filter);
    case 'prune':
      return retention.prune(db, call.before);
    case 'listLogs':
      return retention.listLogs(db, call.filter);
    case 'findLogs':
      return retention.findLogs(db, call.jobs);
    case 'dropLogs':
      return retention.dropLogs(db, call.jobs, call.wallAt);
    case 'close':
      db.close();
      db = undefined;
      return undefined;
  }
}

port.on('message', (call: ThreadCall) => {
  let reply: ThreadAnswer;
  try {
    reply = { id: call.id, ok: true, value: answer(call) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reply = { id: call.id, ok: false, code: error instanceof StoreError ? error.code : undefined, message };
  }
  port.postMessage(reply);
  if (call.call === 'close') port.close();
});
