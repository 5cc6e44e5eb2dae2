// Several boards at once, as clients see it: one submit, one offer, one confirm, and what a ticket says while it waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTicket } from './events.ts';
import { newId, startLab, TestClient } from './lab.ts';

const timeout = 20_000;

test('several boards are offered and confirmed as one, and told with a lock each', { timeout }, async (t) => {
  const { lab } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  const { ticket, view } = await ada.lock('a', { also: [{ target: 'b' }] });
  assert.ok(view.state === 'offered');
  assert.deepEqual(view.boards, ['a', 'b']);
  const held = (await ada.confirm(ticket, view.token)).view;
  assert.ok(held.state === 'held');
  assert.deepEqual(
    held.locks?.map(({ board, state }) => [board, state]),
    [
      ['a', 'held'],
      ['b', 'held'],
    ],
  );
  await ada.call('release', { requestId: newId(), target: 'a', key: '0' });
  const left = (await ada.call('attach', { ticket })).view;
  assert.ok(left.state === 'held');
  assert.deepEqual(
    left.locks?.map(({ board }) => board),
    ['b'],
  );
});

test('who waits for several is told what is kept, and others for whom', { timeout }, async (t) => {
  const { lab } = await startLab(t);
  const [ada, bob] = [new TestClient(lab, 'ada'), new TestClient(lab, 'bob')];
  const first = await bob.lock('b');
  assert.ok(first.view.state === 'offered');
  await bob.confirm(first.ticket, first.view.token);
  const { ticket, view } = await ada.lock('p', { count: 2 });
  assert.equal(view.state, 'waiting');
  const late = await bob.lock('a');
  const status = await bob.call('status', {});
  assert.deepEqual(
    status.pools.map(({ usable, taken }) => [usable, taken]),
    [[2, 2]],
  );
  const board = status.boards.find((one) => one.board === 'a');
  assert.deepEqual([board?.state, board?.waiting], ['kept', 2]);
  const entry = status.queue.find((one) => one.ticket === ticket);
  assert.equal(entry?.target, '2 of p');
  assert.deepEqual(
    entry?.reasons.map(({ kind, board: name }) => [kind, name]),
    [
      ['gathering', undefined],
      ['held', 'b'],
    ],
  );
  const other = status.queue.find((one) => one.ticket === late.ticket);
  assert.deepEqual([other?.place, other?.reasons.at(-1)?.kind], [1, 'kept']);
  await bob.call('release', { requestId: newId(), target: 'b', key: '0' });
  const offer = await ada.event(isTicket(ticket, 'offered'));
  assert.ok('event' in offer && offer.event === 'ticket' && offer.view.state === 'offered');
  assert.deepEqual(offer.view.boards, ['a', 'b']);
});

test('several targets are released in one step, each board once, or none where a name is unknown', {
  timeout,
}, async (t) => {
  const { lab } = await startLab(t);
  const [ada, bob] = [new TestClient(lab, 'ada'), new TestClient(lab, 'bob')];
  const { ticket, view } = await ada.lock('p', { count: 2 });
  assert.ok(view.state === 'offered');
  await ada.confirm(ticket, view.token);
  const wrong = { requestId: newId(), target: 'a', also: ['nosuch'], key: '0' };
  await assert.rejects(ada.call('release', wrong), { code: 'UNKNOWN_TARGET' });
  const late = await bob.lock('p', { count: 2 });
  assert.equal(late.view.state, 'waiting');
  const { version } = lab.core;
  const { outcomes } = await ada.call('release', { requestId: newId(), target: 'a', also: ['p'], key: '0' });
  assert.deepEqual(outcomes, [
    { board: 'a', outcome: 'released', targets: ['a', 'p'] },
    { board: 'b', outcome: 'released', targets: ['p'] },
  ]);
  assert.equal(lab.core.version, version + 1);
  const offer = await bob.event(isTicket(late.ticket, 'offered'));
  assert.ok('view' in offer);
});

test('several boards that are not all free, or yours already, are refused by all of their names', {
  timeout,
}, async (t) => {
  const { lab } = await startLab(t);
  const [ada, bob] = [new TestClient(lab, 'ada'), new TestClient(lab, 'bob')];
  const { ticket, view } = await ada.lock('b');
  assert.ok(view.state === 'offered');
  await ada.confirm(ticket, view.token);
  const now = { code: 'NOT_GRANTED_IN_TIME', message: 'a + b were not all free.' };
  await assert.rejects(bob.lock('a', { also: [{ target: 'b' }], waitSeconds: 0 }), now);
  const two = { code: 'NOT_GRANTED_IN_TIME', message: '2 of p were not all free.' };
  await assert.rejects(bob.lock('p', { count: 2, waitSeconds: 0 }), two);
  const mine = "You already hold b with key '0'. Release it first, or ask with another key.";
  await assert.rejects(ada.lock('a', { also: [{ target: 'b' }] }), { code: 'ALREADY_YOURS', message: mine });
});

test('several boards for a job, or with --reuse, are refused, and more than there are', {
  timeout,
}, async (t) => {
  const { lab } = await startLab(t);
  const ada = new TestClient(lab, 'ada');
  await assert.rejects(ada.run('a', { also: [{ target: 'b' }] }), { code: 'BAD_REQUEST' });
  await assert.rejects(ada.lock('p', { count: 2, reuse: true }), { code: 'BAD_REQUEST' });
  const most = { code: 'NO_BOARD_FITS', message: 'p has 2 boards, and 3 were asked for.' };
  await assert.rejects(ada.lock('p', { count: 3 }), most);
  const none = { code: 'NO_BOARD_FITS', message: 'No board matches arch=arm now.' };
  await assert.rejects(ada.lock('p', { also: [{ target: 'arch=arm' }] }), none);
  const twice = {
    code: 'NO_BOARD_FITS',
    message: 'The lab has too few boards for a + a: none counts twice.',
  };
  await assert.rejects(ada.lock('a', { also: [{ target: 'a' }] }), twice);
  await assert.rejects(ada.lock('p', { also: [{ target: 'nosuch' }] }), { code: 'UNKNOWN_TARGET' });
});
