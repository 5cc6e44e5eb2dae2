// The metrics of a running lab: what each says before and after something has happened; and whether the lab says it is well.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findTrouble, scrapeMetrics } from '../../src/server/metrics/scrape.ts';
import { noPromtool, runPromtool } from '../deploy/promtool.ts';
import { isJob } from './events.ts';
import { parseExposition, seriesValue } from './exposition-parser.ts';
import { labConfig, newId, type RunningLab, startLab, TestClient } from './lab.ts';

const timeout = 20_000;

async function scrape({ lab }: RunningLab) {
  const families = parseExposition(await scrapeMetrics(lab));
  return (name: string, labels: Record<string, string> = {}) => seriesValue(families, name, labels);
}

test('tickets, waits, locks and boards are told as they are, by pool', { timeout }, async (t) => {
  const running = await startLab(t);
  const ana = new TestClient(running.lab, 'ana');
  const before = await scrape(running);
  assert.deepEqual(
    ['free', 'held', 'away', 'broken'].map((state) => before('mq_boards', { state })),
    [2, 0, 0, 0],
  );
  assert.deepEqual([before('mq_pool_boards_free', { pool: 'p' }), before('mq_clients')], [2, 1]);
  assert.equal(before('mq_ticket_wait_seconds_count', { pool: 'p' }), undefined);
  for (const key of ['1', '2']) {
    const { ticket, view } = await ana.lock('p', { key });
    if (view.state === 'offered') await ana.confirm(ticket, view.token);
  }
  const { ticket: third } = await ana.lock('p', { key: '3' });
  await ana.lock('b', { key: '4' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const now = await scrape(running);
  assert.deepEqual([now('mq_boards', { state: 'held' }), now('mq_locks', { state: 'held' })], [2, 2]);
  assert.deepEqual(
    ['mq_waiting_tickets', 'mq_pool_boards_free', 'mq_pool_boards_usable'].map((name) =>
      now(name, { pool: 'p' }),
    ),
    [1, 0, 2],
  );
  assert.equal(now('mq_waiting_tickets', { pool: '(board)' }), 1);
  assert.equal(now('mq_tickets', { state: 'waiting' }), 2);
  const oldest = now('mq_oldest_wait_seconds', { pool: 'p' }) ?? 0;
  assert.ok(oldest > 0 && oldest < 15, `${oldest}`);
  assert.equal(now('mq_ticket_wait_seconds_count', { pool: 'p' }), 2);
  assert.equal(now('mq_ticket_wait_seconds_count', { pool: '(board)' }), undefined);
  assert.equal(now('mq_tickets_ended_total', { outcome: 'confirmed' }), 2);
  assert.equal(now('mq_tickets_ended_total', { outcome: 'withdrawn' }), 0);
  await ana.call('withdraw', { requestId: newId(), ticket: third });
  const later = await scrape(running);
  assert.equal(later('mq_tickets_ended_total', { outcome: 'withdrawn' }), 1);
  // Who did not get a board has not waited for one to the end.
  assert.equal(later('mq_ticket_wait_seconds_count', { pool: 'p' }), 2);
});

test('jobs count by verdict, and console bytes once however often they come', { timeout }, async (t) => {
  const running = await startLab(t);
  const { agent, lab } = running;
  const ana = new TestClient(lab, 'ana');
  const job = await ana.run('a');
  while (!agent.jobs.has(job)) await new Promise((resolve) => setImmediate(resolve));
  agent.say(job, 'all is well');
  agent.cut();
  agent.end(job, 'error-text');
  await ana.event(isJob(job, 'ended'));
  const now = await scrape(running);
  assert.equal(now('mq_jobs_ended_total', { verdict: 'error-text' }), 1);
  assert.equal(now('mq_jobs_ended_total', { verdict: 'completed' }), 0);
  assert.equal(now('mq_console_bytes_total'), 11);
  assert.equal(now('mq_agent_connected'), 1);
});

test('each commit counts with its time and its size, a refused one as what it was', {
  timeout,
}, async (t) => {
  const running = await startLab(t);
  const { lab, store } = running;
  const ana = new TestClient(lab, 'ana');
  const before = await scrape(running);
  store.outcomes.push('refused');
  await assert.rejects(ana.lock('a'), { code: 'TRY_AGAIN' });
  assert.equal(await findTrouble(lab), 'the last commit was refused');
  await Promise.all([ana.lock('a', { key: '1' }), ana.lock('b', { key: '2' })]);
  assert.equal(await findTrouble(lab), undefined);
  const now = await scrape(running);
  const more = (name: string) => (now(name) ?? 0) - (before(name) ?? 0);
  assert.equal(now('mq_commits_failed_total', { why: 'refused' }), 1);
  assert.ok(more('mq_commit_seconds_count') >= 2);
  // Both came together, so they are one batch.
  assert.ok(more('mq_commit_commands_sum') > more('mq_commit_commands_count'));
  assert.ok((now('mq_commit_seconds_sum') ?? 0) > 0);
});

test('a scrape waits for the commit under way, and one that never ends is trouble', {
  timeout,
}, async (t) => {
  const running = await startLab(t);
  const { lab, store } = running;
  store.holds = true;
  const wish = new TestClient(lab, 'ana').lock('a');
  await store.arrival();
  const scraped = scrape(running);
  assert.equal(await findTrouble(lab), undefined);
  assert.equal(await findTrouble(lab, performance.now() + 11_000), 'a commit does not come to its end');
  store.holds = false;
  store.releaseNext();
  await wish;
  assert.equal((await scraped)('mq_locks', { state: 'granted' }), 1);
});

test('a pool that has left the configuration leaves the metrics, so that they are bounded', {
  timeout,
}, async (t) => {
  const other = { ...labConfig, pools: [{ name: 'q', boards: ['a'], spread: false }] };
  const running = await startLab(t, { loadConfig: async () => ({ ok: true, config: other, warnings: [] }) });
  const ana = new TestClient(running.lab, 'ana');
  const { ticket, view } = await ana.lock('p');
  assert.ok(view.state === 'offered');
  await ana.confirm(ticket, view.token);
  assert.equal((await scrape(running))('mq_ticket_wait_seconds_count', { pool: 'p' }), 1);
  await new TestClient(running.lab, 'root').call('reload', {});
  const text = await scrapeMetrics(running.lab);
  assert.equal(text.includes('pool="p"'), false);
  assert.ok(text.includes('mq_waiting_tickets{pool="q"} 0'));
});

test('nothing that a user writes makes a series', { timeout }, async (t) => {
  const running = await startLab(t);
  const ana = new TestClient(running.lab, 'mallory');
  const marks = { key: 'my"key\n', set: 'my-set', note: 'my-note' };
  await ana.lock('a', { ...marks, requestId: newId() });
  const text = await scrapeMetrics(running.lab);
  for (const mark of ['mallory', 'my"key', 'my-set', 'my-note'])
    assert.equal(text.includes(mark), false, mark);
});

test('promtool accepts all of it', { timeout, skip: noPromtool }, async (t) => {
  const { lab } = await startLab(t);
  assert.deepEqual(runPromtool(['check', 'metrics'], await scrapeMetrics(lab)), { code: 0, output: '' });
});
