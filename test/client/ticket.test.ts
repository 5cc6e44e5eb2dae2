// A ticket from submit to its end: what counts, in which order, and what an abort does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { submitTicket } from '../../src/client/ticket.ts';
import type { TicketView } from '../../src/protocol/views.ts';
import { connectScripted } from './connect-scripted.ts';

const wish = { target: 'b', kind: 'run', key: '0' } as const;
const held: TicketView = {
  state: 'held',
  ticket: 7,
  lock: { board: 'b', token: '1.2', user: 'ana', key: '0', state: 'held', sinceAt: 0 },
};

test('a refused submit rejects with what the server says', async () => {
  const { server, client } = await connectScripted();
  server.refuseWith = { op: 'submit', code: 'ALREADY_YOURS', times: 1 };
  await assert.rejects(submitTicket(client, wish), { code: 'ALREADY_YOURS' });
});

test('an offer is confirmed at once, and only the answer to that settles the ticket', async () => {
  const { server, client } = await connectScripted({ busyUntilMs: 5000 });
  server.silent.add('confirm');
  const views: string[] = [];
  const ticket = await submitTicket(client, wish, { onView: (view) => views.push(view.state) });
  await server.timers.sleep(6000);
  server.push({ event: 'ticket', view: held });
  await client.request('images', { hashes: [] });
  assert.deepEqual(views, ['waiting', 'offered', 'held']);
  assert.equal(await Promise.race([ticket.settled(), Promise.resolve('open')]), 'open');
});

test('an offer that is gone before the confirm came leaves the ticket waiting, until the next one', async () => {
  const { server, client } = await connectScripted();
  const waiting: TicketView = { state: 'waiting', ticket: 7, reasons: [] };
  server.answers.set('confirm', { view: waiting });
  const ticket = await submitTicket(client, wish);
  await client.request('images', { hashes: [] });
  assert.equal(ticket.view.state, 'waiting');
  server.answers.set('confirm', { view: held });
  server.push({ event: 'ticket', view: { state: 'offered', ticket: 7, board: 'b', token: '1.9' } });
  assert.deepEqual(await ticket.settled(), held);
});

test('a ticket that ends settles with the reason, even while its confirm is under way', async () => {
  const { server, client } = await connectScripted();
  server.silent.add('confirm');
  const ticket = await submitTicket(client, wish);
  server.push({ event: 'ticket', view: { state: 'ended', ticket: 7, reason: 'cancelled', text: 'by ana' } });
  assert.deepEqual(await ticket.settled(), {
    state: 'ended',
    ticket: 7,
    reason: 'cancelled',
    text: 'by ana',
  });
});

test('an abort while the submit is under way withdraws the ticket before it rejects', async () => {
  const { server, client } = await connectScripted({ busyUntilMs: 5000 });
  const abort = new AbortController();
  const submitted = submitTicket(client, wish, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(submitted, /enough/);
  assert.deepEqual(server.done, ['submit', 'withdraw']);
});

test('a withdrawn ticket settles as ended', async () => {
  const { client } = await connectScripted({ busyUntilMs: 5000 });
  const ticket = await submitTicket(client, wish);
  await ticket.withdraw();
  const settled = await ticket.settled();
  assert.equal(settled.state === 'ended' && settled.reason, 'withdrawn');
});

test('a lock that was released while the client was away is told as ended, not as held', async () => {
  const { server, client } = await connectScripted({ busyUntilMs: 5000 });
  server.silent.add('confirm');
  const ticket = await submitTicket(client, wish);
  await server.timers.sleep(6000);
  server.silent.delete('confirm');
  server.answers.set('confirm', { view: held });
  server.view = { state: 'ended', ticket: 7, reason: 'released', text: 'ben released it' };
  server.cutNow();
  const settled = await ticket.settled();
  assert.equal(settled.state === 'ended' && settled.text, 'ben released it');
});

const lockOf = (board: string) => ({ ...held.lock, board });
const two: TicketView = { ...held, locks: [lockOf('b'), lockOf('c')] };

/** A client that is cut off between its confirm of two boards and the answer, and what it is told when it is back. */
async function backAfterConfirmOfTwo(view: TicketView) {
  const scripted = await connectScripted({ busyUntilMs: 5000 });
  const { server, client } = scripted;
  server.silent.add('confirm');
  const ticket = await submitTicket(client, wish);
  server.push({
    event: 'ticket',
    view: { state: 'offered', ticket: 7, board: 'b', token: '1.2', boards: ['b', 'c'] },
  });
  await client.request('images', { hashes: [] });
  server.silent.delete('confirm');
  server.answers.set('confirm', { view: two });
  server.view = view;
  server.cutNow();
  return { settled: await ticket.settled(), done: server.done };
}

test('one of several boards that was released while the client was away: it has none, and the others go back', async () => {
  const { settled, done } = await backAfterConfirmOfTwo({ ...two, locks: [lockOf('c')] });
  assert.equal(settled.state === 'ended' && settled.text, 'the lock on b has been released meanwhile');
  assert.deepEqual(done, ['submit', 'withdraw']);
});

test('of several boards that are all there when the client is back it has all', async () => {
  const { settled, done } = await backAfterConfirmOfTwo(two);
  assert.deepEqual(settled.state === 'held' && settled.locks?.map(({ board }) => board), ['b', 'c']);
  assert.deepEqual(done, ['submit']);
});

test('news of the job and of who ended it reach the ticket, and the job ends once', async () => {
  const { server, client } = await connectScripted();
  const heard: string[] = [];
  const ticket = await submitTicket(client, wish, {
    onJob: (job, message) => heard.push(`${job.state}${message ? `: ${message}` : ''}`),
  });
  const job = await ticket.jobEnded();
  server.push({ event: 'job', job: { ...job, state: 'running' }, message: 'late' });
  await client.request('images', { hashes: [] });
  assert.deepEqual(heard, ['running', 'ended']);
  assert.equal(ticket.job?.state, 'ended');
});

test('a server that is lost for good fails what waits', async () => {
  const { server, client } = await connectScripted({ busyUntilMs: 1e9 });
  const ticket = await submitTicket(client, wish);
  server.isDown = true;
  server.cutNow();
  await assert.rejects(ticket.settled(), { code: 'SERVER_UNREACHABLE' });
  await assert.rejects(ticket.jobEnded(), { code: 'SERVER_UNREACHABLE' });
});

test('places are asked for only where they are wanted', async () => {
  for (const places of [true, false]) {
    const { server, client } = await connectScripted({ busyUntilMs: 5000 });
    await submitTicket(client, wish, { places });
    await client.request('images', { hashes: [] });
    assert.equal(server.trace.includes('> attach'), places);
  }
});
