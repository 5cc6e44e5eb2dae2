// The contract of a store as tests, for any backend: what was committed is there for the next start, a batch is stored
// whole or not at all, and the rules that a single row can keep are kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change, LockRecord } from '../domain/records.ts';
import { State } from '../domain/state.ts';
import {
  answer,
  assertRejected,
  boardRecord,
  commit,
  endedJob,
  endedTicket,
  jobRecord,
  lockRecord,
  put,
  remove,
  type StorePlace,
  ticketRecord,
  token,
} from './store-records.ts';
import { retentionCases } from './store-retention.ts';

export type WithPlace = (use: (place: StorePlace) => Promise<void>) => Promise<void>;

/** Runs the contract against stores of this name. `withPlace` gives an empty place and clears it afterwards. */
export function testStore(name: string, withPlace: WithPlace): void {
  const check = (title: string, body: (place: StorePlace) => Promise<void>) =>
    test(`${name}: ${title}`, () => withPlace(body));
  for (const [title, body] of cases) check(title, body);
}

const cases: readonly [string, (place: StorePlace) => Promise<void>][] = [
  ['an empty store loads nothing', loadsNothing],
  ['every kind of record comes back as it was, after a new start too', roundTrips],
  ['what a start loads can be applied record by record', loadsInOrder],
  ['a record that changes often in a batch is stored as it ends; one that comes and goes is not', coalesces],
  ['a second lock on a board is rejected, and nothing of its batch is stored', rejectsSecondLock],
  ['a lock is changed and removed under its own token only', rejectsWrongToken],
  ['a lock can give way to the next one in one batch', replacesLock],
  ['a ticket that has ended can not change any more', rejectsEndedTicket],
  ['a job that has ended can not change any more', rejectsEndedJob],
  ['two live jobs on a board are rejected; one after the other is not', rejectsSecondJob],
  ['a request id has one answer, and a second is rejected with its batch', rejectsSecondAnswer],
  ['ended tickets and jobs are found, and not loaded', findsEnded],
  ['jobs are listed newest first, of one user or all, up to the limit', listsJobs],
  ['audit is listed newest first, by board, by ticket or all', listsAudit],
  ...retentionCases,
  ['a rejected batch does not move the clock; a committed one without changes does', movesClock],
];

// ---- the cases ----

async function loadsNothing(place: StorePlace): Promise<void> {
  const store = await place.open();
  assert.deepEqual(await store.load(), { changes: [], now: 0, answers: [] });
  assert.equal(await store.findAnswer('nobody'), undefined);
  assert.equal(await store.findTicket(1), undefined);
  assert.equal(await store.findJob(1), undefined);
  await store.close();
}

function oneOfEach(): Change[] {
  const lab = {
    boards: [],
    pools: [{ name: 'p', boards: ['a', 'b'], spread: true }],
    discipline: 'turns' as const,
    gatherSeconds: 600,
    limits: { ticketsPerUser: 1, queueLength: 2, adHocQueuesPerBoard: 3, boardsPerTicket: 4 },
  };
  return [
    put('job', 5, jobRecord(5)),
    put('ticket', 7, ticketRecord(7, { queue: 'q:6', kind: 'run', job: { files: [] } })),
    put('lock', 'a', lockRecord('a', 4)),
    put('turn', 'q:6\u0000ada', { queue: 'q:6', set: 'ada', number: 8 }),
    put('queue', 'q:6', { id: 'q:6', boards: ['b', 'a'] }),
    put('board', 'a', boardRecord('a')),
    put('board', 'b', boardRecord('b')),
    put('lab', '', lab),
    put('meta', '', { sequence: 2 ** 40, token: token(2 ** 40), mode: 'open' }),
  ];
}

async function roundTrips(place: StorePlace): Promise<void> {
  const first = await place.open();
  await commit(first, oneOfEach(), { answers: [answer('request-1')], now: 123.5 });
  await first.close();
  const second = await place.open();
  const loaded = await second.load();
  assert.equal(loaded.now, 123.5);
  assert.deepEqual(loaded.answers, [answer('request-1')]);
  const byName = (changes: readonly Change[]) =>
    new Map(changes.map((change) => [`${change.entity} ${change.key}`, change.after]));
  assert.deepEqual(byName(loaded.changes), byName(oneOfEach()));
  assert.ok(loaded.changes.every((change) => change.before === undefined));
  await second.close();
}

async function loadsInOrder(place: StorePlace): Promise<void> {
  const store = await place.open();
  await commit(store, oneOfEach());
  await commit(store, [put('ticket', 20, ticketRecord(20)), put('ticket', 9, ticketRecord(9))]);
  const { changes } = await store.load();
  const state = new State();
  for (const change of changes) state.apply(change);
  assert.deepEqual([...state.tickets.keys()], [7, 9, 20]);
  assert.equal(state.locks.get('a')?.ticket, 4);
  assert.equal(state.turnOf('q:6', 'ada', 7), 8);
  await store.close();
}

async function coalesces(place: StorePlace): Promise<void> {
  const store = await place.open();
  const first = lockRecord('a', 1);
  const granted: LockRecord = { ...first, state: 'granted' };
  const brief = lockRecord('b', 2);
  await commit(store, [
    put('lock', 'a', granted),
    put('lock', 'b', brief),
    put('lock', 'a', first, granted),
    remove('lock', 'b', brief),
    put('ticket', 3, ticketRecord(3)),
    put('ticket', 3, endedTicket(3), ticketRecord(3)),
  ]);
  const { changes } = await store.load();
  assert.deepEqual(changes, [put('lock', 'a', first)]);
  assert.equal((await store.findTicket(3))?.state, 'ended');
  await store.close();
}

async function rejectsSecondLock(place: StorePlace): Promise<void> {
  const store = await place.open();
  await commit(store, [put('lock', 'a', lockRecord('a', 1))]);
  await assertRejected(store, [put('lock', 'a', lockRecord('a', 2))]);
  await commit(store, [put('lock', 'b', lockRecord('b', 3))]);
  await store.close();
}

async function rejectsWrongToken(place: StorePlace): Promise<void> {
  const store = await place.open();
  const lock = lockRecord('a', 2);
  await commit(store, [put('lock', 'a', lock)]);
  const older = lockRecord('a', 1);
  await assertRejected(store, [put('lock', 'a', { ...older, note: 'mine' }, older)]);
  await assertRejected(store, [remove('lock', 'a', older)]);
  await assertRejected(store, [remove('lock', 'b', lockRecord('b', 7))]);
  await commit(store, [put('lock', 'a', { ...lock, note: 'mine' }, lock)]);
  await commit(store, [remove('lock', 'a', lock)]);
  assert.deepEqual((await store.load()).changes, []);
  await store.close();
}

async function replacesLock(place: StorePlace): Promise<void> {
  const store = await place.open();
  const [old, next] = [lockRecord('a', 1), lockRecord('a', 2)];
  await commit(store, [put('lock', 'a', old)]);
  await commit(store, [remove('lock', 'a', old), put('lock', 'a', next)]);
  assert.deepEqual((await store.load()).changes, [put('lock', 'a', next)]);
  await assertRejected(store, [remove('lock', 'a', old)]);
  await store.close();
}

async function rejectsEndedTicket(place: StorePlace): Promise<void> {
  const store = await place.open();
  await commit(store, [put('ticket', 1, ticketRecord(1))]);
  await commit(store, [put('ticket', 1, endedTicket(1), ticketRecord(1))]);
  await assertRejected(store, [put('ticket', 1, ticketRecord(1), endedTicket(1))]);
  await assertRejected(store, [put('ticket', 1, { ...endedTicket(1), note: 'again' }, endedTicket(1))]);
  await store.close();
}

async function rejectsEndedJob(place: StorePlace): Promise<void> {
  const store = await place.open();
  await commit(store, [put('job', 1, jobRecord(1))]);
  await commit(store, [put('job', 1, endedJob(1), jobRecord(1))]);
  await assertRejected(store, [put('job', 1, jobRecord(1), endedJob(1))]);
  await store.close();
}

async function rejectsSecondJob(place: StorePlace): Promise<void> {
  const store = await place.open();
  await commit(store, [put('job', 1, jobRecord(1)), put('job', 2, jobRecord(2, { board: 'b' }))]);
  await assertRejected(store, [put('job', 3, jobRecord(3))]);
  await commit(store, [put('job', 1, endedJob(1), jobRecord(1)), put('job', 3, jobRecord(3))]);
  await store.close();
}

async function rejectsSecondAnswer(place: StorePlace): Promise<void> {
  const store = await place.open();
  await commit(store, [], { answers: [answer('request-1')] });
  await assertRejected(store, [], { answers: [{ ...answer('request-1'), answer: '{"value":2}' }] });
  await assertRejected(store, [], { answers: [answer('request-2'), answer('request-1')] });
  assert.deepEqual(await store.findAnswer('request-1'), answer('request-1'));
  assert.equal(await store.findAnswer('request-2'), undefined);
  await store.close();
}

async function findsEnded(place: StorePlace): Promise<void> {
  const store = await place.open();
  await commit(store, [put('ticket', 1, endedTicket(1)), put('job', 2, endedJob(2))]);
  assert.deepEqual((await store.load()).changes, []);
  assert.deepEqual(await store.findTicket(1), endedTicket(1));
  assert.deepEqual(await store.findJob(2), endedJob(2));
  assert.equal(await store.findJob(1), undefined);
  await store.close();
}

async function listsJobs(place: StorePlace): Promise<void> {
  const store = await place.open();
  const jobs = [1, 2, 10, 11].map((id) => endedJob(id, { user: id % 2 === 0 ? 'ada' : 'bob' }));
  await commit(
    store,
    jobs.map((job) => put('job', job.id, job)),
  );
  const ids = async (filter: { user?: string; limit: number }) =>
    (await store.listJobs(filter)).map((job) => job.id);
  assert.deepEqual(await ids({ limit: 10 }), [11, 10, 2, 1]);
  assert.deepEqual(await ids({ limit: 3 }), [11, 10, 2]);
  assert.deepEqual(await ids({ user: 'bob', limit: 10 }), [11, 1]);
  assert.deepEqual(await ids({ user: 'eve', limit: 10 }), []);
  await store.close();
}

async function listsAudit(place: StorePlace): Promise<void> {
  const store = await place.open();
  const audit = [
    { event: 'submitted', by: 'ada', ticket: 1, detail: "a'b" },
    { event: 'confirmed', by: 'ada', ticket: 1, board: 'a' },
    { event: 'released', by: 'bob', board: 'a' },
  ];
  await commit(store, [], { audit, wallAt: 50 });
  const events = async (filter: { board?: string; ticket?: number; limit: number }) =>
    (await store.listAudit(filter)).map((row) => row.event);
  assert.deepEqual(await events({ limit: 10 }), ['released', 'confirmed', 'submitted']);
  assert.deepEqual(await events({ limit: 1 }), ['released']);
  assert.deepEqual(await events({ board: 'a', limit: 10 }), ['released', 'confirmed']);
  assert.deepEqual(await events({ ticket: 1, limit: 10 }), ['confirmed', 'submitted']);
  const [row] = await store.listAudit({ ticket: 1, board: 'a', limit: 1 });
  assert.ok(row && row.wallAt === 50 && row.id > 0);
  await store.close();
}

async function movesClock(place: StorePlace): Promise<void> {
  const store = await place.open();
  await commit(store, [], { now: 500 });
  assert.equal((await store.load()).now, 500);
  await assertRejected(store, [remove('lock', 'a', lockRecord('a', 1))]);
  assert.equal((await store.load()).now, 500);
  await store.close();
}
