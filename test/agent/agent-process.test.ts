// A real agent process, with real programs: killed, stopped, and left alone.
import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasProcessTable, isRunning, readStartTime } from '../../src/platform/process-table.ts';
import { AgentProcess } from './agent-process.ts';
import { start } from './lab.ts';

const options = {
  timeout: 60_000,
  skip: hasProcessTable() ? false : 'only Linux has a process table to find leftovers in',
};

// A child in the job's session, and one that has left it, lost its parent, and ignores SIGTERM.
const kernel = `
sleep 1000 & echo $! >> "$here/pids"
setsid sh -c 'trap "" TERM; echo $$ >> "$0"; while :; do sleep 1; done' "$here/pids" < /dev/null > /dev/null 2>&1 &
while [ "$(wc -l < "$here/pids")" -lt 3 ]; do sleep 0.01; done
echo the board is up
sleep 1000
`;

async function livingOf(agent: AgentProcess): Promise<number[]> {
  const pids = await agent.pids();
  return pids.filter((pid) => isRunning({ pid, startTime: readStartTime(pid) ?? 'none' }));
}

/** A job that runs, with its children, and has printed. */
async function runJob(agent: AgentProcess, server: Awaited<ReturnType<AgentProcess['connect']>>) {
  const image = agent.store.addImage('kernel', Buffer.from(kernel));
  await server.message('boards');
  server.send(start({ spec: { files: [image], timeoutSeconds: -1 } }));
  await server.until(() => agent.store.console(1) === 'the board is up\n');
  assert.equal((await livingOf(agent)).length, 3);
}

test(
  'after a kill -9 the next agent ends the job with its grandchildren, powers off, and only then is ready',
  options,
  async (t) => {
    const agent = await AgentProcess.make(t);
    await agent.start();
    const first = await agent.connect();
    await runJob(agent, first);
    await agent.kill('SIGKILL');
    assert.equal((await livingOf(agent)).length, 3, 'they outlive the agent');
    await agent.start();
    const second = await agent.connect();
    await second.message('boards', ({ ready }) => ready.includes('pc1'));
    assert.deepEqual(await livingOf(agent), []);
    // The program notes OVERLAP where anything of the job lives when it is called.
    assert.deepEqual(await agent.journal(), ['start', 'off begins', 'off']);
    const { result } = await second.ended(1);
    assert.deepEqual(result, {
      verdict: 'lab-fault',
      detail: 'the agent was killed while the job ran',
      mayBeOn: false,
      consoleLength: 16,
    });
    assert.equal(agent.store.console(1), 'the board is up\n');
    second.send({ type: 'forget', job: 1 });
    const image = agent.store.addImage('next', Buffer.from('echo next\n'));
    second.send(start({ job: 2, token: '1.2', spec: { files: [image] } }));
    assert.equal((await second.ended(2)).result.verdict, 'completed');
    assert.ok(!(await agent.journal()).some((line) => line.startsWith('OVERLAP')));
  },
);

test(
  'a power off that was under way when the agent was killed is ended before the next one begins',
  options,
  async (t) => {
    const agent = await AgentProcess.make(t);
    await agent.start();
    await writeFile(join(agent.folder, 'slow-off'), '');
    const first = await agent.connect();
    await first.message('boards');
    first.send({ type: 'power-off', board: 'pc1', token: '1.1' });
    while ((await livingOf(agent)).length === 0) await new Promise((resolve) => setImmediate(resolve));
    await agent.kill('SIGKILL');
    await agent.start();
    const second = await agent.connect();
    await second.message('boards', ({ ready }) => ready.includes('pc1'));
    second.send({ type: 'power-off', board: 'pc1', token: '1.1' });
    assert.equal((await second.message('powered-off')).ok, true);
    assert.deepEqual(await agent.journal(), ['off begins', 'off begins', 'off']);
  },
);

test(
  'a kill before anything was printed, and one right after the end, are lab fault and the true verdict',
  options,
  async (t) => {
    const agent = await AgentProcess.make(t);
    await agent.start();
    const first = await agent.connect();
    await first.message('boards');
    const quick = agent.store.addImage('quick', Buffer.from('exit 3\n'));
    first.send(start({ spec: { files: [quick] } }));
    const { result } = await first.ended(1);
    first.send(start({ job: 2, token: '1.2', spec: { files: [quick] } }));
    await first.message('started', ({ job }) => job === 2);
    await agent.kill('SIGKILL');
    await agent.start();
    const second = await agent.connect();
    assert.deepEqual((await second.ended(1)).result, result);
    assert.equal(result.exitCode, 3);
    const lost = (await second.ended(2)).result;
    assert.ok(['lab-fault', 'error-text'].includes(lost.verdict), lost.verdict);
  },
);

test(
  'SIGTERM ends jobs and powers off within a bound, exit 0; the next agent has the result',
  options,
  async (t) => {
    const agent = await AgentProcess.make(t);
    await agent.start();
    const first = await agent.connect();
    await runJob(agent, first);
    assert.equal(await agent.kill('SIGTERM'), 0);
    assert.deepEqual(await livingOf(agent), []);
    assert.deepEqual(await agent.journal(), ['start', 'off begins', 'off']);
    await agent.start();
    const second = await agent.connect();
    const { result } = await second.ended(1);
    assert.deepEqual(
      [result.verdict, result.detail, result.mayBeOn],
      ['cancelled', 'the agent was stopped', false],
    );
  },
);

test(
  'without a server and a job it leaves by itself, exit 0, and takes its socket away',
  options,
  async (t) => {
    const agent = await AgentProcess.make(t);
    await agent.start(0.05);
    assert.equal(await agent.ended, 0);
    assert.ok(!(await readdir(agent.stateFolder)).includes('agent.sock'));
  },
);

test('its socket is open to its own user only', options, async (t) => {
  const agent = await AgentProcess.make(t);
  await agent.start();
  assert.equal((await stat(join(agent.stateFolder, 'agent.sock'))).mode & 0o777, 0o600);
  assert.equal((await stat(agent.stateFolder)).mode & 0o777, 0o700);
});
