// What a doctor makes of what was found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLines } from '../../src/cli/commands/doctor.ts';
import {
  judgeAgent,
  judgeBoards,
  judgeClock,
  judgeDisk,
  judgeNode,
  judgeServer,
} from '../../src/cli/doctor/judge.ts';
import { paintFor } from '../../src/cli/terminal/paint.ts';
import type { BoardView } from '../../src/protocol/views.ts';

const gb = 1e9;

test('versions: Node must be new enough, and mq the same on both sides', () => {
  assert.equal(judgeNode('24.1.0').state, 'good');
  assert.equal(judgeNode('20.19.0').state, 'trouble');
  const hello = { protocol: 1, version: '0.1.0', lab: 'L', user: 'ana', admin: false };
  assert.deepEqual(judgeServer(hello, '0.1.0'), {
    name: 'server',
    state: 'good',
    what: 'lab L, mq 0.1.0; you are ana',
  });
  const other = judgeServer({ ...hello, admin: true }, '0.2.0');
  assert.equal(other.state, 'trouble');
  assert.match(`${other.what} ${other.fix}`, /an admin of it; this mq is 0\.2\.0 Use mq 0\.1\.0 here/);
});

test('a disk is nearly full below a twentieth of it and below half a gigabyte, of a small one below half', () => {
  const states = [
    [100 * gb, 5.1 * gb],
    [100 * gb, 4.9 * gb],
    [2 * gb, 0.6 * gb],
    [2 * gb, 0.5 * gb],
    [0.1 * gb, 0.06 * gb],
  ].map(([sizeBytes = 0, freeBytes = 0]) => judgeDisk({ disk: { sizeBytes, freeBytes } }).state);
  assert.deepEqual(states, ['good', 'trouble', 'good', 'trouble', 'good']);
  const use = { bytes: 3 * gb, bytesMax: 20 * gb };
  assert.match(
    judgeDisk({ disk: { sizeBytes: 9 * gb, freeBytes: 8 * gb }, use }).what,
    /the lab takes .* of at most/,
  );
});

test('clocks may differ by as much as the question took, and 5 s more', () => {
  const state = (serverAt: number) => judgeClock({ beforeAt: 100_000, serverAt, behindAt: 103_000 }).state;
  assert.deepEqual([95_000, 94_900, 101_000, 108_000, 108_100].map(state), [
    'good',
    'trouble',
    'good',
    'good',
    'trouble',
  ]);
  assert.match(judgeClock({ beforeAt: 100_000, serverAt: 40_000, behindAt: 100_010 }).what, /60 s ahead of/);
});

const well: BoardView = {
  board: 'sabre',
  state: 'free',
  health: 'good',
  service: 'in',
  agentPresent: true,
  pools: [],
  waiting: 0,
};

test('boards: broken, suspect and away are trouble with a fix, out of service is only told', () => {
  const check = (more: Partial<BoardView>) =>
    judgeBoards([well, { ...well, board: 'b', ...more }], { agent: 'connected' });
  assert.deepEqual(check({}), [{ name: 'boards', state: 'good', what: '2 boards, all usable' }]);
  const [broken, ...none] = check({ health: 'broken', healthNote: 'no power' });
  assert.deepEqual(broken, {
    name: 'board b',
    state: 'trouble',
    what: 'broken: no power',
    fix: 'When it works again: mq board resume b',
  });
  assert.deepEqual(none, []);
  assert.equal(check({ health: 'suspect' })[0]?.state, 'trouble');
  assert.equal(check({ agentPresent: false })[0]?.state, 'trouble');
  assert.deepEqual(check({ service: 'out', serviceNote: 'ana: fan' }), [
    { name: 'board b', state: 'note', what: 'out of service: ana: fan' },
  ]);
});

test('an agent that is away is told once, and not again for each board', () => {
  assert.equal(judgeAgent({ agent: 'away' }).state, 'trouble');
  assert.equal(judgeAgent({ agent: 'connected' }).state, 'good');
  assert.deepEqual(judgeBoards([{ ...well, agentPresent: false }], { agent: 'away' }), []);
});

test('a check is a line, and its fix another; what others wrote moves no cursor', () => {
  const paint = paintFor(false);
  assert.deepEqual(checkLines({ name: 'disk', state: 'good', what: 'a lot' }, paint), [
    'ok       disk: a lot',
  ]);
  assert.deepEqual(checkLines({ name: 'b', state: 'trouble', what: 'x\u001b[2J', fix: 'mend it' }, paint), [
    'TROUBLE  b: x\\e[2J',
    '         mend it',
  ]);
});

test('a folder of lock files that fails is told once for all of its boards', () => {
  const lockFileNote = 'EROFS (10:02)';
  const boards = ['a', 'b'].map((board) => ({ ...well, board, lockFileNote }));
  const checks = judgeBoards([...boards, { ...well, board: 'c', lockFileNote: 'EPERM (10:04)' }], {
    agent: 'connected',
  });
  assert.deepEqual(
    checks.map(({ name, state, what }) => [name, state, what]),
    [
      ['lock files', 'trouble', "2 boards can't be locked: EROFS (10:02)"],
      ['lock files', 'trouble', "board c can't be locked: EPERM (10:04)"],
    ],
  );
});
