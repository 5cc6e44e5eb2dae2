// Tables and lines about the lab, from what the server tells.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobTable } from '../../src/cli/commands/job-table.ts';
import { LineStamper } from '../../src/cli/commands/line-stamper.ts';
import { statusLines } from '../../src/cli/commands/status-table.ts';
import { lockTime } from '../../src/cli/legacy/lock-lines.ts';
import { ordinal, placeText } from '../../src/cli/place.ts';
import { paintFor } from '../../src/cli/terminal/paint.ts';
import { textWidth } from '../../src/cli/terminal/width.ts';
import type { BoardView, JobView, StatusView } from '../../src/protocol/views.ts';

const now = new Date(2026, 10, 24, 14, 30).getTime();
const options = { paint: paintFor(false), width: undefined, now };
const at = (hour: number, minute: number) => new Date(2026, 10, 24, hour, minute).getTime();

const free: BoardView = {
  board: 'pc1',
  state: 'free',
  health: 'good',
  service: 'in',
  agentPresent: true,
  pools: ['x86_pool'],
  waiting: 0,
};
const held: BoardView = {
  ...free,
  board: 'sabre',
  state: 'held',
  pools: ['sabre_pool', 'all'],
  waiting: 3,
  lock: {
    board: 'sabre',
    token: '1.5',
    user: 'ana',
    key: 'ci\n-1',
    state: 'held',
    sinceAt: at(14, 2),
    untilAt: at(14, 20),
    job: 81,
  },
};
const status: StatusView = {
  lab: 'Example',
  at: now,
  mode: 'open',
  boards: [held, free, { ...free, board: 'old', state: 'broken', health: 'broken', healthNote: 'no power' }],
  pools: [{ pool: 'x86_pool', boards: ['pc1'], usable: 1, taken: 0, waiting: 0 }],
  queue: [
    {
      ticket: 90,
      target: 'sabre',
      kind: 'run',
      user: 'ben',
      key: '0',
      set: 'ben',
      priority: 'high',
      state: 'waiting',
      place: 0,
      submittedAt: at(14, 10),
      reasons: [{ kind: 'held', text: 'sabre is held by ana' }],
    },
  ],
  jobs: [],
};

test('the status shows who has which board since when, and what waits for it', () => {
  const text = statusLines(status, options).join('\n');
  assert.match(text, /^Example$/m);
  assert.match(text, /^sabre +held +ana +ci\\n-1 +14:02 +14:20 +81 +3 +sabre_pool all$/m);
  assert.match(text, /^pc1 +free +x86_pool$/m);
  assert.match(text, /^old +broken +x86_pool +no power$/m);
  assert.match(text, /^x86_pool +1 +1 +0$/m);
  assert.match(text, /^ +90 +sabre +1 +ben +run +high +14:10 +sabre is held by ana$/m);
});

test('a server that gives no locks says so in the heading', () => {
  assert.match(statusLines({ ...status, mode: 'draining' }, options)[0] ?? '', /no new grants/);
});

test('the tables fit a terminal of 80 columns', () => {
  for (const line of statusLines(status, { ...options, width: 80 })) assert.ok(textWidth(line) <= 80, line);
});

test('jobs show their verdict, how long they took and what was run', () => {
  const job: JobView = {
    id: 81,
    state: 'ended',
    verdict: 'timed-out',
    target: 'sabre',
    board: 'sabre',
    user: 'ana',
    key: '0',
    set: 'ana',
    startedAt: at(14, 2),
    endedAt: at(14, 5),
    files: ['kernel.elf', 'app.elf'],
    detail: 'no end text within 180 s',
  };
  const { board: _board, startedAt: _startedAt, ...rest } = job;
  const waiting: JobView = { ...rest, id: 82, state: 'waiting', files: [] };
  delete waiting.verdict;
  delete waiting.detail;
  const [, first, second] = jobTable([job, waiting], options);
  assert.match(
    first ?? '',
    /^ 81 +timed-out +sabre +ana +14:02 +3 min 0 s +kernel\.elf app\.elf +no end text/,
  );
  assert.match(second ?? '', /^ 82 +waiting +sabre +ana$/);
  const gone = { logGoneAt: at(14, 20) };
  const [, told, bare] = jobTable(
    [
      { ...job, ...gone },
      { ...job, ...gone, detail: '' },
    ],
    options,
  );
  assert.match(told ?? '', / no end text.*; log gone since 14:20$/);
  assert.match(bare ?? '', /app\.elf +log gone since 14:20$/);
});

test('a place is told with its reasons, but not with what the place already says', () => {
  const view = {
    state: 'waiting',
    ticket: 7,
    place: 2,
    reasons: [
      { kind: 'behind', text: 'behind 2 others' },
      { kind: 'held', text: 'sabre is held by ana since 14:02, until 14:20 at the earliest' },
    ],
  } as const;
  const about = { ...view, reasons: [...view.reasons] };
  assert.equal(
    placeText(about, 'sabre_pool'),
    '3rd in line for sabre_pool; sabre is held by ana since 14:02, until 14:20 at the earliest',
  );
  assert.match(placeText({ ...about, place: 0 }, 'p'), /^Next in line for p;/);
  assert.equal(placeText({ state: 'waiting', ticket: 7, reasons: [] }, 'p'), 'Waiting for p');
});

test('ordinal numbers', () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111, 113].map(ordinal), [
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '13th',
    '21st',
    '22nd',
    '101st',
    '111th',
    '113th',
  ]);
});

test('each line of a log gets the time of its first byte, however it is split', () => {
  const stamp = (ms: number) => lockTime(ms).slice(0, 23);
  const stamper = new LineStamper();
  const parts = [
    ['a', 1000],
    ['b\nc', 2000],
    ['\n', 3000],
    ['', 3500],
    ['\r\nlast', 4000],
  ] as const;
  const text = parts
    .map(([bytes, ms]) => Buffer.from(stamper.stamp(Buffer.from(bytes), ms)).toString())
    .join('');
  assert.equal(text, `${stamp(1000)} ab\n${stamp(2000)} c\n${stamp(4000)} \r\n${stamp(4000)} last`);
});
