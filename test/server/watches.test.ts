// What is sent again while it changes: places at most once a second, and only when they are new; signs of life.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sessions } from '../../src/server/sessions.ts';
import { newId, startLab, TestClient } from './lab.ts';

test('a place is sent once a second at most, and only when it has changed', {
  timeout: 20_000,
}, async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { lab } = await startLab(t);
  const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((user) => new TestClient(lab, user));
  assert.ok(ada && bob && eve);
  const held = await ada.lock('a');
  assert.ok(held.view.state === 'offered');
  await ada.confirm(held.ticket, held.view.token);
  const first = await bob.lock('a');
  const { ticket } = await eve.lock('a');
  await eve.call('attach', { ticket, places: true });
  const places = () =>
    eve.messages.flatMap((message) =>
      'event' in message && message.event === 'ticket' && message.view.state === 'waiting'
        ? [message.view.place]
        : [],
    );
  const round = async (ms: number) => {
    t.mock.timers.tick(ms);
    await lab.core.read(() => undefined);
  };
  await round(1_000);
  await round(1_000);
  assert.deepEqual(places(), [1]);
  await bob.call('withdraw', { requestId: newId(), ticket: first.ticket });
  await round(999);
  assert.deepEqual(places(), [1]);
  await round(1);
  await round(3_000);
  assert.deepEqual(places(), [1, 0]);
  assert.ok(!bob.order.includes('ticket'), 'who did not ask for places hears of none');
});

test('a status is sent to who watches, at most twice a second and only after a change', {
  timeout: 20_000,
}, async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { lab } = await startLab(t);
  const [ada, bob] = [new TestClient(lab, 'ada'), new TestClient(lab, 'bob')];
  await ada.call('watch-status', {});
  const round = async () => {
    t.mock.timers.tick(500);
    await lab.core.read(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await round();
  const before = ada.order.length;
  await round();
  assert.equal(ada.order.length, before);
  await bob.lock('a');
  await bob.lock('b');
  await round();
  await round();
  assert.equal(ada.order.length, before + 1);
  assert.ok(!bob.order.includes('status'));
});

test('one ping is under way at a time, and a pong counts once, for its own nonce, from the ticket’s owner', () => {
  const told: string[] = [];
  const sessions = new Sessions({
    onDetach: (ticket, gone) => told.push(`detach ${ticket} ${gone}`),
    onAlive: (ticket) => told.push(`alive ${ticket}`),
    onBack: (ticket) => told.push(`back ${ticket}`),
  });
  const pings: number[] = [];
  const open = () =>
    sessions.open({
      caller: { user: 'ada', admin: false },
      send: (message) => {
        if ('event' in message && message.event === 'ping') pings.push(message.nonce);
      },
      sendData: async () => {},
      isPeerGone: () => true,
    });
  const [first, second] = [open(), open()];
  for (const ticket of [1, 2, 3]) sessions.own(first, ticket, { places: false });
  for (const ticket of [1, 2]) sessions.ping(ticket);
  assert.deepEqual(pings, [1]);
  sessions.own(second, 2, { places: false });
  sessions.pong(second, 1);
  sessions.pong(first, 9);
  assert.deepEqual(told, []);
  sessions.pong(first, 1);
  sessions.pong(first, 1);
  assert.deepEqual(told, ['alive 1']);
  sessions.ping(99);
  sessions.close(first);
  sessions.close(first);
  sessions.own(first, 5, { places: false });
  assert.deepEqual(told.slice(1), ['detach 99 false', 'detach 1 true', 'detach 3 true', 'detach 5 true']);
  assert.equal(sessions.ownerOf(2), second);
  sessions.stop();
});
