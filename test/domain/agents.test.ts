// Agents go away and come back: what stays, what is said again, and what the tokens do.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asCaller, Lab } from './lab.ts';

const low = { generation: 0, number: 0 };

describe('a board whose agent is away', () => {
  test('is not free', () => {
    const lab = new Lab({ present: false });
    const ticket = lab.ask('ana', 'b1');
    assert.equal(lab.fate(ticket), 'waiting');
    lab.present();
    assert.equal(lab.offered(ticket), 'b1');
  });

  test('keeps its lock and its job', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.away('b1');
    lab.pass(3_600);
    assert.deepEqual([lab.stateOf('b1'), lab.job(job.id).state], ['held', 'running']);
    lab.present(['b1'], [job]);
    assert.deepEqual([lab.stateOf('b1'), lab.job(job.id).state], ['held', 'running']);
  });

  test('that comes free is not granted before its agent is back', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const next = lab.ask('bob', 'b1');
    lab.away('b1');
    lab.release('ana', 'b1');
    assert.deepEqual([lab.stateOf('b1'), lab.fate(next)], ['free', 'waiting']);
    lab.present();
    assert.equal(lab.offered(next), 'b1');
  });

  test('does not break while it ends: the limit begins when the agent is back', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    lab.pass(100);
    lab.away('b1');
    lab.pass(3_600);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'good');
    lab.present(['b1'], [job]);
    lab.pass(179);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'good');
    lab.pass(1);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'broken');
  });

  test('the same for a job that is being stopped under a lock that stays', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    const job = lab.run('ana', 'b1', { kind: 'slot' });
    lab.send('cancelJob', { caller: asCaller('ana'), job: job.id, why: '' });
    lab.away('b1');
    lab.pass(3_600);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'good');
    lab.present(['b1'], [job]);
    lab.pass(180);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'broken');
  });

  test('a word repeated by an agent that was there does not put the limit off', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.release('ana', 'b1');
    lab.pass(100);
    lab.present(['b1'], [job]);
    lab.pass(80);
    assert.equal(lab.state.boards.get('b1')?.health.state, 'broken');
  });
});

describe('an agent that is back', () => {
  test('is told again to start what it never got', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1', { kind: 'run' });
    lab.away('b1');
    lab.confirm(ticket);
    lab.present(['b1'], []);
    assert.deepEqual(
      lab.effectsOf('start-job').map((effect) => effect.job.id),
      [ticket],
    );
  });

  test('is not told so when it has the job', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1', { kind: 'run' });
    lab.confirm(ticket);
    lab.away('b1');
    lab.present(['b1'], [lab.job(ticket)]);
    assert.equal(lab.effectsOf('start-job').length, 0);
    assert.equal(lab.job(ticket).state, 'running');
  });

  test('and lost a job: lab fault, and the board is switched off before the next', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    const next = lab.ask('bob', 'b1');
    lab.away('b1');
    lab.present(['b1'], []);
    const ended = lab.effectsOf('job-changed')[0]?.job;
    assert.deepEqual([ended?.id, ended?.state, ended?.result?.verdict], [job.id, 'ended', 'lab-fault']);
    assert.equal(lab.effectsOf('power-off').length, 1);
    assert.equal(lab.fate(next), 'waiting');
    lab.poweredOff('b1');
    assert.equal(lab.offered(next), 'b1');
  });

  test('and lost a job under a lock of its own: the lock stays', () => {
    const lab = new Lab();
    lab.take('ana', 'b1');
    lab.run('ana', 'b1', { kind: 'slot' });
    lab.present(['b1'], []);
    assert.deepEqual([lab.stateOf('b1'), lab.lock('b1').job], ['held', undefined]);
  });

  test('and lost a job that was to stop anyway: cancelled, no fault of the lab', () => {
    const lab = new Lab();
    const ticket = lab.ask('ana', 'b1', { kind: 'run' });
    lab.away('b1');
    lab.confirm(ticket);
    lab.send('cancelJob', { caller: asCaller('ana'), job: ticket, why: 'enough' });
    lab.present(['b1'], []);
    assert.equal(lab.effectsOf('start-job').length, 0);
    assert.equal(lab.effectsOf('job-changed')[0]?.job.result?.verdict, 'cancelled');
    assert.equal(lab.state.boards.get('b1')?.health.state, 'good');
  });

  test('is told again to cancel, to finish and to switch off', () => {
    const lab = new Lab({ boards: ['b1', 'b2', 'b3'] });
    const [stopped, finished, left] = [lab.run('ana', 'b1'), lab.run('ana', 'b2'), lab.run('ana', 'b3')];
    lab.send('cancelJob', { caller: asCaller('ana'), job: stopped.id, why: '' });
    lab.send('finishJob', { caller: asCaller('ana'), job: finished.id });
    lab.endJob(left, { mayBeOn: true });
    lab.away('b1', 'b2', 'b3');
    lab.present(['b1', 'b2', 'b3'], [stopped, finished]);
    const kinds = lab.last.effects.map((effect) => effect.kind);
    assert.deepEqual(kinds, ['cancel-job', 'finish-job', 'power-off']);
    assert.deepEqual(lab.effectsOf('power-off')[0]?.token, left.token);
  });

  test('with an ended job is waited for: it tells the end itself', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.away('b1');
    lab.send('agentPresent', { boards: ['b1'], jobs: [{ id: job.id, state: 'ended' }], highest: low });
    assert.deepEqual([lab.job(job.id).state, lab.last.effects.length], ['running', 0]);
    lab.endJob(job);
    assert.equal(lab.stateOf('b1'), 'free');
  });

  test('may tell an end twice: the second time nothing changes', () => {
    const lab = new Lab();
    const job = lab.run('ana', 'b1');
    lab.endJob(job);
    const next = lab.run('bob', 'b1');
    lab.endJob(job);
    assert.equal(lab.last.changes.length, 0);
    assert.equal(lab.job(next.id).state, 'running');
  });

  test('that names boards which the lab does not have changes nothing for them', () => {
    const lab = new Lab();
    lab.present(['b1', 'nowhere'], []);
    assert.equal(lab.state.boards.has('nowhere'), false);
  });
});

describe('tokens', () => {
  test('rise above the highest that an agent has seen', () => {
    const lab = new Lab();
    lab.send('agentPresent', { boards: ['b1'], jobs: [], highest: { generation: 3, number: 700 } });
    assert.deepEqual(lab.take('ana', 'b1').token, { generation: 3, number: 701 });
    assert.ok(lab.effects.some((effect) => effect.kind === 'offer'));
  });

  test('never fall for an agent that has seen less', () => {
    const lab = new Lab();
    const { token } = lab.take('ana', 'b1');
    lab.send('agentPresent', { boards: ['b1'], jobs: [], highest: low });
    lab.release('ana', 'b1');
    assert.equal(lab.take('ana', 'b1').token.number, token.number + 1);
  });
});
