// What the contract suite of stores stores: records of every kind, and a few lines to commit them.
import assert from 'node:assert/strict';
import type {
  BoardRecord,
  Change,
  Entities,
  EntityName,
  JobRecord,
  LockRecord,
  TicketRecord,
} from '../domain/records.ts';
import type { Batch, CommitOutcome, Store } from '../store/contract.ts';

/** A place where stores are opened, one after the other, as a server's starts do. */
export interface StorePlace {
  open(): Promise<Store>;
}

export const token = (number: number) => ({ generation: 1, number });

export function boardRecord(name: string): BoardRecord {
  return {
    name,
    health: { state: 'suspect', by: 'system', why: 'it "slept" ☾', sinceWallAt: 12.5 },
    service: { state: 'in' },
    agent: 'away',
    mayBeOn: true,
    faults: 2,
    freeSince: 77,
    removed: false,
  };
}

export function lockRecord(board: string, number: number): LockRecord {
  return {
    board,
    token: token(number),
    lastToken: token(number),
    user: 'ada',
    key: "k'; --\u0001☃",
    set: 'ada',
    state: 'held',
    kind: 'lock',
    ticket: number,
    grantedWallAt: 1,
    heldWallAt: 2,
    holdSeconds: 0,
    overdue: false,
    note: '',
  };
}

export function ticketRecord(id: number, more: Partial<TicketRecord> = {}): TicketRecord {
  return {
    id,
    user: 'ada',
    key: '0',
    set: 'ada',
    priority: 1,
    kind: 'lock',
    target: { kind: 'board', name: 'a' },
    queue: 'b:a',
    turnFloor: 0,
    state: 'parked',
    settling: false,
    holdSeconds: 0,
    submittedWallAt: 3,
    detached: false,
    note: '',
    ...more,
  };
}

export function jobRecord(id: number, more: Partial<JobRecord> = {}): JobRecord {
  return {
    id,
    board: 'a',
    user: 'ada',
    key: '0',
    set: 'ada',
    lockToken: token(id),
    token: token(id + 1),
    state: 'running',
    spec: { files: [{ name: 'kernel', nested: [1, null, 'x'] }] },
    keepsLock: false,
    detached: false,
    startedWallAt: 4,
    ...more,
  };
}

export const endedTicket = (id: number) =>
  ticketRecord(id, { state: 'ended', outcome: { kind: 'timed-out' } });
export const endedJob = (id: number, more: Partial<JobRecord> = {}) =>
  jobRecord(id, {
    ...more,
    state: 'ended',
    endedWallAt: 9,
    result: { verdict: 'completed', detail: 'done', mayBeOn: false },
  });

export function put<E extends EntityName>(
  entity: E,
  key: string | number,
  after: Entities[E],
  before?: Entities[E],
) {
  return { entity, key: String(key), before, after } as Change;
}

export function remove<E extends EntityName>(entity: E, key: string, before: Entities[E]): Change {
  return { entity, key, before, after: undefined } as Change;
}

export function batchOf(changes: readonly Change[], more: Partial<Batch> = {}): Batch {
  return { changes, audit: [], answers: [], now: 1_000, wallAt: 2_000, ...more };
}

export async function commit(
  store: Store,
  changes: readonly Change[],
  more: Partial<Batch> = {},
): Promise<void> {
  assert.deepEqual(await store.commit(batchOf(changes, more)), { kind: 'committed' });
}

export async function assertRejected(store: Store, changes: readonly Change[], more: Partial<Batch> = {}) {
  const before = await store.load();
  // Something that would be stored if the batch were not one whole.
  const rider = put('board', 'rider', boardRecord('rider'));
  const audit = [{ event: 'ridden', by: 'rider', board: 'rider' }];
  const outcome: CommitOutcome = await store.commit(
    batchOf([rider, ...changes], { audit, now: 9_999, ...more }),
  );
  assert.equal(outcome.kind, 'rejected');
  assert.deepEqual(await store.load(), before);
  assert.deepEqual(await store.listAudit({ board: 'rider', limit: 10 }), []);
}

export const answer = (requestId: string) => ({
  requestId,
  caller: 'ada',
  digest: 'd',
  answer: '{"value":1}',
});
