// The lab's configuration loaded again under a running server: what readers see, what the agent is told, and what a refused
// commit, a broken file, a drain, a settling lab and a restart make of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabConfig } from '../../src/protocol/lab.ts';
import type { LoadedConfig } from '../../src/server/reload.ts';
import { isTicket } from './events.ts';
import { labConfig, newId, type RunningLab, startLab, TestClient } from './lab.ts';

const timeout = 20_000;
const [a, b] = labConfig.boards;
assert.ok(a && b);
const other = { ...a, name: 'c', machine: { driver: 'script' as const, path: '/bin/false' } };
const onlyA: LabConfig = {
  ...labConfig,
  name: 'Less',
  boards: [a],
  pools: [{ name: 'p', boards: ['a'], spread: false }],
};
const withC: LabConfig = { ...labConfig, name: 'More', boards: [a, b, other] };

/** A lab whose file is whatever the test says. */
async function startWith(t: Parameters<typeof startLab>[0]) {
  const file: { now: LoadedConfig } = { now: { ok: true, config: labConfig, warnings: [] } };
  const running = await startLab(t, { loadConfig: async () => file.now });
  const root = new TestClient(running.lab, 'root');
  const reload = (config: LabConfig) => {
    file.now = { ok: true, config, warnings: [] };
    return root.call('reload', {});
  };
  return { ...running, file, root, reload };
}

function boardsTold({ agent }: RunningLab): string[][] {
  return [...agent.heardOf('welcome'), ...agent.heardOf('boards')].map(({ boards }) =>
    boards.map(({ name }) => name),
  );
}

async function stateOf({ lab }: RunningLab, name: string) {
  const { boards } = await lab.watches.status();
  return boards.find(({ board }) => board === name);
}

test('a release that is repeated is answered as before, though its board has left the lab with it', {
  timeout,
}, async (t) => {
  const { lab, reload } = await startWith(t);
  const ada = new TestClient(lab, 'ada');
  const { ticket, view } = await ada.lock('b');
  assert.ok(view.state === 'offered');
  await ada.confirm(ticket, view.token);
  await reload(onlyA);
  const body = { requestId: newId(), target: 'b', key: '0' };
  const wanted = { outcomes: [{ board: 'b', outcome: 'released' }] };
  assert.deepEqual(await ada.call('release', body), wanted);
  assert.deepEqual(await ada.call('release', body, true), wanted);
  await assert.rejects(ada.call('release', { ...body, requestId: newId() }), { code: 'UNKNOWN_TARGET' });
});

test('a reader sees the old configuration or the new one with its state, and never a mix', {
  timeout,
}, async (t) => {
  const running = await startWith(t);
  const { lab, store, reload } = running;
  store.holds = true;
  const done = reload(withC);
  const seen: string[] = [];
  const look = async () => {
    const { lab: name, boards } = await lab.watches.status();
    seen.push(`${name} ${boards.length}`);
  };
  await store.arrival();
  const looks = [look(), look()];
  assert.equal(lab.config.name, 'Test lab');
  store.holds = false;
  store.releaseNext();
  await Promise.all([done, ...looks]);
  await look();
  assert.deepEqual(seen, ['More 3', 'More 3', 'More 3']);
});

test('a commit that is refused leaves the lab and its agent as they were', { timeout }, async (t) => {
  const running = await startWith(t);
  const { lab, store, reload } = running;
  store.outcomes.push('refused');
  await assert.rejects(reload(withC), { code: 'TRY_AGAIN' });
  assert.equal(lab.config.name, 'Test lab');
  assert.equal((await lab.watches.status()).boards.length, 2);
  assert.equal(boardsTold(running).length, 1);
  await reload(withC);
  assert.equal(lab.config.name, 'More');
});

test('a file with problems changes nothing, and each problem is told with its place', {
  timeout,
}, async (t) => {
  const { lab, file, root, logger } = await startWith(t);
  const problem = { file: 'lab.yaml', line: 3, column: 5, message: 'unknown key' };
  file.now = { ok: false, problems: [problem] };
  await assert.rejects(root.call('reload', {}), (error: { code?: string; details?: unknown }) => {
    assert.deepEqual([error.code, error.details], ['BAD_CONFIG', { problems: [problem] }]);
    return true;
  });
  assert.equal(lab.config, labConfig);
  assert.match(JSON.stringify(logger.lines), /"line":3/);
});

test('nobody but an admin may do it', { timeout }, async (t) => {
  const { lab } = await startWith(t);
  await assert.rejects(new TestClient(lab, 'ada').call('reload', {}), { code: 'NOT_ALLOWED' });
});

test('of two at once the later one has the last word', { timeout }, async (t) => {
  const files = [withC, onlyA];
  const config = () => files.shift() ?? labConfig;
  const { lab } = await startLab(t, {
    loadConfig: async () => ({ ok: true, config: config(), warnings: [] }),
  });
  const root = new TestClient(lab, 'root');
  const [first, second] = await Promise.all([root.call('reload', {}), root.call('reload', {})]);
  assert.deepEqual(first.boards.added, ['c']);
  assert.deepEqual(second.boards.removed, ['b', 'c']);
  assert.equal(lab.config.name, 'Less');
});

test('the agent is told the boards, and those that come are ready when it says so', {
  timeout,
}, async (t) => {
  const running = await startWith(t);
  const ada = new TestClient(running.lab, 'ada');
  await running.reload(withC);
  await running.agent.until(() => boardsTold(running).length === 2);
  assert.deepEqual(boardsTold(running)[1], ['a', 'b', 'c']);
  const { view, ticket } = await ada.lock('c');
  if (view.state === 'waiting') await ada.event(isTicket(ticket, 'offered'));
  assert.equal((await stateOf(running, 'c'))?.agentPresent, true);
});

test('a board that is held and goes stays with the agent, over a reconnect and a restart of the server', {
  timeout,
}, async (t) => {
  const running = await startWith(t);
  const { agent, reload } = running;
  const ada = new TestClient(running.lab, 'ada');
  const job = await ada.run('b');
  await agent.until(() => agent.jobs.has(job));
  const change = await reload(onlyA);
  assert.deepEqual([change.boards.removed, change.boards.leaving], [['b'], ['b']]);
  const machines = () => agent.heardOf('welcome').at(-1)?.boards;
  agent.cut();
  await agent.until(() => agent.heardOf('welcome').length === 2);
  assert.deepEqual(
    machines(),
    [a, b].map(({ name, machine }) => ({ name, machine })),
  );
  const next = await running.restart({ config: onlyA });
  await agent.until(() => agent.heardOf('welcome').length === 3);
  assert.deepEqual(
    machines(),
    [a, b].map(({ name, machine }) => ({ name, machine })),
  );
  await next.lab.agents.firstBoards;
  agent.end(job);
  await agent.until(() => agent.forgotten.includes(job));
  assert.equal(await stateOf(next, 'b'), undefined);
});

test('a job that runs is not disturbed, and its board is not said to come anew', { timeout }, async (t) => {
  const running = await startWith(t);
  const { agent, reload, store } = running;
  const ada = new TestClient(running.lab, 'ada');
  const job = await ada.run('a');
  await agent.until(() => agent.jobs.has(job));
  const moved = { ...labConfig, boards: [{ ...a, machine: other.machine }, b, other] };
  await reload(moved);
  await agent.until(() => agent.heardOf('boards').length === 1);
  agent.say(job, 'still here');
  agent.end(job);
  await agent.until(() => agent.forgotten.includes(job));
  assert.equal((await store.findJob(job))?.result?.verdict, 'completed');
  assert.equal(agent.heardOf('start').length, 1);
});

test('a board that the agent can not drive any more is broken, and is broken once', {
  timeout,
}, async (t) => {
  const running = await startWith(t);
  const { agent, root, reload } = running;
  agent.failed = [{ board: 'b', why: 'no such program' }];
  await reload(withC);
  await until(async () => (await stateOf(running, 'b'))?.health === 'broken');
  await root.call('board', { requestId: newId(), targets: ['b'], action: 'resume' });
  await reload({ ...withC, boards: [...withC.boards, { ...other, name: 'd' }] });
  // Told behind what the same message says of b.
  await until(async () => (await stateOf(running, 'd'))?.agentPresent === true);
  assert.equal((await stateOf(running, 'b'))?.health, 'good');
});

test('while the server drains or settles it is taken all the same, and nothing is granted by it', {
  timeout,
}, async (t) => {
  const running = await startWith(t);
  const { lab, agent, reload } = running;
  const ada = new TestClient(lab, 'ada');
  await lab.drain(AbortSignal.timeout(5_000));
  const { ticket } = await ada.lock('a');
  await reload(withC);
  await agent.until(() => agent.heardOf('boards').length === 1);
  await until(async () => (await stateOf(running, 'c'))?.agentPresent === true);
  assert.equal(await lab.core.read((state) => state.tickets.get(ticket)?.state), 'waiting');
  const next = await running.restart({ config: withC });
  const root = new TestClient(next.lab, 'root');
  assert.equal(await next.lab.core.read((state) => state.meta.mode), 'settling');
  await root.call('reload', {});
  assert.equal(next.lab.config.name, 'More');
});

test('limits count from the next request on', { timeout }, async (t) => {
  const { lab, reload } = await startWith(t);
  const ada = new TestClient(lab, 'ada');
  await lab.images.upload({ hash: 'a'.repeat(64), size: 50 }).then((upload) => upload.abort());
  await ada.lock('a');
  await reload({ ...labConfig, limits: { ...labConfig.limits, imageBytesMax: 10, ticketsPerUser: 1 } });
  await assert.rejects(lab.images.upload({ hash: 'a'.repeat(64), size: 50 }), { code: 'TOO_LARGE' });
  await assert.rejects(ada.lock('b'), { code: 'LIMIT_REACHED' });
});

/** Looks again at each turn of the loop; the test's own time limit ends it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
