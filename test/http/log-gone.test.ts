// What readers are told of a console that was removed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestClient } from '../server/lab.ts';
import { startHttp } from './http-lab.ts';

const timeout = 60_000;

test('a console that was removed is a typed error on every way, and the job is listed with it', {
  timeout,
}, async (t) => {
  const lab = await startHttp(t);
  const client = new TestClient(lab.lab, 'ana');
  const runToEnd = async (text: string) => {
    const job = await client.run('a');
    await lab.agent.until(() => lab.agent.jobs.has(job));
    if (text !== '') lab.agent.say(job, text);
    lab.agent.end(job);
    await lab.agent.until(() => lab.agent.forgotten.includes(job));
    return job;
  };
  const noted = await runToEnd('hello');
  const unnoted = await runToEnd('hello');
  const silent = await runToEnd('');
  const kept = await runToEnd('hello');
  for (const job of [noted, unnoted, silent]) await lab.lab.consoles.files.remove(job);
  await lab.store.dropLogs([noted], 1_000);

  for (const job of [noted, unnoted]) {
    const reply = await lab.ask('GET', `/v1/jobs/${job}/console`);
    assert.equal(reply.status, 410);
    const { code, message, details } = reply.json as { code: string; message: string; details: unknown };
    assert.equal(code, 'LOG_GONE');
    assert.match(message, new RegExp(`^The log of job ${job} is gone${job === noted ? ' since' : ':'}`));
    assert.deepEqual(details, job === noted ? { job, goneAt: 1_000 } : { job });
    await assert.rejects(client.call('console', { job }), { code: 'LOG_GONE' });
  }
  assert.equal((await lab.ask('GET', `/v1/jobs/${silent}/console`)).status, 200, 'it never said anything');
  assert.equal((await lab.ask('GET', `/v1/jobs/${kept}/console`)).body.toString(), 'hello');
  assert.deepEqual(await client.call('console', { job: kept }), { from: 0 });
  const { jobs } = await client.call('jobs', {});
  assert.deepEqual(
    jobs.map(({ id, logGoneAt }) => [id, logGoneAt]),
    [kept, silent, unnoted, noted].map((id) => [id, id === noted ? 1_000 : undefined]),
  );
});
