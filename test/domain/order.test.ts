// locking.md "Order": classes, turns of sets, first come first served, equal sets, and which board a ticket gets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fault, Lab } from './lab.ts';

/** Releases the board as often as there are tickets, and tells in which order these were served. */
function served(lab: Lab, board: string, tickets: readonly number[]): number[] {
  const order: number[] = [];
  for (const _ of tickets) {
    const { user, key } = lab.lock(board);
    lab.release(user, board, { key });
    const next = lab.whoIsNext(...tickets);
    if (next === undefined) break;
    lab.confirm(next);
    order.push(next);
  }
  return order;
}

describe('classes', () => {
  test('a higher class is served first, whenever it came', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const low = lab.ask('bob', 'b1', { priority: 2 });
    const normal = lab.ask('cyd', 'b1');
    const high = lab.ask('dee', 'b1', { priority: 0 });
    assert.deepEqual(served(lab, 'b1', [low, normal, high]), [high, normal, low]);
  });

  test('within a class the first to come is served first', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const first = lab.ask('bob', 'b1', { priority: 0 });
    const second = lab.ask('cyd', 'b1', { priority: 0 });
    assert.deepEqual(served(lab, 'b1', [first, second]), [first, second]);
  });

  test('a higher class comes first between the queues of a board too', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const early = lab.ask('bob', 'b1');
    const high = lab.ask('cyd', 'p', { priority: 0 });
    assert.deepEqual(served(lab, 'b1', [early, high]), [high, early]);
  });
});

describe('turns', () => {
  test('two sets that queue many tickets are served alternately', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const run1 = [1, 2, 3].map((n) => lab.ask('bob', 'b1', { key: `a${n}`, set: 'bob/1' }));
    const run2 = [1, 2, 3].map((n) => lab.ask('bob', 'b1', { key: `b${n}`, set: 'bob/2' }));
    const expected = [run1[0], run2[0], run1[1], run2[1], run1[2], run2[2]];
    assert.deepEqual(served(lab, 'b1', [...run1, ...run2]), expected);
  });

  test('under fifo they are served as they came', () => {
    const lab = new Lab({ discipline: 'fifo' });
    lab.take('ana', 'b1');
    const run1 = [1, 2, 3].map((n) => lab.ask('bob', 'b1', { key: `a${n}`, set: 'bob/1' }));
    const run2 = [1, 2, 3].map((n) => lab.ask('bob', 'b1', { key: `b${n}`, set: 'bob/2' }));
    assert.deepEqual(served(lab, 'b1', [...run1, ...run2]), [...run1, ...run2]);
  });

  test('a set that has just been served comes after a set that was waiting', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [a1, a2] = [lab.ask('bob', 'b1', { key: '1' }), lab.ask('bob', 'b1', { key: '2' })];
    const c = lab.ask('cyd', 'b1');
    assert.deepEqual(served(lab, 'b1', [a1, a2, c]), [a1, c, a2]);
  });

  test('but before a set that came after that grant', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [a1, a2] = [lab.ask('bob', 'b1', { key: '1' }), lab.ask('bob', 'b1', { key: '2' })];
    assert.deepEqual(served(lab, 'b1', [a1]), [a1]);
    const late = lab.ask('cyd', 'b1');
    assert.deepEqual(served(lab, 'b1', [a2, late]), [a2, late]);
  });

  test('the turn is of a queue: a grant in another queue costs nothing', () => {
    const lab = new Lab({ boards: ['b1', 'b2'] });
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const other = lab.ask('bob', 'b2', { key: 'other' });
    const mine = lab.ask('bob', 'b1', { key: 'mine' });
    const late = lab.ask('cyd', 'b1');
    assert.deepEqual(served(lab, 'b2', [other]), [other]);
    assert.deepEqual(served(lab, 'b1', [mine, late]), [mine, late]);
  });

  test('a withdrawal shifts nobody', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [a1, a2] = [lab.ask('bob', 'b1', { key: '1' }), lab.ask('bob', 'b1', { key: '2' })];
    const c = lab.ask('cyd', 'b1');
    lab.send('withdraw', { caller: { user: 'bob', admin: false }, ticket: a1, why: 'client' });
    assert.deepEqual(served(lab, 'b1', [a2, c]), [a2, c]);
  });

  test('idle time earns no credit: a newcomer comes after every set that was waiting', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [b1, b2] = [lab.ask('bob', 'b1', { key: '1' }), lab.ask('bob', 'b1', { key: '2' })];
    const [c1, c2] = [lab.ask('cyd', 'b1', { key: '1' }), lab.ask('cyd', 'b1', { key: '2' })];
    assert.deepEqual(served(lab, 'b1', [b1]), [b1]);
    lab.pass(3_600);
    const newcomer = lab.ask('dee', 'b1');
    assert.deepEqual(served(lab, 'b1', [b2, c1, c2, newcomer]), [c1, b2, newcomer, c2]);
  });

  test('a grant that was taken back costs no turn', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const [a1, a2, a3] = ['1', '2', '3'].map((key) => lab.ask('bob', 'p', { key })) as [
      number,
      number,
      number,
    ];
    const c = lab.ask('cyd', 'p');
    // Both boards come free, a1 and c are offered them; nobody confirms, a1's board goes to a2 in that step.
    lab.release('ana', ['b1', 'b2']);
    assert.deepEqual([lab.offered(a1), lab.offered(c)], ['b1', 'b2']);
    lab.confirm(c);
    lab.pass(3);
    assert.equal(lab.fate(a1), 'parked');
    assert.equal(lab.offered(a2), 'b1');
    lab.send('alive', { ticket: a1 });
    lab.pass(3);
    assert.equal(lab.fate(a2), 'parked');
    // Neither grant stood, so the set is where it was: its first ticket is at its own arrival again.
    assert.equal(lab.offered(a1), 'b1');
    assert.equal(lab.state.turnOf(lab.ticket(a3).queue, 'bob', a3), lab.ticket(a1).offer?.grantNumber);
  });

  test('several grants of a set, taken back one after the other, leave its turn as before all of them', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b2');
    const [x1, x2, x3] = ['1', '2', '3'].map((key) => lab.ask('bob', 'p', { key })) as [
      number,
      number,
      number,
    ];
    lab.pass(1);
    lab.release('ana', 'b2');
    assert.deepEqual([lab.offered(x1), lab.offered(x2)], ['b1', 'b2']);
    lab.pass(2);
    assert.equal(lab.offered(x3), 'b1');
    lab.pass(1);
    lab.pass(2);
    for (const ticket of [x1, x2, x3]) assert.equal(lab.fate(ticket), 'parked');
    assert.equal(lab.state.turnOf('p:p', 'bob', x1), x1);
  });
});

describe('queues of equal sets', () => {
  test('lists of the same boards in another order wait in one queue', () => {
    const lab = new Lab({ boards: ['b1', 'b2'] });
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const [one, two] = [lab.ask('bob', 'b1,b2'), lab.ask('cyd', 'b2,b1')];
    assert.equal(lab.ticket(one).queue, lab.ticket(two).queue);
    assert.equal(lab.state.queues.size, 1);
  });

  test('a list that is a pool waits in the pool', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    assert.equal(lab.ticket(lab.ask('bob', 'b2,b1')).queue, lab.ticket(lab.ask('cyd', 'p')).queue);
    assert.equal(lab.state.queues.size, 0);
  });

  test('other boards have another queue, which goes with its last ticket', () => {
    const lab = new Lab({ boards: ['b1', 'b2', 'b3'] });
    for (const board of ['b1', 'b2', 'b3']) lab.take('ana', board);
    const [one, two] = [lab.ask('bob', 'b1,b2'), lab.ask('cyd', 'b2,b3')];
    assert.notEqual(lab.ticket(one).queue, lab.ticket(two).queue);
    lab.detach(one, true);
    lab.detach(two, true);
    assert.equal(lab.state.queues.size, 0);
  });

  test('a ticket in a pool and one for a board of it are served in the order of arrival', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'], q: ['b2'] } });
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const pool = lab.ask('bob', 'p');
    const board = lab.ask('cyd', 'b2');
    const later = lab.ask('dee', 'p');
    const other = lab.ask('eve', 'q');
    assert.deepEqual(served(lab, 'b2', [pool, board, later, other]), [pool, board, later, other]);
  });

  test('a board in three pools serves whichever came first, and the others wait', () => {
    const pools = { p: ['b1', 'b2'], q: ['b1', 'b3'], r: ['b1', 'b4'] };
    const lab = new Lab({ boards: ['b1', 'b2', 'b3', 'b4'], pools });
    for (const board of ['b1', 'b2', 'b3', 'b4']) lab.take('ana', board);
    const [q, r, p] = [lab.ask('bob', 'q'), lab.ask('cyd', 'r'), lab.ask('dee', 'p')];
    lab.release('ana', 'b1');
    assert.deepEqual([lab.offered(q), lab.fate(r), lab.fate(p)], ['b1', 'waiting', 'waiting']);
  });
});

describe('which board', () => {
  test('of several free boards a ticket gets the first in the order of its own pool', () => {
    const lab = new Lab({ boards: ['b1', 'b2', 'b3'], pools: { p: ['b3', 'b1', 'b2'] } });
    assert.equal(lab.take('ana', 'p').board, 'b3');
    assert.equal(lab.take('bob', 'p').board, 'b1');
  });

  test('an equal pool that lists them the other way gives the other one', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'], q: ['b2', 'b1'] } });
    assert.equal(lab.take('ana', 'q').board, 'b2');
  });

  test('boards that come free together go by the order of the pool, not by that of their coming', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b2', 'b1'] }, present: false });
    const [one, two] = [lab.ask('ana', 'p'), lab.ask('bob', 'p')];
    lab.present(['b1', 'b2']);
    assert.deepEqual([lab.offered(one), lab.offered(two)], ['b2', 'b1']);
  });

  test('and not to whoever stands first at a board that another would take before', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b2', 'b1'] }, present: false });
    const [first, second] = [lab.ask('ana', 'b2'), lab.ask('bob', 'p')];
    lab.present(['b1', 'b2']);
    assert.deepEqual([lab.offered(first), lab.offered(second)], ['b2', 'b1']);
  });

  test('a suspect board comes last', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.endJob(lab.run('ana', 'b1'), fault);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'suspect');
    assert.equal(lab.take('bob', 'p').board, 'b2');
    assert.equal(lab.take('cyd', 'p').board, 'b1');
  });

  test('with spread it is the board that has rested longest', () => {
    const lab = new Lab({ boards: ['b1', 'b2', 'b3'], pools: { 'p*': ['b1', 'b2', 'b3'] } });
    for (const board of ['b2', 'b1', 'b3']) {
      lab.pass(1);
      lab.take('ana', board);
      lab.release('ana', board);
    }
    assert.equal(lab.take('bob', 'p').board, 'b2');
    assert.equal(lab.take('bob', 'p', { key: 'k' }).board, 'b1');
  });

  test('without spread it is the first, however short its rest', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.pass(1);
    lab.take('ana', 'b1');
    lab.release('ana', 'b1');
    assert.equal(lab.take('bob', 'p').board, 'b1');
  });

  test('even with spread a suspect board comes last', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { 'p*': ['b1', 'b2'] } });
    lab.endJob(lab.run('ana', 'b1'), fault);
    lab.pass(1);
    lab.take('ana', 'b2');
    lab.release('ana', 'b2');
    assert.equal(lab.take('bob', 'p').board, 'b2');
  });
});
