// The lab as one: sessions, jobs over the agent's link, consoles, refused commits and restarts, with a fake agent.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ClockError } from '../../src/server/lab-server.ts';
import { SchedulerClock } from '../../src/server/scheduler-clock.ts';
import { isEvent, isJob, isTicket } from './events.ts';
import { newId, startLab, TestClient } from './lab.ts';

test('a released board goes to the next one, who hears of it after the answer to its submit', {
  timeout: 20_000,
}, async (t) => {
  const { lab } = await startLab(t);
  const [ada, bob] = [new TestClient(lab, 'ada'), new TestClient(lab, 'bob')];
  const first = await ada.lock('a');
  assert.ok(first.view.state === 'offered');
  const held = await ada.confirm(first.ticket, first.view.token);
  assert.equal(held.view.state, 'held');
  const second = await bob.lock('a');
  assert.equal(second.view.state, 'waiting');
  assert.deepEqual(bob.messages, []);
  await ada.call('release', { requestId: newId(), target: 'a', key: '0' });
  await bob.event(isTicket(second.ticket, 'offered'));
});

test('a submit whose commit is refused leaves no ticket with its channel', { timeout: 20_000 }, async (t) => {
  const { lab, store } = await startLab(t);
  const [ada, bob] = [new TestClient(lab, 'ada'), new TestClient(lab, 'bob')];
  store.outcomes.push('refused');
  await assert.rejects(ada.lock('a'), { code: 'TRY_AGAIN' });
  assert.equal(ada.session.tickets.size, 0);
  // The number of the ticket that was not is given to somebody else.
  const { ticket } = await bob.lock('a');
  assert.equal(lab.sessions.ownerOf(ticket), bob.session);
});

test('a confirm whose commit is refused keeps the ticket with its channel', {
  timeout: 20_000,
}, async (t) => {
  const { lab, store } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const { ticket, view } = await ada.lock('a');
  assert.ok(view.state === 'offered');
  store.outcomes.push('refused');
  await assert.rejects(ada.confirm(ticket, view.token), { code: 'TRY_AGAIN' });
  assert.equal(lab.sessions.ownerOf(ticket), ada.session);
  assert.equal((await ada.confirm(ticket, view.token)).view.state, 'held');
  assert.equal(lab.sessions.ownerOf(ticket), undefined);
});

test('a channel that closes while its submit is committed ends the ticket; one that closes alive parks it', {
  timeout: 20_000,
}, async (t) => {
  const { lab, store } = await startLab(t);
  for (const isGone of [true, false]) {
    const client = new TestClient(lab, 'ada');
    client.isGone = isGone;
    store.holds = true;
    const submitted = client.lock('p', { key: String(isGone) });
    await store.arrival();
    client.close();
    store.holds = false;
    store.releaseNext();
    const { ticket } = await submitted;
    await lab.core.run({ name: 'tick', body: {} });
    const state = await lab.core.read((all) => all.tickets.get(ticket));
    if (isGone) assert.equal(state, undefined);
    else assert.ok(state?.graceUntil !== undefined);
  }
});

test('a ticket follows its client to another channel, and the end of the old one does not touch it', {
  timeout: 20_000,
}, async (t) => {
  const { lab, store } = await startLab(t);
  const [ada, bob] = [new TestClient(lab, 'ada'), new TestClient(lab, 'bob')];
  const held = await bob.lock('a');
  assert.ok(held.view.state === 'offered');
  await bob.confirm(held.ticket, held.view.token);
  const { ticket } = await ada.lock('a');
  const again = new TestClient(lab, 'ada');
  await lab.core.run({ name: 'detach', body: { ticket, gone: false } });
  store.holds = true;
  const attaching = again.call('attach', { ticket });
  await store.arrival();
  ada.isGone = true;
  ada.close();
  store.holds = false;
  store.releaseNext();
  assert.equal((await attaching).view.state, 'waiting');
  await lab.core.run({ name: 'tick', body: {} });
  assert.equal(await lab.core.read((state) => state.tickets.get(ticket)?.state), 'waiting');
  await assert.rejects(bob.call('attach', { ticket }), { code: 'NOT_ALLOWED' });
});

test('a second client that follows a job and leaves takes it from nobody: the first one hears of its end', {
  timeout: 20_000,
}, async (t) => {
  const { lab } = await startLab(t);
  const [first, second] = [new TestClient(lab, 'ada'), new TestClient(lab, 'ada')];
  const job = await first.run('a');
  await second.call('attach', { ticket: job });
  second.isGone = true;
  second.close();
  await lab.core.run({ name: 'tick', body: {} });
  const record = await lab.core.read((state) => state.jobs.get(job));
  assert.ok(record && record.graceUntil === undefined, 'it has its client still');
  await first.call('cancel', { requestId: 'over', id: job });
  await first.event(isJob(job, 'ended'));
});

test('what is offered goes to the client that came last, and to the one before where that has left', {
  timeout: 20_000,
}, async (t) => {
  const { lab } = await startLab(t);
  const [bob, first, second] = [
    new TestClient(lab, 'bob'),
    new TestClient(lab, 'ada'),
    new TestClient(lab, 'ada'),
  ];
  const held = await bob.lock('a');
  assert.ok(held.view.state === 'offered');
  await bob.confirm(held.ticket, held.view.token);
  const { ticket } = await first.lock('a');
  await second.call('attach', { ticket });
  await bob.call('release', { requestId: 'over', target: 'a', key: '0' });
  const isOffer = isTicket(ticket, 'offered');
  await second.event(isOffer);
  assert.ok(!first.messages.some(isOffer));
  second.close();
  await first.event(isOffer);
});

test('a client that misses a ping and answers late keeps its job', { timeout: 30_000 }, async (t) => {
  const { lab } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const job = await ada.run('a');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nonce = 0;
  ada.send = (message) => {
    if ('event' in message && message.event === 'ping') nonce = message.nonce;
  };
  lab.sessions.ping(job);
  t.mock.timers.tick(5_000);
  t.mock.timers.reset();
  await lab.core.run({ name: 'tick', body: {} });
  assert.ok((await lab.core.read((state) => state.jobs.get(job)?.graceUntil)) !== undefined);
  lab.sessions.pong(ada.session, nonce + 1);
  lab.sessions.pong(ada.session, nonce);
  await lab.core.run({ name: 'tick', body: {} });
  assert.equal(await lab.core.read((state) => state.jobs.get(job)?.graceUntil), undefined);
});

test('a job runs, its match is told before the bytes behind it, and its console ends whole', {
  timeout: 20_000,
}, async (t) => {
  const { lab, agent, store } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const job = await ada.run('a');
  await ada.event(isJob(job, 'running'));
  await ada.call('console', { job });
  agent.say(job, 'hello, all is well');
  while ((ada.bytes.get(job)?.length ?? 0) < 18) await new Promise((resolve) => setImmediate(resolve));
  ada.order.length = 0;
  // A commit under way holds up the look at the job, and must hold up the bytes too.
  store.holds = true;
  const other = new TestClient(lab, 'bob').lock('b');
  await store.arrival();
  agent.match(job);
  agent.say(job, ' and more');
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  store.holds = false;
  store.releaseNext();
  await other;
  agent.end(job);
  await ada.event(isEvent('console-end'));
  assert.equal(ada.order[0], 'job');
  assert.equal(ada.bytes.get(job)?.toString(), 'hello, all is well and more');
  const ended = await ada.event(isJob(job, 'ended'));
  assert.equal((ended as { job: { matchEnd?: number } }).job.matchEnd, 18);
});

test('a cancel right behind the start does not overtake it', { timeout: 20_000 }, async (t) => {
  const { lab, agent } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const job = await ada.run('a');
  await ada.call('cancel', { requestId: newId(), id: job });
  await ada.event(isJob(job, 'ended'));
  const said = agent.heard.map((one) => one.type).filter((type) => type === 'start' || type === 'cancel');
  assert.deepEqual(said, ['start', 'cancel']);
});

test('a console that can not be opened is said in the log, and neither the job nor the server ends', {
  timeout: 20_000,
}, async (t) => {
  const { lab, agent, logger } = await startLab(t, { consoleFolder: '/dev/null/consoles' });
  const ada = new TestClient(lab, 'ada');
  const job = await ada.run('a');
  await ada.event(isJob(job, 'running'));
  const connections = agent.connections;
  agent.say(job, 'lost on the way, kept by the agent');
  while (agent.connections === connections) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(logger.lines.some((line) => line.message === 'a console can not be opened'));
  assert.ok(await lab.core.read((state) => state.jobs.has(job)));
});

test('a cancel that is repeated is answered as the first time, also when the job is over', {
  timeout: 20_000,
}, async (t) => {
  const { lab } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const job = await ada.run('a');
  const body = { requestId: newId(), id: job };
  assert.deepEqual(await ada.call('cancel', body), { cancelled: [job] });
  await ada.event(isJob(job, 'ended'));
  assert.deepEqual(await ada.call('cancel', body, true), { cancelled: [job] });
  await assert.rejects(ada.call('cancel', { requestId: newId(), id: job }), { code: 'UNKNOWN_TICKET' });
});

test('bytes that the agent lost are a gap in the console, and the result still comes', {
  timeout: 20_000,
}, async (t) => {
  const { lab, agent } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const job = await ada.run('a');
  await ada.event(isJob(job, 'running'));
  agent.cut();
  agent.say(job, 'x'.repeat(5_000));
  const known = agent.jobs.get(job);
  assert.ok(known);
  known.lostBefore = 4_000;
  agent.end(job);
  await ada.event(isJob(job, 'ended'));
  await ada.call('console', { job });
  const gap = await ada.event(isEvent('console-gap'));
  assert.deepEqual(gap, { event: 'console-gap', job, offset: 0, length: 4_000 });
  await ada.event(isEvent('console-end'));
  assert.equal(ada.bytes.get(job)?.length, 5_000);
});

test('a link cut after any frame loses and doubles no byte and no result', { timeout: 60_000 }, async (t) => {
  const { lab, agent } = await startLab(t);
  for (let frames = 1; frames <= 16; frames += 1) {
    const ada = new TestClient(lab, 'ada');
    const text = `round ${frames}: ${'0123456789'.repeat(3)} end`;
    agent.onStart = (job) => {
      agent.onStart = () => {};
      agent.say(job, text);
      agent.match(job);
      agent.end(job);
    };
    agent.framesLeft = frames;
    const job = await ada.run('p');
    await ada.event(isJob(job, 'ended'));
    await ada.call('console', { job });
    await ada.event(isEvent('console-end'));
    assert.equal(ada.bytes.get(job)?.toString(), text);
    assert.ok(!ada.order.some((one) => one.startsWith('hole')));
    const stored = await lab.store.findJob(job);
    assert.equal(stored?.result?.verdict, 'completed', `after ${frames} frames`);
    await agent.until(() => agent.forgotten.includes(job));
    ada.close();
  }
});

test('a job that its agent no longer knows ends as a lab fault, and who follows its console comes to the end', {
  timeout: 20_000,
}, async (t) => {
  const { lab, agent } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const job = await ada.run('a');
  await ada.event(isJob(job, 'running'));
  await ada.call('console', { job });
  agent.jobs.clear();
  agent.cut();
  const ended = await ada.event(isJob(job, 'ended'));
  assert.equal((ended as { job: { verdict?: string } }).job.verdict, 'lab-fault');
  await ada.event(isEvent('console-end'));
});

test('a job that only its agent still knows is stopped and forgotten, and one that both know goes on', {
  timeout: 20_000,
}, async (t) => {
  const { lab, agent } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const job = await ada.run('a');
  await ada.event(isJob(job, 'running'));
  const known = agent.jobs.get(job);
  assert.ok(known);
  agent.jobs.set(9999, { ...known, board: 'b', token: '1.9999' });
  agent.cut();
  await agent.until(() => agent.heardOf('cancel').some((message) => message.job === 9999));
  agent.end(9999, 'cancelled');
  await agent.until(() => agent.forgotten.includes(9999));
  assert.ok(!agent.heardOf('cancel').some((message) => message.job === job));
  ada.close();
});

test('that the agent is away is told until it is stored, and then its boards are not free', {
  timeout: 20_000,
}, async (t) => {
  const { agent, store, logger } = await startLab(t);
  store.outcomes.push('refused', 'refused');
  const connect = agent.connections;
  agent.cut();
  await agent.until(
    () => agent.connections > connect && agent.heardOf('welcome').length === agent.connections,
  );
  assert.ok(logger.lines.some((line) => line.message === 'that the agent is away was not stored'));
  assert.ok(
    store.batches.some((batch) =>
      batch.changes.some(
        (change) => change.entity === 'board' && (change.after as { agent?: string })?.agent === 'away',
      ),
    ),
  );
});

test('a detached run that waits is started by the server when its board comes free', {
  timeout: 20_000,
}, async (t) => {
  const { lab, agent } = await startLab(t);
  const [ada, bob] = [new TestClient(lab, 'ada'), new TestClient(lab, 'bob')];
  const held = await ada.lock('a');
  assert.ok(held.view.state === 'offered');
  await ada.confirm(held.ticket, held.view.token);
  const spec = {
    kind: 'image' as const,
    files: [],
    linux: false,
    endText: '',
    errorText: '',
    timeoutSeconds: -1,
    keepOn: false,
    detached: true,
  };
  const job = await bob.run('a', { job: spec });
  bob.isGone = true;
  bob.close();
  await ada.call('release', { requestId: newId(), target: 'a', key: '0' });
  await agent.until(() => agent.heardOf('start').some((one) => one.job === job));
});

test('images: wrong sums, doubled and broken uploads leave nothing; the right one is there', {
  timeout: 20_000,
}, async (t) => {
  const { lab } = await startLab(t);
  const bytes = Buffer.from('an image');
  const hash = createHash('sha256').update(bytes).digest('hex');
  const wrong = await lab.images.upload({ hash: '0'.repeat(64), size: bytes.length });
  await wrong.write(0, bytes);
  await assert.rejects(wrong.finish(), { code: 'IMAGE_MISMATCH' });
  const short = await lab.images.upload({ hash, size: bytes.length });
  await short.write(0, bytes.subarray(0, 3));
  assert.throws(() => short.write(0, bytes.subarray(0, 3)), { code: 'IMAGE_MISMATCH' });
  await short.abort();
  assert.deepEqual(await lab.images.missing([hash]), [hash]);
  await assert.rejects(lab.images.upload({ hash, size: 100_001 }), { code: 'TOO_LARGE' });
  const both = await Promise.all([1, 2].map(() => lab.images.upload({ hash, size: bytes.length })));
  await Promise.all(both.map((upload) => upload.write(0, bytes).then(() => upload.finish())));
  assert.deepEqual(await lab.images.missing([hash]), []);
});

test('the clock goes on from the last commit, ignores jumps while running, and asks beyond a day', {
  timeout: 20_000,
}, async (t) => {
  const source = { ms: 10, wall: 5_000_000 };
  const clock = new SchedulerClock({ nowMs: () => source.ms, wallMs: () => source.wall }, 9_000_000);
  assert.equal(clock.now(), 9_000_000);
  source.wall += 10 ** 9;
  source.ms += 250;
  assert.equal(clock.now(), 9_000_250);
  assert.equal(clock.until(9_001_000), 750);
  assert.equal(clock.until(1), 0);
  const later = new SchedulerClock({ nowMs: () => 0, wallMs: () => 10_000_000 }, 9_000_000);
  assert.equal(later.now(), 10_000_000);
  const { lab, restart } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const { ticket, view } = await ada.lock('a', { holdSeconds: 3_600 });
  assert.ok(view.state === 'offered');
  await ada.confirm(ticket, view.token);
  const realNow = Date.now;
  t.mock.method(Date, 'now', () => realNow() + 30 * 3_600_000);
  await assert.rejects(
    restart(),
    (error) => error instanceof ClockError && /--accept-clock/.test(error.message),
  );
});
