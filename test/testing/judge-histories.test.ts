// What the judge of histories accepts and what it finds: each promise kept, and beside it the same promise broken.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../src/testing/histories/judge.ts';
import { MadeHistory } from './made-history.ts';

function isFine(made: MadeHistory): void {
  assert.deepEqual(judge(made.history).problems, []);
}

function isFound(made: MadeHistory, wanted: RegExp): void {
  const { problems } = judge(made.history);
  assert.ok(
    problems.some((problem) => wanted.test(problem)),
    `${wanted} is found among: ${problems.join('\n')}`,
  );
}

const begun = () => new MadeHistory().holds('ana', 1, 'a', '1.1', 0);

test('a lock goes from one to the next, and whoever looks sees whose it is', () => {
  isFine(
    begun()
      .looks([40, 50], ['a', '1.1', 'ana'])
      .releases('ana', 'a', [60, 70])
      .holds('bob', 2, 'a', '1.2', 65)
      .looks([100, 110], ['a', '1.2', 'bob']),
  );
});

test('an acknowledged lock that is gone though nobody ended it is found, also if another has it', () => {
  isFound(begun().looks([40, 50]), /^a: no order of the calls explains 'locks by caretaker \[3\]: free'/);
  isFound(
    begun().holds('bob', 2, 'a', '1.2', 100),
    /^a: no order of the calls explains 'grant of 1\.2 to bob/,
  );
  isFound(
    begun().holds('bob', 2, 'a', '1.2', 100),
    /^a had two holders: ana under 1\.1 .* and bob under 1\.2/,
  );
});

test('a confirm or release whose answer never came may have been carried out or not', () => {
  const asked = () => new MadeHistory().waits('ana', 1, 'a', [0, 10]).offered('ana', 1, 'a', '1.1', 20);
  const lost = () => asked().confirms('ana', 1, 'a', '1.1', [21]).away('ana', 25);
  isFine(lost().looks([30, 40], ['a', '1.1', 'ana']));
  isFine(lost().looks([30, 40]));
  isFine(begun().releases('ana', 'a', [40]).looks([50, 60], ['a', '1.1', 'ana']));
  isFine(begun().releases('ana', 'a', [40]).looks([50, 60]));
  isFound(
    begun().releases('ana', 'a', [40]).looks([50, 60]).looks([70, 80], ['a', '1.1', 'ana']),
    /^a: no order/,
  );
  isFound(
    asked().looks([30, 40], ['a', '1.1', 'ana']),
    /no order of the calls explains 'locks .*: held under 1\.1/,
  );
});

test('a grant is taken back after three seconds or when its client leaves, and not before', () => {
  const offered = () => new MadeHistory().waits('ana', 1, 'a', [0, 10]).offered('ana', 1, 'a', '1.1', 20);
  isFine(offered().looks([3_100, 3_110]));
  isFine(offered().away('ana', 30).looks([40, 50]));
  isFine(
    offered()
      .call('ana', 'withdraw', { ticket: 1 }, [30, 40], {
        view: { state: 'ended', ticket: 1, reason: 'withdrawn' },
      })
      .looks([50, 60]),
  );
  isFound(offered().looks([1_000, 1_010]), /^a: no order of the calls explains 'locks .*free'/);
});

test('a hold that is over ends only for somebody who waits, and not before its time', () => {
  const held = () => new MadeHistory().holds('ana', 1, 'a', '1.1', 0, { holdSeconds: 2 });
  isFine(held().waits('bob', 2, 'a', [100, 110]).looks([2_500, 2_510]));
  isFound(held().looks([2_500, 2_510]), /no order/);
  isFound(held().waits('bob', 2, 'a', [100, 110]).looks([1_000, 1_010]), /no order/);
});

test('tokens rise over the whole lab, and one token stands for one lock', () => {
  isFine(begun().holds('bob', 2, 'b', '1.2', 100));
  isFound(
    new MadeHistory().holds('ana', 1, 'a', '1.5', 0).holds('bob', 2, 'b', '1.2', 100),
    /^tokens went down: 1\.5 on a was seen at 20\.0, and 1\.2 on b was asked for only at 100\.0|^tokens went down/,
  );
  isFound(begun().holds('bob', 2, 'b', '1.1', 100), /^token 1\.1 stands for two locks/);
  isFound(
    new MadeHistory()
      .holds('ana', 1, 'a', '1.5', 0)
      .releases('ana', 'a', [40, 50])
      .holds('bob', 2, 'a', '1.2', 100),
    /^a: no order/,
  );
});

test('several boards are had together or not at all', () => {
  const asked = (...locks: ['a' | 'b', string][]) => {
    const views = locks.map(([board, token]) => ({ board, token, key: 'ana-key', state: 'held' }));
    return new MadeHistory()
      .waits('ana', 1, 'both', [0, 10], { count: 2 })
      .offered('ana', 1, 'a', '1.1', 20)
      .call('ana', 'confirm', { ticket: 1, token: '1.1' }, [21, 30], {
        view: { state: 'held', ticket: 1, lock: views[0], locks: views },
      });
  };
  isFine(asked(['a', '1.1'], ['b', '1.2']).looks([40, 50], ['a', '1.1', 'ana'], ['b', '1.2', 'ana']));
  isFound(
    asked(['a', '1.1']).looks([40, 50], ['a', '1.1', 'ana']),
    /^ana-key asked for 2 boards together, and had 1/,
  );
});

test('an acknowledged ticket is in the queue until it ends by the rules', () => {
  const waiting = () => begun().waits('bob', 2, 'a', [40, 50], { waitSeconds: 3 });
  const list = (...tickets: number[]) => ({ queue: tickets.map((ticket) => ({ ticket })) });
  isFine(waiting().call('caretaker', 'status', {}, [60, 70], list(2)));
  isFine(waiting().call('caretaker', 'status', {}, [3_100, 3_110], list()));
  isFound(waiting().call('caretaker', 'status', {}, [60, 70], list()), /^ticket 2 of bob was lost/);
  isFound(
    waiting().refused('bob', 'attach', { ticket: 2 }, [60, 70], 'UNKNOWN_TICKET'),
    /^the server does not know ticket 2/,
  );
});

test('an end that a client is told of has a cause', () => {
  const waiting = (more = {}) => begun().waits('bob', 2, 'a', [40, 50], more);
  const end = (reason: string) => ({ state: 'ended', ticket: 2, reason, text: '' });
  isFine(waiting({ waitSeconds: 3 }).told('bob', 3_100, end('timed-out')));
  isFound(
    waiting({ waitSeconds: 3 }).told('bob', 1_000, end('timed-out')),
    /^ticket 2 of bob ended as 'timed-out'/,
  );
  isFine(waiting().away('bob', 100, 16_000).told('bob', 16_000, end('grace')));
  isFound(
    waiting().away('bob', 100, 900).told('bob', 1_000, end('grace')),
    /^ticket 2 of bob ended as 'grace'/,
  );
  isFound(waiting().told('bob', 1_000, end('withdrawn')), /^ticket 2 of bob ended as 'withdrawn'/);
  const slot = () => begun().waits('ana', 2, 'a', [40, 50], { kind: 'slot' });
  isFine(slot().releases('ana', 'a', [60, 70]).told('ana', 80, end('refused')));
  isFound(slot().told('ana', 80, end('refused')), /^ticket 2 of ana ended as 'refused'/);
});

test('whoever came later for the same is not served first, unless the other was away', () => {
  const raced = (more = {}, first = {}) =>
    begun()
      .waits('bob', 2, 'a', [40, 50], first)
      .waits('cyd', 3, 'a', [60, 70], more)
      .releases('ana', 'a', [80, 90])
      .offered('cyd', 3, 'a', '1.2', 95);
  isFound(raced(), /^ticket 3 \(cyd\) overtook 2 \(bob\)/);
  isFine(raced({ priority: 'high' }));
  isFine(raced({ set: 'other' }));
  isFine(raced({}, { job: { files: [], detached: true } }));
  isFine(raced().away('bob', 65, 92));
});

const startedJob = () =>
  new MadeHistory()
    .waits('ana', 1, 'a', [0, 10], { kind: 'run', job: { files: [{ name: 'ana-key.2' }] } })
    .offered('ana', 1, 'a', '1.1', 20)
    .call('ana', 'confirm', { ticket: 1, token: '1.1' }, [21, 30], {
      view: { state: 'started', ticket: 1, board: 'a', token: '1.2' },
    });
const whole = 'ana-key says 1\nana-key says 2\nana-key is done\n';
const completed = { id: 1, state: 'ended', verdict: 'completed', isWhole: true } as const;

test('an acknowledged job has a result, its whole console, and ran once', () => {
  const ran = () => startedJob().touched('a', ['start', 'ana-key'], ['end', 'ana-key'], ['off', '']);
  isFine(ran().jobEnded({ ...completed, console: whole }));
  isFine(ran().jobEnded({ ...completed, verdict: 'cancelled', console: 'ana-key says 1\n' }));
  isFound(ran(), /^job 1 \(ana-key\) was acknowledged and has no result/);
  isFound(ran().jobEnded({ ...completed, console: whole.slice(1) }), /^the console of job 1/);
  isFound(ran().jobEnded({ ...completed, console: `${whole}${whole}` }), /^the console of job 1/);
  isFound(startedJob().jobEnded({ ...completed, console: whole }), /^job 1 completed, and no board ran it/);
  const twice = ran().touched('a', ['start', 'ana-key'], ['end', 'ana-key']);
  isFound(twice.jobEnded({ ...completed, console: whole }), /^ana-key was started 2 times on a/);
});

test('two jobs at one board at once, a job on the wrong board, and a late job under a lower token are found', () => {
  const ended = startedJob().jobEnded({ ...completed, console: whole });
  isFound(ended.touched('a', ['start', 'ana-key'], ['overlap', 'bob-key']), /^a was touched by two at once/);
  isFound(startedJob().touched('b', ['start', 'ana-key']), /^job 1 was to run on a, and ran on b/);
  const second = startedJob()
    .waits('bob', 2, 'a', [100, 110], { kind: 'run', job: { files: [{ name: 'bob-key.1' }] } })
    .told('bob', 120, { state: 'started', ticket: 2, board: 'a', token: '1.4' });
  isFound(
    second.touched('a', ['start', 'bob-key'], ['start', 'ana-key']),
    /^a was touched under 1\.2 \(job 1\) after 1\.4/,
  );
});
