// Tickets for several boards: all together or none, and a matching over pools that overlap.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { countMatched } from '../../src/testing/simulation/several-needs.ts';
import { Lab } from './lab.ts';
import { askAll, offeredAll, three, ticketOf } from './several-lab.ts';

describe('several boards at once', () => {
  test('are offered, confirmed and held in one step each, under one ticket', () => {
    const lab = new Lab(three);
    const ticket = ticketOf(askAll(lab, 'ana', 'p*2 b1'));
    assert.deepEqual(offeredAll(lab, ticket).sort(), ['b1', 'b2', 'b3']);
    const reply = lab.confirm(ticket);
    assert.equal(reply.kind, 'held');
    assert.deepEqual(
      ['b1', 'b2', 'b3'].map((board) => [lab.stateOf(board), lab.lock(board).ticket]),
      ['b1', 'b2', 'b3'].map(() => ['held', ticket]),
    );
  });

  test('go where all of them can be had, though the first choice of one would be the other’s only one', () => {
    const lab = new Lab(three);
    lab.take('bob', 'b3');
    assert.deepEqual(offeredAll(lab, ticketOf(askAll(lab, 'ana', 'p one'))), ['b2', 'b1']);
  });

  test('are none as long as one is missing', () => {
    const lab = new Lab(three);
    lab.take('bob', 'b3');
    const ticket = ticketOf(askAll(lab, 'ana', 'p*3'));
    assert.deepEqual([lab.fate(ticket), lab.stateOf('b1'), lab.stateOf('b2')], ['waiting', 'free', 'free']);
    lab.release('bob', 'b3');
    assert.deepEqual(offeredAll(lab, ticket), ['b1', 'b2', 'b3']);
  });

  test('go back together when nobody confirms', () => {
    const lab = new Lab(three);
    const ticket = ticketOf(askAll(lab, 'ana', 'p*3'));
    lab.pass(3);
    assert.deepEqual([lab.fate(ticket), lab.stateOf('b1'), lab.stateOf('b3')], ['parked', 'free', 'free']);
  });

  test('go back together when one of them is taken away by force before the confirm', () => {
    const lab = new Lab(three);
    const ticket = ticketOf(askAll(lab, 'ana', 'p*3'));
    lab.release('bob', 'b2', { force: true });
    assert.deepEqual([lab.fate(ticket), lab.stateOf('b1'), lab.stateOf('b3')], ['withdrawn', 'free', 'free']);
  });

  test('are released by name, and all at once by a withdraw', () => {
    const lab = new Lab(three);
    const ticket = ticketOf(askAll(lab, 'ana', 'p*3'));
    lab.confirm(ticket);
    assert.deepEqual(lab.release('ana', 'b2'), ['released']);
    assert.deepEqual([lab.stateOf('b1'), lab.stateOf('b2'), lab.stateOf('b3')], ['held', 'free', 'held']);
    lab.send('withdraw', { caller: { user: 'ana', admin: false }, ticket, why: 'client' });
    assert.deepEqual([lab.stateOf('b1'), lab.stateOf('b3')], ['free', 'free']);
  });

  test('are refused where the lab can never have them all', () => {
    const lab = new Lab(three);
    for (const text of ['p*4', 'q*2 one', 'b1 b1']) {
      const reply = askAll(lab, 'ana', text);
      assert.equal(reply.kind === 'refused' && reply.why.kind, 'no-board', text);
    }
  });

  test('are refused where the asker has one that is named, under the same key', () => {
    const lab = new Lab(three);
    lab.take('ana', 'b1');
    const reply = askAll(lab, 'ana', 'b1 b2');
    assert.equal(reply.kind === 'refused' && reply.why.kind, 'already-yours');
    assert.equal(askAll(lab, 'ana', 'b1 b2', { key: 'other' }).kind, 'waiting');
  });

  test('now or never: nothing stays kept', () => {
    const lab = new Lab(three);
    lab.take('bob', 'b3');
    assert.equal(askAll(lab, 'ana', 'p*3', { waitSeconds: 0 }).kind, 'refused');
    assert.equal(lab.take('cyd', 'b1').board, 'b1');
  });

  test('more than the lab allows for one ticket are refused', () => {
    const lab = new Lab({ ...three, limits: { boardsPerTicket: 2 } });
    const reply = askAll(lab, 'ana', 'p*3');
    assert.deepEqual(reply.kind === 'refused' && reply.why, {
      kind: 'limit',
      limit: 'boardsPerTicket',
      value: 2,
    });
    assert.equal(askAll(lab, 'ana', 'p*2').kind, 'offered');
  });
});

test('one ticket makes no more queues of a board than the lab allows', () => {
  const lab = new Lab({ boards: ['b1', 'b2', 'b3', 'b4'], limits: { adHocQueuesPerBoard: 1 } });
  const reply = askAll(lab, 'ana', 'b1,b2 b1,b3');
  assert.deepEqual(reply.kind === 'refused' && reply.why, {
    kind: 'limit',
    limit: 'adHocQueuesPerBoard',
    value: 1,
  });
  assert.equal(
    askAll(lab, 'ana', 'b1,b2 b2,b1').kind,
    'offered',
    'the same boards in another order are one queue',
  );
});

test('what is refused as never to be had is just what a search of all ways can not find', () => {
  const pool = fc.uniqueArray(fc.constantFrom('b1', 'b2', 'b3', 'b4', 'b5'), { minLength: 1 });
  const need = fc.record({ boards: pool, count: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(fc.array(need, { minLength: 1, maxLength: 3 }), (needs) => {
      const pools = Object.fromEntries(needs.map(({ boards }, at) => [`p${at}`, boards]));
      const lab = new Lab({ boards: ['b1', 'b2', 'b3', 'b4', 'b5'], pools, limits: { boardsPerTicket: 9 } });
      const all = needs.reduce((sum, { count }) => sum + count, 0);
      const reply = askAll(lab, 'ana', needs.map(({ count }, at) => `p${at}*${count}`).join(' '));
      const canHave =
        countMatched(
          needs,
          lab.state.lab.boards.map(({ name }) => name),
        ) === all;
      assert.equal(reply.kind === 'refused', !canHave);
    }),
    { numRuns: 60 },
  );
});
