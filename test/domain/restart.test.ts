// A server's start and its leaving: everything survives, and nobody loses a place to a quicker client.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Lab } from './lab.ts';

describe('settling', () => {
  test('grants nothing before every client that was connected is back', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [first, second] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.restart();
    lab.present();
    lab.release('ana', 'b1');
    lab.send('attach', { ticket: second });
    assert.deepEqual([lab.stateOf('b1'), lab.fate(second)], ['free', 'waiting']);
    lab.send('attach', { ticket: first });
    assert.deepEqual([lab.offered(first), lab.fate(second)], ['b1', 'waiting']);
  });

  test('grants to those who are back after 2 s', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [away, back] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.restart();
    lab.present();
    lab.release('ana', 'b1');
    lab.send('attach', { ticket: back });
    lab.pass(1.999);
    assert.equal(lab.fate(back), 'waiting');
    lab.pass(0.001);
    assert.deepEqual([lab.fate(away), lab.offered(back)], ['parked', 'b1']);
  });

  test('is over at once when nobody was connected', () => {
    const lab = new Lab();
    lab.restart();
    assert.equal(lab.state.meta.mode, 'open');
  });

  test('does not wait for who was away before, or is detached', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    lab.detach(lab.ask('bob', 'b1'));
    lab.ask('cyd', 'b1', { kind: 'run', detached: true });
    lab.restart();
    assert.equal(lab.state.meta.mode, 'open');
  });

  test('ends when the last of them is withdrawn, answers a ping, or confirms late', () => {
    const ways: ((lab: Lab, ticket: number) => void)[] = [
      (lab, ticket) => lab.detach(ticket, true),
      (lab, ticket) => lab.send('alive', { ticket }),
      (lab, ticket) => lab.send('confirm', { user: 'bob', ticket, token: { generation: 1, number: 0 } }),
    ];
    for (const come of ways) {
      const lab = new Lab();
      lab.take('ana', 'b1');
      const ticket = lab.ask('bob', 'b1');
      lab.restart();
      assert.equal(lab.state.meta.mode, 'settling');
      come(lab, ticket);
      assert.equal(lab.state.meta.mode, 'open');
    }
  });

  test('waits again for whom a start that was cut short was waiting for', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [first, second] = [lab.ask('bob', 'b1'), lab.ask('cyd', 'b1')];
    lab.restart();
    lab.restart();
    lab.present();
    lab.release('ana', 'b1');
    lab.send('attach', { ticket: second });
    assert.equal(lab.fate(second), 'waiting');
    lab.send('attach', { ticket: first });
    assert.equal(lab.offered(first), 'b1');
  });

  test('tries nothing and refuses nothing: a wait of 0 is answered when it is over', () => {
    const lab = new Lab({ boards: ['b1', 'b2'] });
    lab.take('ana', 'b1');
    const waiting = lab.ask('bob', 'b1');
    lab.restart();
    lab.present();
    const [free, taken] = [
      lab.ask('cyd', 'b2', { waitSeconds: 0 }),
      lab.ask('dee', 'b1', { waitSeconds: 0 }),
    ];
    lab.send('attach', { ticket: waiting });
    assert.deepEqual([lab.offered(free), lab.fate(taken)], ['b2', 'waiting']);
    lab.pass(0.001);
    assert.equal(lab.fate(taken), 'timed-out');
  });

  test('and when it runs out by time', () => {
    const lab = new Lab({ boards: ['b1', 'b2'] });
    lab.take('ana', 'b1');
    lab.ask('bob', 'b1');
    lab.restart();
    lab.present();
    const [free, taken] = [
      lab.ask('cyd', 'b2', { waitSeconds: 0 }),
      lab.ask('dee', 'b1', { waitSeconds: 0 }),
    ];
    lab.pass(2);
    assert.deepEqual([lab.offered(free), lab.fate(taken)], ['b2', 'timed-out']);
  });
});

describe('after a crash', () => {
  test('an offer that was not confirmed is offered to its client again, under the same token', () => {
    const lab = new Lab();
    const [first, second] = [lab.ask('ana', 'b1'), lab.ask('bob', 'b1')];
    const { token } = lab.lock('b1');
    lab.restart();
    lab.present();
    lab.send('attach', { ticket: second });
    lab.send('attach', { ticket: first });
    assert.deepEqual(lab.effectsOf('offer')[0]?.token, token);
    assert.equal(lab.confirm(first).kind, 'held');
  });

  test("its client has 3 s from the end of settling, then it is the next one's", () => {
    const lab = new Lab();
    const [first, second] = [lab.ask('ana', 'b1'), lab.ask('bob', 'b1')];
    lab.restart();
    lab.present();
    lab.send('attach', { ticket: second });
    lab.pass(4.999);
    assert.equal(lab.offered(first), 'b1');
    lab.pass(0.001);
    assert.deepEqual([lab.fate(first), lab.offered(second)], ['parked', 'b1']);
  });

  test('the offer to a detached job is made again: the server itself is its client', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1', { kind: 'run', detached: true });
    lab.restart();
    assert.deepEqual(
      lab.effectsOf('offer').map((effect) => effect.ticket),
      [ticket],
    );
  });

  test('places are as before, turns included', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [a1, a2] = [lab.ask('bob', 'b1', { key: '1' }), lab.ask('bob', 'b1', { key: '2' })];
    const c = lab.ask('cyd', 'b1');
    lab.release('ana', 'b1');
    lab.confirm(a1);
    lab.restart();
    lab.present();
    for (const ticket of [a2, c]) lab.send('attach', { ticket });
    lab.release('bob', 'b1', { key: '1' });
    assert.deepEqual([lab.offered(c), lab.fate(a2)], ['b1', 'waiting']);
  });

  test('graces begin anew, after settling', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const ticket = lab.ask('bob', 'b1');
    lab.detach(ticket);
    lab.pass(14);
    lab.restart();
    lab.pass(16.999);
    assert.equal(lab.fate(ticket), 'parked');
    lab.pass(0.001);
    assert.equal(lab.fate(ticket), 'withdrawn');
  });

  test('deadlines ran on, but take effect after settling', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const [late, other] = [lab.ask('bob', 'b1', { waitSeconds: 5 }), lab.ask('cyd', 'b1')];
    lab.nowMs += 60_000;
    lab.restart();
    lab.pass(1);
    assert.equal(lab.fate(late), 'parked');
    lab.send('attach', { ticket: late });
    lab.send('attach', { ticket: other });
    lab.pass(0.001);
    assert.equal(lab.fate(late), 'timed-out');
  });

  test('no timer of the last life fires before the clients were parked', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1');
    lab.nowMs += 60_000;
    lab.restart();
    assert.equal(lab.offered(ticket), 'b1');
  });

  test('locks, jobs and their timers go on', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    const next = lab.ask('bob', 'b1');
    lab.restart();
    lab.present(['b1'], [job]);
    lab.send('attach', { ticket: next });
    lab.send('attach', { ticket: job.id });
    lab.pass(10);
    assert.deepEqual(
      lab.effectsOf('ping').map((effect) => effect.ticket),
      [next],
    );
    assert.equal(lab.job(job.id).state, 'running');
  });

  test('a job whose client does not come back is stopped after the grace', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.restart();
    lab.present(['b1'], [job]);
    lab.pass(16.999);
    assert.equal(lab.job(job.id).state, 'running');
    lab.pass(0.001);
    assert.equal(lab.job(job.id).state, 'ending');
  });

  test('an ending has its limit from when the agent is back', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    lab.restart();
    lab.pass(3_600);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'good');
    lab.present(['b1'], [job]);
    assert.equal(lab.effectsOf('cancel-job').length, 1);
    lab.pass(180);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'broken');
  });
});

describe('a server that is to leave', () => {
  test('grants nothing more; tickets keep their place for the next one', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const ticket = lab.ask('bob', 'b1');
    lab.send('drain', {});
    lab.release('ana', 'b1');
    assert.equal(lab.fate(ticket), 'waiting');
    lab.restart();
    lab.present();
    lab.send('attach', { ticket });
    assert.equal(lab.offered(ticket), 'b1');
  });

  test('takes a confirm of what it offered before', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1');
    lab.send('drain', {});
    assert.equal(lab.confirm(ticket).kind, 'held');
  });

  test('gives no job slot and reclaims nothing', () => {
    const lab = new Lab();
    lab.take('ana', 'b1', { holdSeconds: 10 });
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    const [slot, next] = [lab.ask('ana', 'b1', { kind: 'slot' }), lab.ask('bob', 'b1')];
    lab.send('drain', {});
    lab.endJob(job);
    lab.pass(60);
    lab.send('alive', { ticket: next });
    assert.deepEqual([lab.fate(slot), lab.stateOf('b1')], ['waiting', 'held']);
  });

  test('stays so although it was settling', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const ticket = lab.ask('bob', 'b1');
    lab.restart();
    lab.present();
    lab.send('drain', {});
    lab.release('ana', 'b1');
    lab.send('attach', { ticket });
    lab.pass(10);
    assert.deepEqual([lab.state.meta.mode, lab.fate(ticket)], ['draining', 'waiting']);
  });
});
