// Tickets for several boards that lack some: boards kept while it gathers, rests between two gatherings, and what others
// have to bear meanwhile.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Lab } from './lab.ts';
import { askAll, keptBoards, offeredAll, three, ticketOf } from './several-lab.ts';

describe('gathering', () => {
  const busy = () => {
    const lab = new Lab({ ...three, gatherSeconds: 600 });
    for (const board of ['b1', 'b2', 'b3']) lab.take('bob', board);
    return lab;
  };

  test('keeps a board that came free from whoever came later', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    const later = lab.ask('cyd', 'p');
    lab.release('bob', 'b1');
    assert.deepEqual([keptBoards(lab, all), lab.fate(later)], [['b1'], 'waiting']);
    lab.release('bob', 'b3');
    assert.deepEqual([offeredAll(lab, all), lab.fate(later)], [['b1', 'b3'], 'waiting']);
  });

  test('keeps none from whoever came before', () => {
    const lab = busy();
    const first = lab.ask('cyd', 'p');
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    lab.release('bob', 'b1');
    assert.deepEqual([lab.offered(first), keptBoards(lab, all)], ['b1', []]);
  });

  test('gives way to a higher class', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    lab.release('bob', 'b1');
    const urgent = lab.ask('cyd', 'p', { priority: 0 });
    assert.deepEqual([lab.offered(urgent), keptBoards(lab, all)], ['b1', []]);
  });

  test('keeps no more than it lacks', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'q b3'));
    const later = lab.ask('cyd', 'p');
    lab.release('bob', 'b1');
    lab.release('bob', 'b2');
    assert.deepEqual([keptBoards(lab, all), lab.offered(later)], [['b1'], 'b2']);
  });

  test('ends after its time; the boards go on, and the ticket keeps its place', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    const later = lab.ask('cyd', 'p');
    lab.release('bob', 'b1');
    lab.pass(599);
    assert.equal(lab.fate(later), 'waiting');
    lab.pass(1);
    assert.deepEqual([lab.offered(later), keptBoards(lab, all)], ['b1', []]);
    const last = lab.ask('dee', 'p');
    lab.confirm(later);
    lab.release('bob', 'b2');
    assert.deepEqual([keptBoards(lab, all), lab.offered(last)], [[], 'b2'], 'it rests: one alone goes on');
  });

  test('is passed over while it rests, but never when all its boards are free at once', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    lab.release('bob', 'b1');
    lab.pass(600);
    assert.deepEqual(keptBoards(lab, all), []);
    const later = lab.ask('cyd', 'b2');
    lab.release('bob', 'b2');
    assert.deepEqual([offeredAll(lab, all), lab.fate(later)], [['b1', 'b2'], 'waiting']);
  });

  test('begins again after a rest as long, and each rest is twice the last', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    lab.release('bob', 'b1');
    lab.pass(600);
    lab.pass(599);
    assert.deepEqual(keptBoards(lab, all), []);
    lab.pass(1);
    assert.deepEqual(keptBoards(lab, all), ['b1']);
    lab.pass(600);
    lab.pass(1_199);
    assert.deepEqual(keptBoards(lab, all), []);
    lab.pass(1);
    assert.deepEqual(keptBoards(lab, all), ['b1']);
  });

  test('lets go of a board that can not be granted any more', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    lab.release('bob', 'b1');
    lab.away('b1');
    assert.deepEqual(keptBoards(lab, all), []);
    lab.present(['b1']);
    assert.deepEqual(keptBoards(lab, all), ['b1']);
  });

  test('takes a board back from whoever is behind it, when it has lost another that stood for it', () => {
    const pools = { a: ['b1', 'b2'], b: ['b2', 'b3'], x: ['b4'], y: ['b5'] };
    const lab = new Lab({ boards: ['b1', 'b2', 'b3', 'b4', 'b5'], pools });
    lab.take('bob', 'b4');
    lab.take('bob', 'b5');
    lab.take('bob', 'b3');
    const first = ticketOf(askAll(lab, 'ana', 'a b x'));
    const second = ticketOf(askAll(lab, 'eve', 'b y'));
    lab.release('bob', 'b3');
    assert.deepEqual([keptBoards(lab, first), keptBoards(lab, second)], [['b1', 'b2'], ['b3']]);
    // With b2 for the a that b1 was kept for, b3 is what it needs for b.
    lab.away('b1');
    assert.deepEqual([keptBoards(lab, first), keptBoards(lab, second)], [['b2', 'b3'], []]);
  });

  test('lets go when its client is away, and begins again when it is back', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    const later = lab.ask('cyd', 'p', { key: 'x' });
    lab.release('bob', 'b1');
    lab.detach(all);
    assert.equal(lab.offered(later), 'b1');
    lab.send('attach', { ticket: all });
    lab.release('bob', 'b2');
    assert.deepEqual(keptBoards(lab, all), ['b2']);
  });

  test('begins anew after a crash, with all of its time', () => {
    const lab = busy();
    const all = lab.askAll('ana', ['b1', 'b2']);
    lab.release('bob', 'b1');
    lab.pass(590);
    lab.restart();
    lab.present();
    lab.send('attach', { ticket: all });
    lab.pass(590);
    assert.deepEqual(keptBoards(lab, all), ['b1']);
  });

  test('makes a holder past its end leave only where it then could have all', () => {
    const lab = new Lab(three);
    lab.take('bob', 'b1', { holdSeconds: 10 });
    lab.take('bob', 'b2', { key: 'no end' });
    const all = ticketOf(askAll(lab, 'ana', 'q*2'));
    lab.pass(11);
    lab.send('alive', { ticket: all });
    assert.equal(lab.stateOf('b1'), 'held');
    lab.release('bob', 'b2', { key: 'no end' });
    assert.deepEqual(
      lab.effectsOf('ping').map(({ ticket }) => ticket),
      [all],
    );
    lab.send('alive', { ticket: all });
    assert.deepEqual(offeredAll(lab, all), ['b1', 'b2']);
  });

  test('never begins in a lab that gives it no time, and all boards at once are had there too', () => {
    const lab = new Lab({ ...three, gatherSeconds: 0 });
    lab.take('bob', 'b1', { holdSeconds: 10 });
    const all = lab.askAll('ana', ['b1', 'b2']);
    lab.pass(1);
    assert.deepEqual([lab.fate(all), keptBoards(lab, all)], ['waiting', []]);
    assert.equal(lab.take('cyd', 'b2').board, 'b2');
    lab.release('cyd', 'b2');
    lab.pass(10);
    lab.send('alive', { ticket: all });
    assert.deepEqual(offeredAll(lab, all), ['b1', 'b2']);
  });

  test('takes its time also where it only holds others up from a board past its hold, and then rests', () => {
    const lab = new Lab({ ...three, gatherSeconds: 600 });
    lab.take('bob', 'b1', { holdSeconds: 10 });
    lab.take('bob', 'b2', { key: 'no end' });
    const all = lab.askAll('ana', ['b1', 'b2']);
    lab.pass(1_000);
    assert.equal(lab.ticket(all).gather, undefined, 'nobody is held up');
    const single = lab.ask('cyd', 'b1');
    lab.pass(599);
    lab.send('alive', { ticket: single });
    assert.deepEqual([lab.stateOf('b1'), lab.lock('b1').user], ['held', 'bob']);
    lab.pass(1);
    lab.send('alive', { ticket: single });
    assert.equal(lab.offered(single), 'b1');
  });

  test('holds up another ticket for several no longer either', () => {
    const lab = new Lab({ ...three, gatherSeconds: 600 });
    lab.take('bob', 'b1', { holdSeconds: 10 });
    lab.take('bob', 'b2', { key: 'no end' });
    lab.askAll('ana', ['b1', 'b2']);
    const behind = lab.askAll('cyd', ['b1', 'b3']);
    lab.pass(10);
    lab.pass(590);
    assert.equal(lab.ticket(behind).gather?.state, 'resting', 'it had b3 kept from the beginning');
    lab.pass(10);
    lab.send('alive', { ticket: behind });
    assert.deepEqual(offeredAll(lab, behind), ['b1', 'b3'], 'a rest ends where everything can be had');
  });

  test('takes no board from one that rests and could have all with it', () => {
    const lab = busy();
    const first = lab.askAll('ana', ['b1', 'b2']);
    const behind = lab.askAll('cyd', ['b1', 'b3']);
    lab.release('bob', 'b1');
    lab.pass(600);
    assert.deepEqual([keptBoards(lab, first), keptBoards(lab, behind)], [[], ['b1']]);
    lab.release('bob', 'b2');
    assert.deepEqual([offeredAll(lab, first), keptBoards(lab, behind)], [['b1', 'b2'], []]);
  });

  test('is one for all tickets of a set: who waits behind twenty of them waits little longer than behind one', () => {
    const waits = [1, 20].map((count) => {
      const lab = busy();
      for (let key = 0; key < count; key += 1) lab.askAll('ana', ['b1', 'b2'], { key: `${key}` });
      lab.askAll('ana', ['b1', 'b2'], { key: 'another run', set: 'ana/run' });
      const single = lab.ask('cyd', 'b1');
      lab.release('bob', 'b1');
      let gatherings = 0;
      for (; lab.fate(single) === 'waiting' && gatherings < 50; gatherings += 1) lab.pass(600);
      return gatherings;
    });
    // Each of the two sets has b1 kept, and perhaps once more before the rests have become longer.
    assert.ok(
      waits.every((gatherings) => gatherings <= 4),
      waits.join(),
    );
  });

  test('ends its rest where a holder past its end has the last board, though another is kept for somebody behind it', () => {
    const lab = new Lab({ ...three, gatherSeconds: 600 });
    lab.take('bob', 'b1');
    lab.take('bob', 'b2', { holdSeconds: 1000 });
    lab.take('bob', 'b3');
    const first = lab.askAll('ana', ['b1', 'b2']);
    const behind = lab.askAll('cyd', ['b1', 'b3']);
    lab.release('bob', 'b1');
    lab.pass(600);
    assert.deepEqual(keptBoards(lab, behind), ['b1']);
    lab.pass(400);
    lab.send('alive', { ticket: first });
    assert.deepEqual([offeredAll(lab, first), keptBoards(lab, behind)], [['b1', 'b2'], []]);
  });

  test('has another board, where the one that was kept goes to one that rests', () => {
    const lab = new Lab({ boards: ['b1', 'b2', 'b3', 'b4'], pools: { p: ['b1', 'b4'] }, gatherSeconds: 600 });
    for (const board of ['b1', 'b2', 'b3', 'b4']) lab.take('bob', board);
    const first = lab.askAll('ana', ['b1', 'b2']);
    const behind = ticketOf(askAll(lab, 'cyd', 'p b3'));
    lab.release('bob', 'b1');
    lab.pass(600);
    lab.release('bob', 'b4');
    assert.deepEqual(keptBoards(lab, behind), ['b1']);
    lab.release('bob', 'b2');
    assert.deepEqual([offeredAll(lab, first), keptBoards(lab, behind)], [['b1', 'b2'], ['b4']]);
  });

  test('outlives a crash: it keeps its place, and gathers anew', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    const later = lab.ask('cyd', 'p');
    lab.release('bob', 'b1');
    lab.restart();
    assert.deepEqual(keptBoards(lab, all), []);
    lab.present();
    lab.send('attach', { ticket: later });
    lab.send('attach', { ticket: all });
    assert.deepEqual([keptBoards(lab, all), lab.fate(later)], [['b1'], 'waiting']);
  });

  test('follows another configuration: refused where it has become impossible, else with its place', () => {
    const lab = busy();
    const all = ticketOf(askAll(lab, 'ana', 'p*3'));
    const two = ticketOf(askAll(lab, 'cyd', 'p*2'));
    lab.configure({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    assert.deepEqual([lab.fate(all), lab.fate(two)], ['refused', 'waiting']);
    lab.release('bob', ['b1', 'b2']);
    assert.deepEqual(offeredAll(lab, two), ['b1', 'b2']);
  });

  test('charges each queue one turn for each board', () => {
    const lab = new Lab({ boards: ['b1', 'b2'], pools: { p: ['b1', 'b2'] } });
    lab.take('zoe', 'b1');
    lab.take('zoe', 'b2');
    const all = ticketOf(askAll(lab, 'ana', 'p*2'));
    const again = lab.ask('ana', 'p', { key: 'more' });
    const other = lab.ask('cyd', 'p');
    lab.release('zoe', ['b1', 'b2']);
    assert.deepEqual(offeredAll(lab, all), ['b1', 'b2']);
    lab.confirm(all);
    lab.release('ana', 'b1');
    assert.deepEqual([lab.offered(other), lab.fate(again)], ['b1', 'waiting']);
  });
});
