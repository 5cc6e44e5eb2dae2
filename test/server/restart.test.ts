// A lab that starts again on the same store: places, offers, jobs, and requests that are repeated.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standardTiming } from '../../src/domain/timing.ts';
import { isEvent, isJob } from './events.ts';
import { labConfig, newId, startLab, TestClient } from './lab.ts';

test('after a restart places are kept, an unconfirmed offer is offered again, and jobs go on', {
  timeout: 30_000,
}, async (t) => {
  // The offer must live through the restart, however slow the machine is just now.
  const first = await startLab(t, { timing: { ...standardTiming, confirmMs: 60_000 } });
  const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((user) => new TestClient(first.lab, user)) as [
    TestClient,
    TestClient,
    TestClient,
  ];
  const job = await ada.run('a');
  await ada.event(isJob(job, 'running'));
  first.agent.say(job, 'before ');
  const offered = await bob.lock('b');
  assert.ok(offered.view.state === 'offered');
  const waiting = await eve.lock('b');
  const { lab, agent } = await first.restart();
  const [ada2, bob2, eve2] = ['ada', 'bob', 'eve'].map((user) => new TestClient(lab, user)) as [
    TestClient,
    TestClient,
    TestClient,
  ];
  assert.equal((await eve2.call('attach', { ticket: waiting.ticket })).view.state, 'waiting');
  const again = await bob2.call('attach', { ticket: offered.ticket });
  assert.deepEqual(again.view, offered.view);
  assert.equal((await bob2.confirm(offered.ticket, offered.view.token)).view.state, 'held');
  assert.equal((await ada2.call('attach', { ticket: job })).job?.state, 'running');
  await ada2.call('console', { job });
  await lab.agents.firstBoards;
  agent.say(job, 'after');
  agent.end(job);
  await ada2.event(isEvent('console-end'));
  assert.equal(ada2.bytes.get(job)?.toString(), 'before after');
});

test('a submit that is repeated after its board has left the lab is answered as the first time', {
  timeout: 20_000,
}, async (t) => {
  const first = await startLab(t);
  const body = { requestId: newId(), target: 'b', kind: 'lock', key: '0' } as const;
  const ada = new TestClient(first.lab, 'ada');
  const answer = await ada.call('submit', body);
  const smaller = { ...labConfig, boards: labConfig.boards.filter((board) => board.name !== 'b'), pools: [] };
  const { lab } = await first.restart({ config: smaller });
  const ada2 = new TestClient(lab, 'ada');
  assert.deepEqual(await ada2.call('submit', body, true), answer);
  await assert.rejects(ada2.call('submit', { ...body, requestId: newId() }), { code: 'UNKNOWN_TARGET' });
});
