// The contract of a store, continued: what goes by age, and which consoles are kept.
import assert from 'node:assert/strict';
import type { JobRecord } from '../domain/records.ts';
import {
  answer,
  commit,
  endedJob,
  endedTicket,
  jobRecord,
  put,
  type StorePlace,
  ticketRecord,
} from './store-records.ts';

export const retentionCases: readonly [string, (place: StorePlace) => Promise<void>][] = [
  ['pruning forgets old answers and ended tickets, and nothing that is live or new', prunesTickets],
  [
    'pruning forgets old jobs without a console and old audit; what is new, live or has one stays',
    prunesJobs,
  ],
  ['consoles are listed from the one that ended first, up to the limit, and live ones never', listsLogs],
  ['of numbers those are found that are jobs with a console, live ones too', findsLogs],
  ['a console that was dropped counts as gone from then on, after a new start too', dropsLogs],
];

const before = { answersAt: 0, ticketsAt: 0, jobsAt: 0, auditAt: 0 };

const ended = (id: number, endedWallAt: number): JobRecord => ({ ...endedJob(id), endedWallAt });

async function prunesTickets(place: StorePlace): Promise<void> {
  const store = await place.open();
  const old = [put('ticket', 1, endedTicket(1)), put('ticket', 2, ticketRecord(2))];
  await commit(store, old, { answers: [answer('request-old')], wallAt: 100 });
  await commit(store, [put('ticket', 4, endedTicket(4))], { answers: [answer('request-new')], wallAt: 200 });
  assert.equal(await store.prune({ ...before, answersAt: 150, ticketsAt: 150 }), false, 'that was all');
  assert.equal(await store.findTicket(1), undefined);
  assert.equal((await store.findTicket(2))?.id, 2, 'it is live, however old');
  assert.equal((await store.findTicket(4))?.id, 4);
  assert.equal(await store.findAnswer('request-old'), undefined);
  assert.deepEqual(await store.findAnswer('request-new'), answer('request-new'));
  await store.close();
}

async function prunesJobs(place: StorePlace): Promise<void> {
  const store = await place.open();
  const jobs = [ended(1, 10), ended(2, 10), ended(3, 20), jobRecord(4)];
  const event = (name: string) => ({ event: name, by: 'ada' });
  await commit(
    store,
    jobs.map((job) => put('job', job.id, job)),
    { audit: [event('old')], wallAt: 10 },
  );
  await commit(store, [], { audit: [event('new')], wallAt: 20 });
  await store.dropLogs([1, 3], 30);
  assert.equal(await store.prune({ ...before, jobsAt: 20, auditAt: 20 }), false);
  const left = (await store.listJobs({ limit: 10 })).map(({ id }) => id);
  assert.deepEqual(left, [4, 3, 2], '2 has its console, 3 is new, 4 is live');
  assert.deepEqual(
    (await store.listAudit({ limit: 10 })).map((row) => row.event),
    ['new'],
  );
  await commit(store, [], { audit: [event('newer')], wallAt: 30 });
  assert.deepEqual(
    (await store.listAudit({ limit: 10 })).map((row) => row.event),
    ['newer', 'new'],
  );
  await store.close();
}

async function listsLogs(place: StorePlace): Promise<void> {
  const store = await place.open();
  const jobs = [ended(1, 30), ended(2, 10), ended(3, 20), jobRecord(4)];
  await commit(
    store,
    jobs.map((job) => put('job', job.id, job)),
  );
  const list = async (endedBefore: number, limit: number) =>
    (await store.listLogs({ endedBefore, limit })).map(({ job, endedWallAt }) => [job, endedWallAt]);
  assert.deepEqual(await list(1_000, 10), [
    [2, 10],
    [3, 20],
    [1, 30],
  ]);
  assert.deepEqual(await list(1_000, 1), [[2, 10]]);
  assert.deepEqual(await list(20, 10), [[2, 10]]);
  assert.deepEqual(await list(10, 10), []);
  await store.close();
}

async function findsLogs(place: StorePlace): Promise<void> {
  const store = await place.open();
  await commit(store, [
    put('job', 1, ended(1, 10)),
    put('job', 2, ended(2, 10)),
    put('job', 4, jobRecord(4)),
  ]);
  await store.dropLogs([1], 30);
  assert.deepEqual((await store.findLogs([1, 2, 3, 4])).sort(), [2, 4]);
  assert.deepEqual(await store.findLogs([]), []);
  await store.close();
}

async function dropsLogs(place: StorePlace): Promise<void> {
  const first = await place.open();
  await commit(first, [
    put('job', 1, ended(1, 10)),
    put('job', 2, ended(2, 10)),
    put('job', 4, jobRecord(4)),
  ]);
  await first.dropLogs([1, 4, 99], 30);
  await first.dropLogs([1], 40);
  await first.close();
  const store = await place.open();
  assert.deepEqual(await store.findJob(1), { ...ended(1, 10), logGoneWallAt: 30 });
  assert.deepEqual(await store.findJob(2), ended(2, 10));
  assert.deepEqual(await store.findJob(4), jobRecord(4), 'it is live');
  const listed = await store.listJobs({ limit: 10, user: 'ada' });
  assert.deepEqual(
    listed.map((job) => job.logGoneWallAt),
    [undefined, undefined, 30],
  );
  assert.deepEqual(await store.listLogs({ endedBefore: 1_000, limit: 10 }), [{ job: 2, endedWallAt: 10 }]);
  await store.close();
}
