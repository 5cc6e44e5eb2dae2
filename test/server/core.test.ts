// The one writer: what came together is committed together, nothing is answered before it is stored, a refused batch
// leaves no trace, and a repeated request is answered once.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Command, Effect, ReplyOf, Submit } from '../../src/domain/commands.ts';
import type { LabDefinition } from '../../src/domain/records.ts';
import { State } from '../../src/domain/state.ts';
import { standardTiming } from '../../src/domain/timing.ts';
import { MqError } from '../../src/protocol/errors.ts';
import { Core } from '../../src/server/core.ts';
import { SchedulerClock } from '../../src/server/scheduler-clock.ts';
import { ScriptedStore } from './scripted-store.ts';

const board = (name: string) => ({
  name,
  aliases: [],
  attributes: {},
  files: { min: 1, max: 1 },
  linuxFiles: { min: 1, max: 1 },
  takesLinux: false,
  takesDtb: false,
});

const lab: LabDefinition = {
  boards: [board('a'), board('b')],
  pools: [{ name: 'p', boards: ['a', 'b'], spread: false }],
  discipline: 'turns',
  gatherSeconds: 600,
  limits: { ticketsPerUser: 100, queueLength: 100, adHocQueuesPerBoard: 64, boardsPerTicket: 8 },
};

const cores: Core[] = [];
after(() => Promise.all(cores.map((core) => core.stop())));

async function newCore() {
  const store = new ScriptedStore();
  const state = new State();
  const time = { ms: 0 };
  const effects: Effect[] = [];
  const bugs: unknown[] = [];
  const said: string[] = [];
  const clock = new SchedulerClock({ nowMs: () => time.ms, wallMs: () => 1_000_000 }, 0);
  const core = new Core(
    {
      state,
      store,
      clock,
      timing: standardTiming,
      onEffects: (some) => effects.push(...some),
      onBug: (error) => bugs.push(error),
      onRefused: (message) => said.push(`refused: ${message}`),
      onFatal: (message) => said.push(`fatal: ${message}`),
    },
    [],
  );
  cores.push(core);
  await core.run({ name: 'configure', body: { lab, by: 'system' } });
  const highest = { generation: 1, number: 0 };
  await core.run({ name: 'agentPresent', body: { boards: ['a', 'b'], jobs: [], highest } });
  store.batches.length = 0;
  return { core, store, state, time, effects, bugs, said };
}

const submitOf = (user: string, target = 'p'): { name: 'submit'; body: Submit } => ({
  name: 'submit',
  body: {
    caller: { user, admin: false },
    kind: 'lock',
    target: target === 'p' ? { kind: 'pool', name: 'p' } : { kind: 'board', name: target },
    key: '0',
    set: user,
    priority: 1,
    holdSeconds: 0,
    detached: false,
    note: '',
    reuse: false,
    members: false,
  },
});

const identity = (requestId: string, more: { digest?: string; caller?: string; again?: boolean } = {}) => ({
  requestId,
  caller: 'ada',
  digest: 'd',
  again: false,
  ...more,
});

const ticketOf = (reply: ReplyOf<'submit'>): number => {
  if (!('ticket' in reply)) throw new MqError('NOT_ALLOWED', `no: ${reply.kind}`);
  return reply.ticket;
};

/** All of a state that its own records and indexes say. */
function dump(state: State): unknown {
  const { meta, boards, locks, tickets, jobs, queues, turns } = state;
  const { ticketsByUser, ticketsInQueue, ticketsInTurn, heldBy, boardsByTicket, settlingTickets } = state;
  const sets = [...state.allSets()]
    .filter((set) => set.queue.size > 0)
    .map((set) => [set.key, [...set.queue.groups()].map((group) => ({ ...group }))]);
  return structuredClone({
    ...{ meta, boards, locks, tickets, jobs, queues, turns, ticketsByUser, ticketsInQueue, ticketsInTurn },
    ...{ heldBy, boardsByTicket, settlingTickets, sets },
    ...{ busy: [...state.busySets].map((set) => set.key), timerCount: state.timers.size },
    nextTimerAt: state.nextTimerAt,
  });
}

test('commands that came together are one commit; the next ones wait for it and are one too', async () => {
  const { core, store } = await newCore();
  store.holds = true;
  const first = ['ada', 'bob', 'eve'].map((user) => core.run(submitOf(user)));
  await store.arrival();
  const second = ['fay', 'gus'].map((user) => core.run(submitOf(user)));
  store.releaseNext();
  await Promise.all(first);
  await store.arrival();
  store.releaseNext();
  await Promise.all(second);
  assert.equal(store.batches.length, 2);
  assert.deepEqual(
    store.batches.map((batch) => batch.audit.filter(({ event }) => event === 'submitted').length),
    [3, 2],
  );
});

test('nothing is answered, shown or carried out before the commit, and then in this order', async () => {
  const { core, store, effects } = await newCore();
  store.holds = true;
  const order: string[] = [];
  const answered = core.run(submitOf('ada')).then(() => order.push(`answer, ${effects.length} effects`));
  await store.arrival();
  const read = core.read((state) => state.tickets.size).then((size) => order.push(`read ${size}`));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(order, []);
  store.releaseNext();
  await Promise.all([answered, read]);
  assert.deepEqual(order.sort(), ['answer, 0 effects', 'read 1']);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    effects.map((effect) => effect.kind),
    ['offer'],
  );
});

test('a refused commit leaves the state as it was, indexes and timers too, and its callers try again', async () => {
  const { core, store, state, said, effects } = await newCore();
  const ticket = ticketOf(await core.run(submitOf('ada', 'a')));
  await core.run(submitOf('bob', 'a'));
  await new Promise((resolve) => setImmediate(resolve));
  const before = dump(state);
  effects.length = 0;
  store.outcomes.push('refused');
  const token = state.locks.get('a')?.token ?? { generation: 0, number: 0 };
  const tried = await Promise.allSettled([
    core.run({ name: 'confirm', body: { user: 'ada', ticket, token } }),
    core.run(submitOf('eve', 'a')),
    core.run({
      name: 'release',
      body: { caller: { user: 'ada', admin: false }, boards: ['a'], key: '0', force: false, note: '' },
    }),
    core.run(submitOf('fay')),
  ]);
  for (const one of tried) assert.ok(one.status === 'rejected' && one.reason.code === 'TRY_AGAIN');
  assert.deepEqual(dump(state), before);
  assert.deepEqual(said, ['refused: scripted']);
  assert.deepEqual(effects, []);
  // And it carries on.
  assert.equal((await core.run({ name: 'confirm', body: { user: 'ada', ticket, token } })).kind, 'held');
});

test('a batch that breaks a rule of the store runs again one by one, and only the offender is told INTERNAL', async () => {
  const { core, store, bugs } = await newCore();
  // The batch is rejected, then of its three commands the second.
  store.outcomes.push('rejected', 'committed', 'rejected', 'committed');
  const tried = await Promise.allSettled(['ada', 'bob', 'eve'].map((user) => core.run(submitOf(user))));
  assert.deepEqual(
    tried.map((one) => (one.status === 'fulfilled' ? one.value.kind : one.reason.code)),
    ['offered', 'INTERNAL', 'offered'],
  );
  assert.equal(bugs.length, 1);
  assert.deepEqual(
    store.batches.map((batch) =>
      batch.audit.filter(({ event }) => event === 'submitted').map(({ by }) => by),
    ),
    [['ada', 'bob', 'eve'], ['ada'], ['bob'], ['eve']],
  );
});

test('a step that fails inside is its own caller’s trouble, not that of its batch', async () => {
  const { core, bugs, state } = await newCore();
  const bad = { name: 'poweredOff', body: null } as unknown as Command & { name: 'poweredOff' };
  const before = dump(state);
  const [failed, fine] = await Promise.allSettled([core.run(bad), core.run(submitOf('ada'))]);
  assert.ok(failed.status === 'rejected' && failed.reason.code === 'INTERNAL');
  assert.equal(fine.status, 'fulfilled');
  assert.equal(bugs.length, 1);
  assert.notDeepEqual(dump(state), before);
});

test('when it is not known whether a batch is stored, nobody is answered and the process is told to end', async () => {
  const { core, store, said } = await newCore();
  store.holds = true;
  store.outcomes.push('unknown');
  let answers = 0;
  core.run(submitOf('ada')).finally(() => {
    answers += 1;
  });
  await store.arrival();
  const read = core.read((state) => state.tickets.size);
  store.releaseNext();
  await assert.rejects(read, { code: 'TRY_AGAIN' });
  assert.deepEqual(said, ['fatal: scripted']);
  assert.equal(answers, 0);
  await assert.rejects(core.run(submitOf('bob')), { code: 'TRY_AGAIN' });
  await assert.rejects(
    core.read(() => 1),
    { code: 'TRY_AGAIN' },
  );
  await core.stop();
  assert.equal(answers, 0);
});

test('a store that throws is a batch of unknown outcome, not a crash', async () => {
  const { core, store, said } = await newCore();
  store.commit = () => Promise.reject(new Error('broke'));
  void core.run(submitOf('ada'));
  while (said.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.match(said[0] ?? '', /^fatal: a batch broke off.*broke/s);
});

test('a repeated request is carried out once: while it is under way, later, and after a new start', async () => {
  const { core, store, state } = await newCore();
  store.holds = true;
  const ask = (again: boolean) => core.answer(submitOf('ada'), identity('request-1', { again }), ticketOf);
  const both = [ask(false), ask(true)];
  await store.arrival();
  both.push(ask(true));
  store.releaseNext();
  store.holds = false;
  const [first, ...others] = await Promise.all(both);
  assert.ok(first);
  assert.deepEqual(others, [first, first]);
  assert.equal(await ask(false), first);
  assert.equal(state.tickets.size, 1);
  const next = new Core({ ...coreOptions(state, store) }, []);
  assert.equal(await next.answer(submitOf('ada'), identity('request-1', { again: true }), ticketOf), first);
  assert.equal(state.tickets.size, 1);
});

function coreOptions(state: State, store: ScriptedStore) {
  const fail = (what: string) => assert.fail(what);
  return {
    state,
    store,
    clock: new SchedulerClock({ nowMs: () => 0, wallMs: () => 2_000_000 }, 0),
    timing: standardTiming,
    onEffects: () => {},
    onBug: () => fail('a bug'),
    onRefused: () => fail('refused'),
    onFatal: () => fail('fatal'),
  };
}

test('a request id for another request or of another caller is refused, wherever the first one stands', async () => {
  const { core, store } = await newCore();
  store.holds = true;
  const first = core.answer(submitOf('ada'), identity('request-1'), ticketOf);
  const other = [identity('request-1', { digest: 'x' }), identity('request-1', { caller: 'bob' })];
  for (const one of other) {
    await assert.rejects(core.answer(submitOf('ada'), one, ticketOf), { code: 'REQUEST_ID_REUSED' });
  }
  await store.arrival();
  store.releaseNext();
  await first;
  for (const one of other) {
    await assert.rejects(core.answer(submitOf('ada'), one, ticketOf), { code: 'REQUEST_ID_REUSED' });
  }
  const fresh = new Core(coreOptions(new State(), store), []);
  await assert.rejects(
    fresh.answer(submitOf('ada'), identity('request-1', { digest: 'x', again: true }), ticketOf),
    {
      code: 'REQUEST_ID_REUSED',
    },
  );
});

test('a refusal is an answer that is repeated, also when the board is free by then', async () => {
  const { core, state, store } = await newCore();
  const refuse = () => {
    throw new MqError('NOT_GRANTED_IN_TIME', 'a was not free.');
  };
  const ask = () => core.answer({ name: 'tick', body: {} }, identity('request-1', { again: true }), refuse);
  await assert.rejects(ask(), { code: 'NOT_GRANTED_IN_TIME' });
  const commits = store.batches.length;
  await assert.rejects(ask(), { code: 'NOT_GRANTED_IN_TIME', message: 'a was not free.' });
  assert.equal(store.batches.length, commits);
  assert.equal(state.tickets.size, 0);
});

test('a request that was told to try again is carried out when it is repeated', async () => {
  const { core, store, state } = await newCore();
  store.outcomes.push('refused');
  const ask = () => core.answer(submitOf('ada'), identity('request-1', { again: true }), ticketOf);
  await assert.rejects(ask(), { code: 'TRY_AGAIN' });
  assert.equal(state.tickets.size, 0);
  assert.ok((await ask()) > 0);
  assert.equal(state.tickets.size, 1);
});

test('an answer that could not be worded is not carried out a second time', async () => {
  const { core, state, bugs } = await newCore();
  const ask = () =>
    core.answer(submitOf('ada'), identity('request-1', { again: true }), () => {
      throw new TypeError('a bug');
    });
  await assert.rejects(ask(), { code: 'INTERNAL' });
  await assert.rejects(ask(), { code: 'INTERNAL' });
  assert.equal(state.tickets.size, 1);
  assert.equal(bugs.length, 1);
});

test('while it stops, the batch under way is answered and everything else told to try again', async () => {
  const { core, store } = await newCore();
  store.holds = true;
  const under = core.run(submitOf('ada'));
  await store.arrival();
  const waiting = core.run(submitOf('bob'));
  const stopping = core.stop();
  await assert.rejects(waiting, { code: 'TRY_AGAIN' });
  await assert.rejects(core.run(submitOf('eve')), { code: 'TRY_AGAIN' });
  store.releaseNext();
  assert.equal((await under).kind, 'offered');
  await stopping;
});
