// The checks themselves: each finds the breach that it is there for. A state is damaged behind the scheduler's back.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Change, Entities, EntityName } from '../../src/domain/records.ts';
import { Checker } from '../../src/testing/simulation/checker.ts';
import { checkInvariants } from '../../src/testing/simulation/invariants.ts';
import { Lab } from './lab.ts';

/** Writes a record as no command would. */
function damage<E extends EntityName>(
  lab: Lab,
  entity: E,
  key: string,
  after: Entities[E] | undefined,
  before?: Entities[E],
): void {
  lab.state.apply({ entity, key, before, after } as Change);
}

function finds(lab: Lab, what: RegExp): void {
  const problems = checkInvariants(lab.state);
  assert.ok(
    problems.some((problem) => what.test(problem)),
    `${what} in ${problems.join('\n')}`,
  );
}

describe('checkInvariants', () => {
  test('finds nothing in a lab that was only asked', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b1');
    lab.run('bob', 'p');
    lab.ask('cyd', 'p');
    assert.deepEqual(checkInvariants(lab.state), []);
  });

  test('finds a ticket that waits beside a free board', () => {
    const lab = new Lab();
    const lock = lab.take('ana', 'b1');
    lab.ask('bob', 'b1');
    damage(lab, 'lock', 'b1', undefined, lock);
    finds(lab, /ticket 3 waits while b1 is free/);
  });

  test('finds a ticket that waits for the slot of an idle lock', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const ticket = lab.ticket(lab.ask('ana', 'b1', { kind: 'slot' }));
    const { offer: _offer, ...rest } = ticket;
    const { slotTicket: _slot, ...lock } = lab.lock('b1');
    damage(lab, 'ticket', String(ticket.id), { ...rest, state: 'waiting' }, ticket);
    damage(lab, 'lock', 'b1', lock, lab.lock('b1'));
    finds(lab, /waits for a job slot while b1 is idle/);
  });

  test('finds a lock whose file is not as it may be', () => {
    const breaches = [
      [{ state: 'held', file: 'making' }, /is held before its file is made/],
      [{ file: 'gone' }, /outlives its file/],
      [{ file: 'there' }, /has a lock file that is there/],
      [{ origin: 'file', file: 'there' }, /is half from a file/],
      [{ origin: 'file', fileId: '1', file: 'leaving' }, /lets its file go too early/],
    ] as const;
    for (const [change, what] of breaches) {
      const lab = new Lab({ lockFiles: '/locks' });
      lab.ask('ana', 'b1');
      damage(lab, 'lock', 'b1', { ...lab.lock('b1'), ...change }, lab.lock('b1'));
      finds(lab, what);
    }
    const without = new Lab();
    const lock = without.take('ana', 'b1');
    damage(without, 'lock', 'b1', { ...lock, file: 'made' }, lock);
    finds(without, /has a lock file in a lab that has none/);
  });

  test('finds a granted lock without its ticket, and an offer without its lock', () => {
    const lab = new Lab();
    const ticket = lab.ticket(lab.ask('ana', 'b1'));
    damage(lab, 'ticket', String(ticket.id), undefined, ticket);
    finds(lab, /is granted and its ticket/);
    const other = new Lab();
    other.ask('ana', 'b1');
    damage(other, 'lock', 'b1', undefined, other.lock('b1'));
    finds(other, /was offered b1, which is not kept for it/);
  });

  test('finds a second job on a board, and a job without its lock', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    damage(lab, 'job', '77', { ...job, id: 77 });
    finds(lab, /job 77 runs on b1 without its lock/);
  });

  test('finds a board that was granted while it may be on', () => {
    const lab = new Lab();
    lab.ask('ana', 'b1');
    const board = lab.state.boards.get('b1');
    if (board) damage(lab, 'board', 'b1', { ...board, mayBeOn: true }, board);
    finds(lab, /b1 was granted while it may be on/);
  });

  test('finds numbers that were never drawn', () => {
    const lab = new Lab();
    const lock = lab.take('ana', 'b1');
    const token = { generation: 9, number: 9 };
    damage(lab, 'lock', 'b1', { ...lock, token, lastToken: token }, lock);
    finds(lab, /a token is above the last one drawn/);
  });

  test('finds an index that is not what the records say', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    lab.ask('bob', 'b1', { waitSeconds: 10 });
    lab.state.timers.delete('t:3');
    finds(lab, /index timers/);
    lab.state.ticketsByUser.clear();
    finds(lab, /index ticketsByUser/);
    lab.state.heldBy.clear();
    finds(lab, /index heldBy/);
    lab.state.getSet('b:b1').noteBoard('b1', { state: 'free', isSuspect: false, since: 0 });
    finds(lab, /index set b:b1/);
  });

  test('finds a turn and a queue that nobody needs', () => {
    const lab = new Lab({ boards: ['b1', 'b2'] });
    damage(lab, 'turn', 'b:b1\u0000ana', { queue: 'b:b1', set: 'ana', number: 1 });
    damage(lab, 'queue', 'q:1', { id: 'q:1', boards: ['b1', 'b2'] });
    finds(lab, /the turn of ana in b:b1 is kept for nobody/);
    finds(lab, /queue q:1 is kept for nobody/);
  });
});

describe('the checker of steps', () => {
  const nothing = { audit: [], effects: [], reply: undefined };
  const tick = { name: 'tick', body: {} };

  test('finds a ticket that ends twice', () => {
    const lab = new Lab();
    const ticket = lab.ticket(lab.ask('ana', 'b1'));
    const ended = { ...ticket, state: 'ended', outcome: { kind: 'timed-out' } } as const;
    const change = { entity: 'ticket', key: String(ticket.id), before: ticket, after: ended } as Change;
    const checker = new Checker();
    for (const first of lab.checker.mirror.load()) checker.mirror.take(first);
    checker.take(tick, { ...nothing, changes: [change] }, 0);
    const problems = checker.take(tick, { ...nothing, changes: [change] }, 0);
    assert.ok(
      problems.some((problem) => problem.includes('has ended before')),
      problems.join('\n'),
    );
  });

  test('finds a token that falls, and a record that was changed behind its back', () => {
    const lab = new Lab();
    const { meta } = lab.state;
    const lower = { ...meta, token: { generation: 0, number: 1 } };
    const fall = { entity: 'meta', key: '', before: meta, after: lower } as Change;
    const problems = lab.checker.take(tick, { ...nothing, changes: [fall, fall] }, 0);
    assert.ok(
      problems.some((problem) => problem.includes('the token fell')),
      problems.join('\n'),
    );
    assert.ok(
      problems.some((problem) => problem.includes('does not begin where')),
      problems.join('\n'),
    );
  });

  test('finds a grant out of order', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    lab.ask('bob', 'b1');
    const late = lab.ticket(lab.ask('cyd', 'b1'));
    const free = { entity: 'lock', key: 'b1', before: lab.lock('b1'), after: undefined } as Change;
    const lock = { ...lab.lock('b1'), state: 'granted', user: 'cyd', ticket: late.id };
    const granted = { entity: 'lock', key: 'b1', before: undefined, after: lock } as Change;
    const problems = lab.checker.take(tick, { ...nothing, changes: [free, granted] }, 0);
    assert.ok(
      problems.some((problem) => problem.includes('is next in line')),
      problems.join('\n'),
    );
  });
});
