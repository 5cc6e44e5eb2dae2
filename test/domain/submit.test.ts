// What a request is told at once: refused with the reason, answered with what one has, or put in line.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SubmitReply } from '../../src/domain/commands.ts';
import { Lab } from './lab.ts';

function refusal(reply: SubmitReply): string {
  return reply.kind === 'refused' ? reply.why.kind : reply.kind;
}

describe('a board that you hold', () => {
  test('with the same key you are refused at once', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { key: 'k' });
    const reply = lab.submit('ana', 'b1', { key: 'k' });
    assert.equal(refusal(reply), 'already-yours');
    assert.equal(lab.state.tickets.size, 0);
  });

  test('with another key you wait like anyone', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { key: 'k' });
    assert.equal(lab.submit('ana', 'b1', { key: 'other' }).kind, 'waiting');
  });

  test('another user with the same key waits', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { key: 'k' });
    assert.equal(lab.submit('bob', 'b1', { key: 'k' }).kind, 'waiting');
  });

  test('once you have released it and it is ending, you wait', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    assert.equal(lab.stateOf('b1'), 'ending');
    assert.equal(lab.submit('ana', 'b1').kind, 'waiting');
    assert.equal(lab.job(job.id).state, 'ending');
  });

  test('with reuse you are told the lock you have', () => {
    const lab = new Lab();
    const lock = lab.take('ana', 'b1');
    const reply = lab.submit('ana', 'b1', { reuse: true });
    assert.equal(reply.kind === 'reused' && reply.lock, lab.lock('b1'));
    assert.equal(lab.lock('b1').token, lock.token);
  });

  test('with reuse and another key you wait', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    assert.equal(lab.submit('ana', 'b1', { reuse: true, key: 'other' }).kind, 'waiting');
  });

  test('with reuse of a pool you are told the first of it that you hold', () => {
    const lab = new Lab({ boards: ['b1', 'b2', 'b3'], pools: { p: ['b1', 'b2', 'b3'] } });
    lab.take('ana', 'b2');
    const reply = lab.submit('ana', 'p', { reuse: true });
    assert.equal(reply.kind === 'reused' && reply.lock.board, 'b2');
  });

  test('with reuse a lock that is only offered does not hide one that is confirmed', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b2');
    lab.ask('ana', 'b1');
    const reply = lab.submit('ana', 'p', { reuse: true });
    assert.equal(reply.kind === 'reused' && reply.lock.board, 'b2');
  });
});

describe('a pool of which you hold boards', () => {
  test('passes over the one that you hold with the same key', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b1');
    assert.equal(lab.take('ana', 'p').board, 'b2');
  });

  test('lets you wait when you hold all of them', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    const ticket = lab.ask('ana', 'p');
    assert.equal(lab.fate(ticket), 'waiting');
    lab.release('ana', 'b2');
    assert.equal(lab.offered(ticket), 'b2');
  });

  test('lets you wait although it has one board only', () => {
    const lab = new Lab({ boards: ['b1'], pools: { p: ['b1'] } });
    lab.take('ana', 'b1');
    assert.equal(lab.submit('ana', 'p').kind, 'waiting');
  });
});

describe('a request that no board could ever satisfy', () => {
  test('is refused, saying what does not fit', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    const reply = lab.submit('ana', 'p', { kind: 'run', needs: { fileCount: 3, linux: false, dtb: false } });
    assert.equal(refusal(reply), 'no-board');
    assert.equal(refusal(lab.submit('ana', 'arch=z80')), 'no-board');
  });

  test('is not refused while a board that could is only away, broken or out of service', () => {
    const lab = new Lab({ boards: ['b1'] });
    lab.away('b1');
    assert.equal(lab.submit('ana', 'b1').kind, 'waiting');
  });

  test('passes over the boards that can not take it', () => {
    const boards = ['b1', { name: 'b2', files: { min: 1, max: 2 } }];
    const lab = new Lab({ boards, pools: { p: ['b1', 'b2'] } });
    const needs = { fileCount: 2, linux: false, dtb: false };
    assert.equal(lab.take('ana', 'p', { kind: 'run', needs }).board, 'b2');
    assert.equal(lab.submit('bob', 'p', { kind: 'run', needs }).kind, 'waiting');
    assert.equal(lab.stateOf('b1'), 'free');
  });

  test('knows linux and dtb as well', () => {
    const boards = ['b1', { name: 'b2', takesLinux: true }, { name: 'b3', takesLinux: true, takesDtb: true }];
    const lab = new Lab({ boards, pools: { p: ['b1', 'b2', 'b3'] } });
    const linux = { fileCount: 2, linux: true, dtb: false };
    assert.equal(lab.take('ana', 'p', { kind: 'run', needs: linux }).board, 'b2');
    assert.equal(lab.take('bob', 'p', { kind: 'run', needs: { ...linux, dtb: true } }).board, 'b3');
  });
});

describe('limits', () => {
  test('a user has so many tickets at most', () => {
    const lab = new Lab({ limits: { ticketsPerUser: 2 } });
    lab.take('ana', 'b1');
    lab.ask('bob', 'b1', { key: '1' });
    lab.ask('bob', 'b1', { key: '2' });
    const reply = lab.submit('bob', 'b1', { key: '3' });
    assert.deepEqual(reply.kind === 'refused' && reply.why, {
      kind: 'limit',
      limit: 'ticketsPerUser',
      value: 2,
    });
  });

  test('and may have another when one of them is over; other users are not touched', () => {
    const lab = new Lab({ limits: { ticketsPerUser: 1 } });
    lab.take('ana', 'b1');
    const ticket = lab.ask('bob', 'b1', { key: '1' });
    assert.equal(lab.submit('cyd', 'b1').kind, 'waiting');
    lab.detach(ticket, true);
    assert.equal(lab.submit('bob', 'b1', { key: '3' }).kind, 'waiting');
  });

  test('a queue has so many tickets at most', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], limits: { queueLength: 1 } });
    lab.take('ana', 'b1');
    lab.take('ana', 'b2');
    lab.ask('bob', 'b1');
    const reply = lab.submit('cyd', 'b1');
    assert.deepEqual(reply.kind === 'refused' && reply.why, {
      kind: 'limit',
      limit: 'queueLength',
      value: 1,
    });
    assert.equal(lab.submit('cyd', 'b2').kind, 'waiting');
  });

  test('a board is in 64 ad-hoc queues at most', () => {
    const boards = Array.from({ length: 66 }, (_, n) => `b${n}`);
    const lab = new Lab({ boards, present: false });
    for (let n = 1; n <= 64; n += 1) lab.ask('ana', `b0,b${n}`);
    const reply = lab.submit('ana', 'b0,b65');
    assert.deepEqual(reply.kind === 'refused' && reply.why, {
      kind: 'limit',
      limit: 'adHocQueuesPerBoard',
      value: 64,
    });
    // Of those that are there it may ask again, in any order, and for other boards too.
    assert.equal(lab.submit('bob', 'b64,b0').kind, 'waiting');
    assert.equal(lab.submit('bob', 'b64,b65').kind, 'waiting');
  });
});

describe('now or never', () => {
  test('a wait of 0 takes what is free', () => {
    const lab = new Lab();
    assert.equal(lab.submit('ana', 'b1', { waitSeconds: 0 }).kind, 'offered');
  });

  test('and is refused at once when nothing is, leaving no ticket', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    assert.equal(refusal(lab.submit('bob', 'b1', { waitSeconds: 0 })), 'not-granted');
    assert.equal(lab.state.tickets.size, 0);
  });

  test('while the server drains it is refused at once', () => {
    const lab = new Lab();
    lab.send('drain', {});
    assert.equal(refusal(lab.submit('ana', 'b1', { waitSeconds: 0 })), 'not-granted');
  });
});

describe('the members looked at', () => {
  test('are those passed over and the one taken, as they stood before', () => {
    const lab = new Lab({ boards: ['b1', 'b2', 'b3'], pools: { p: ['b1', 'b2', 'b3'] } });
    lab.take('ana', 'b1');
    const reply = lab.submit('bob', 'p', { members: true });
    const looked = reply.members.map(({ board, lock }) => [board, lock?.user]);
    assert.deepEqual(looked, [
      ['b1', 'ana'],
      ['b2', undefined],
    ]);
  });

  test('are all of them when none was free', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('ana', 'b1');
    lab.take('bob', 'b2');
    const reply = lab.submit('cyd', 'p', { members: true });
    assert.deepEqual(
      reply.members.map(({ lock }) => lock?.user),
      ['ana', 'bob'],
    );
  });
});
