// A holder's switch of the power through the server: who may, what is told to whom, and what a lost connection or a restart
// leaves of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LabServer } from '../../src/server/lab-server.ts';
import { isJob } from './events.ts';
import type { FakeAgent, PowerOrder } from './fake-agent.ts';
import { newId, startLab, TestClient } from './lab.ts';

const options = { timeout: 20_000 };

/** The user holds board `a`. */
async function hold(lab: LabServer, user = 'ada', key = '0'): Promise<TestClient> {
  const client = new TestClient(lab, user);
  const { ticket, view } = await client.lock('a', { key });
  assert.ok(view.state === 'offered');
  await client.confirm(ticket, view.token);
  return client;
}

type Action = 'on' | 'off' | 'cycle';

function switching(client: TestClient, action: Action, more: { key?: string; requestId?: string } = {}) {
  return client.call('power', { requestId: newId(), board: 'a', key: '0', action, ...more });
}

/** Each commit is looked at. */
async function untilPresent(lab: LabServer): Promise<void> {
  while ((await lab.core.read((state) => state.boards.get('a')?.agent)) !== 'present')
    await new Promise((resolve) => setImmediate(resolve));
}

const mayBeOn = (lab: LabServer) => lab.core.read((state) => state.boards.get('a')?.mayBeOn);

/** The agent says nothing to the next order, which is returned when it has come. */
async function nextOrder(agent: FakeAgent, ask: () => void): Promise<PowerOrder> {
  const before = agent.heardOf('power').length;
  ask();
  await agent.until(() => agent.heardOf('power').length > before);
  const order = agent.heardOf('power').at(-1);
  assert.ok(order);
  return order;
}

test(
  'the holder switches a board, under the token of the lock, and it is off again after the release',
  options,
  async (t) => {
    const { lab, agent } = await startLab(t);
    const ada = await hold(lab);
    assert.deepEqual(await switching(ada, 'on'), { board: 'a', mayBeOn: true });
    const { lock, state } = (await ada.call('status', {})).boards[0] ?? {};
    assert.deepEqual([state, agent.heardOf('power')[0]?.token], ['held', lock?.token]);
    const { outcomes } = await ada.call('release', { requestId: newId(), target: 'a', key: '0' });
    assert.equal(outcomes[0]?.outcome, 'ending');
    await agent.until(() => agent.heardOf('power-off').length === 1);
  },
);

test('after an off that worked the release needs no other', options, async (t) => {
  const { lab } = await startLab(t);
  const ada = await hold(lab);
  await switching(ada, 'cycle');
  assert.equal((await switching(ada, 'off')).mayBeOn, false);
  const { outcomes } = await ada.call('release', { requestId: newId(), target: 'a', key: '0' });
  assert.equal(outcomes[0]?.outcome, 'released');
});

describe('whoever does not hold it', () => {
  test('is told who does, and how to get it; the agent hears nothing', options, async (t) => {
    const { lab, agent } = await startLab(t);
    const bob = new TestClient(lab, 'bob');
    await assert.rejects(switching(bob, 'on'), { code: 'NOT_HOLDER', message: /Nobody holds a.*mq lock a/ });
    const ada = await hold(lab, 'ada', 'mine');
    await assert.rejects(switching(bob, 'on'), { code: 'NOT_HOLDER', message: /held by ada since/ });
    await assert.rejects(switching(ada, 'on'), { code: 'WRONG_KEY', message: /--key/ });
    await assert.rejects(bob.call('power-status', { board: 'a', key: '0' }), { code: 'NOT_HOLDER' });
    assert.deepEqual(agent.heardOf('power'), []);
    assert.equal((await switching(ada, 'on', { key: 'mine' })).mayBeOn, true);
  });
});

describe('a board that can not', () => {
  test('be switched on without a job is not, and does not count as on; off it goes', options, async (t) => {
    const { lab, agent } = await startLab(t, {}, { can: [] });
    const ada = await hold(lab);
    await assert.rejects(switching(ada, 'on'), { code: 'BOARD_UNABLE', message: /only by a job/ });
    assert.deepEqual([await mayBeOn(lab), agent.heardOf('power').length], [false, 0]);
    await switching(ada, 'off');
    assert.equal((await ada.call('power-status', { board: 'a', key: '0' })).power, 'unknown');
  });

  test('since its agent is of before that, is told so', options, async (t) => {
    const { lab } = await startLab(t, {}, { can: undefined });
    const ada = await hold(lab);
    for (const action of ['on', 'off'] as const)
      await assert.rejects(switching(ada, action), { code: 'BOARD_UNABLE', message: /older version/ });
  });
});

describe('what went wrong', () => {
  test('is the lab’s fault where it was tried, and in its own words', options, async (t) => {
    const { lab, agent } = await startLab(t);
    const ada = await hold(lab);
    agent.onPower = () => ({ outcome: 'failed', detail: 'the outlet does not answer' });
    await assert.rejects(switching(ada, 'on'), { code: 'LAB_FAULT', message: /outlet does not answer/ });
    assert.equal(await mayBeOn(lab), true);
  });

  test('and may be tried again where it was not', options, async (t) => {
    const { lab, agent } = await startLab(t);
    const ada = await hold(lab);
    agent.onPower = () => ({ outcome: 'refused', detail: 'job 7 is ending' });
    await assert.rejects(switching(ada, 'off'), { code: 'BOARD_BUSY', message: /job 7 is ending/ });
    agent.onPower = () => undefined;
    await nextOrder(agent, () => void switching(ada, 'on').catch(() => undefined));
    await assert.rejects(switching(ada, 'off'), { code: 'BOARD_BUSY', message: /being switched/ });
  });
});

test(
  'while the agent is away nothing is done or stored: the same request works when it is back',
  options,
  async (t) => {
    const { lab, agent } = await startLab(t);
    const ada = await hold(lab);
    const requestId = newId();
    const back = Promise.withResolvers<void>();
    agent.hold = back.promise;
    agent.cut();
    await lab.core.run({ name: 'agentAway', body: { boards: ['a', 'b'] } });
    await assert.rejects(switching(ada, 'on', { requestId }), { code: 'TRY_AGAIN' });
    assert.equal(await mayBeOn(lab), false);
    back.resolve();
    await agent.until(() => agent.connections === 2);
    await untilPresent(lab);
    assert.equal((await switching(ada, 'on', { requestId })).mayBeOn, true);
  },
);

test('a status is asked of the agent, and changes nothing', options, async (t) => {
  const { lab, agent } = await startLab(t);
  const ada = await hold(lab);
  agent.onPower = () => ({ outcome: 'done', power: 'on', detail: '' });
  const status = await ada.call('power-status', { board: 'a', key: '0' });
  assert.deepEqual(status, { board: 'a', power: 'on', mayBeOn: false });
});

describe('a request that is repeated', () => {
  test('is carried out once, and answered the same, while it goes on and afterwards', options, async (t) => {
    const { lab, agent } = await startLab(t);
    const ada = await hold(lab);
    agent.onPower = () => undefined;
    const body = { requestId: newId(), board: 'a', key: '0', action: 'cycle' } as const;
    let first: Promise<object> | undefined;
    const order = await nextOrder(agent, () => {
      first = ada.call('power', body);
    });
    const second = ada.call('power', body, true);
    agent.answer(order, { outcome: 'done', detail: '' });
    assert.deepEqual(await Promise.all([first, second]), [
      { board: 'a', mayBeOn: true },
      { board: 'a', mayBeOn: true },
    ]);
    assert.equal((await ada.call('power', body, true)).mayBeOn, true);
    assert.equal(agent.heardOf('power').length, 1);
  });

  test(
    'after the link to the agent broke hears what the agent says when it is asked again',
    options,
    async (t) => {
      const { lab, agent } = await startLab(t);
      const ada = await hold(lab);
      agent.onPower = ({ again }) => (again ? { outcome: 'done', detail: '' } : undefined);
      const done = switching(ada, 'on');
      await agent.until(() => agent.heardOf('power').length === 1);
      agent.cut();
      assert.equal((await done).mayBeOn, true);
      assert.deepEqual(
        agent.heardOf('power').map(({ again }) => again),
        [false, true],
      );
    },
  );

  for (const known of [true, false]) {
    test(
      `after a restart hears what the agent says, which ${known ? 'did it' : 'never heard of it'}`,
      options,
      async (t) => {
        const first = await startLab(t);
        const { agent } = first;
        const ada = await hold(first.lab);
        agent.onPower = ({ again }) => {
          if (!again) return undefined;
          return known ? { outcome: 'done', detail: '' } : { outcome: 'unknown', detail: 'it was not told' };
        };
        const body = { requestId: newId(), board: 'a', key: '0', action: 'on' } as const;
        await nextOrder(agent, () => void ada.call('power', body).catch(() => undefined));
        const { lab } = await first.restart();
        assert.equal(await mayBeOn(lab), true);
        const ada2 = new TestClient(lab, 'ada');
        const again = ada2.call('power', body, true);
        if (known) assert.equal((await again).mayBeOn, true);
        else
          await assert.rejects(again, {
            code: 'LAB_FAULT',
            message: /may not have been switched: it was not told/,
          });
        assert.equal(
          (await ada2.call('release', { requestId: newId(), target: 'a', key: '0' })).outcomes[0]?.outcome,
          'ending',
        );
        await agent.until(() => agent.heardOf('power-off').length === 1);
      },
    );
  }

  test(
    'when the action was answered before a restart is told that nobody knows any more',
    options,
    async (t) => {
      const first = await startLab(t);
      const ada = await hold(first.lab);
      const body = { requestId: newId(), board: 'a', key: '0', action: 'on' } as const;
      await ada.call('power', body);
      const { lab } = await first.restart();
      const again = new TestClient(lab, 'ada').call('power', body, true);
      await assert.rejects(again, { code: 'LAB_FAULT', message: /restarted/ });
    },
  );
});

describe('a console without a job', () => {
  const job = {
    ...{ kind: 'console' as const, files: [], linux: false, endText: '', errorText: '', timeoutSeconds: -1 },
    ...{ keepOn: true, detached: false },
  };

  async function open(client: TestClient): Promise<number> {
    const { ticket, view } = await client.lock('a', { kind: 'slot', job });
    assert.ok(view.state === 'offered');
    await client.confirm(ticket, view.token);
    return ticket;
  }

  test('runs under the lock of its holder, and leaves the power as it is', options, async (t) => {
    const { lab, agent } = await startLab(t);
    const ada = await hold(lab);
    const id = await open(ada);
    await agent.until(() => agent.heardOf('start').length === 1);
    assert.deepEqual([agent.heardOf('start')[0]?.leaveOn, await mayBeOn(lab)], [false, false]);
    const view = (await ada.call('job', { id })).job;
    assert.deepEqual([view.kind, view.takesInput], ['console', true]);
    await ada.call('finish', { requestId: newId(), job: id });
    agent.end(id);
    await ada.event(isJob(id, 'ended'));
    const { outcomes } = await ada.call('release', { requestId: newId(), target: 'a', key: '0' });
    assert.equal(outcomes[0]?.outcome, 'released');
  });

  test('is refused where the board has none, and to a run that brings its own lock', options, async (t) => {
    const { lab } = await startLab(t, {}, { can: ['power-on'] });
    const ada = await hold(lab);
    await assert.rejects(open(ada), { code: 'BOARD_UNABLE', message: /no console without a job/ });
    await assert.rejects(ada.lock('b', { kind: 'run', job }), { code: 'BAD_REQUEST' });
  });

  test('has one writer at a time: the first, until it is gone', options, async (t) => {
    const { lab, agent } = await startLab(t);
    const ada = await hold(lab);
    const id = await open(ada);
    const write = (client: TestClient, text: string) =>
      client.call('write', { job: id, bytes: Buffer.from(text).toString('base64') });
    const other = new TestClient(lab, 'ada');
    await write(other, 'one');
    await assert.rejects(write(ada, 'two'), { code: 'BOARD_BUSY' });
    await assert.rejects(write(new TestClient(lab, 'bob'), 'three'), { code: 'NOT_HOLDER' });
    other.close();
    await write(ada, 'four');
    await agent.until(() => agent.heardOf('write').length === 2);
    assert.deepEqual(
      agent.heardOf('write').map(({ bytes }) => Buffer.from(bytes, 'base64').toString()),
      ['one', 'four'],
    );
  });
});
