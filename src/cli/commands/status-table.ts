// The lab's status as tables. Pure.
import type { BoardView, QueueEntry, StatusView } from '../../protocol/views.ts';
import { clockTime } from '../../server/text.ts';
import type { Paint } from '../terminal/paint.ts';
import { type Cell, type Column, tableLines } from '../terminal/table.ts';

export interface StatusTableOptions {
  readonly paint: Paint;
  readonly width: number | undefined;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

const boardColumns: readonly Column[] = [
  { title: 'BOARD' },
  { title: 'STATE' },
  { title: 'HOLDER' },
  { title: 'KEY', flexible: true, drop: 5 },
  { title: 'SINCE', drop: 6 },
  { title: 'UNTIL', drop: 2 },
  { title: 'JOB', right: true, drop: 4 },
  { title: 'WAITING', right: true, drop: 3 },
  { title: 'POOLS', flexible: true, drop: 1 },
  { title: 'NOTE', flexible: true, drop: 7 },
];

const poolColumns: readonly Column[] = [
  { title: 'POOL' },
  { title: 'FREE', right: true },
  { title: 'USABLE', right: true },
  { title: 'WAITING', right: true },
];

const queueColumns: readonly Column[] = [
  { title: 'TICKET', right: true, drop: 7 },
  { title: 'FOR' },
  { title: 'PLACE', right: true },
  { title: 'USER' },
  { title: 'KEY', flexible: true, drop: 5 },
  { title: 'KIND', drop: 1 },
  { title: 'CLASS', drop: 4 },
  { title: 'SINCE', drop: 3 },
  { title: 'UNTIL', drop: 2 },
  { title: 'STATE', drop: 6 },
  { title: 'WHY', flexible: true, drop: 8 },
];

/** Heading, boards, pools and what waits. */
export function statusLines(status: StatusView, options: StatusTableOptions): string[] {
  const { paint } = options;
  const mode = {
    open: '',
    settling: ' (just started, waits for its clients)',
    draining: ' (leaving: no new grants)',
  };
  const lines = [paint.bold(`${status.lab}${mode[status.mode]}`), '', ...boardLines(status.boards, options)];
  if (status.pools.length > 0) lines.push('', ...poolLines(status.pools, options));
  if (status.queue.length > 0) lines.push('', ...queueLines(status.queue, options));
  return lines;
}

function boardLines(boards: readonly BoardView[], { paint, width, now }: StatusTableOptions): string[] {
  const rows = boards.map((board) => {
    const { lock } = board;
    return [
      board.board,
      stateCell(board, paint),
      lock?.user ?? '',
      lock === undefined || lock.key === '0' ? '' : lock.key,
      lock === undefined ? '' : clockTime(lock.sinceAt, now),
      lock?.untilAt === undefined ? '' : clockTime(lock.untilAt, now),
      lock?.job === undefined ? '' : String(lock.job),
      board.waiting === 0 ? '' : String(board.waiting),
      board.pools.join(' '),
      noteOf(board, now),
    ];
  });
  return tableLines(boardColumns, rows, { width, paintTitle: paint.bold });
}

const stateNames: Readonly<Record<string, string>> = { away: 'agent away', 'no-lock-file': 'no lock file' };

function stateCell({ state, health }: BoardView, paint: Paint): Cell {
  const suspect = health === 'suspect' ? ' (suspect)' : '';
  switch (state) {
    case 'free':
      return { text: `free${suspect}`, paint: paint.green };
    case 'broken':
    case 'out':
    case 'away':
    case 'no-lock-file':
      return { text: stateNames[state] ?? state, paint: paint.red };
    default:
      return { text: state + suspect, paint: paint.yellow };
  }
}

function noteOf(board: BoardView, now: number): string {
  const byFile = board.lock?.origin === 'file' ? 'by a lock file' : undefined;
  const power = board.mayBeOn && !board.job ? 'may be on' : undefined;
  const notes = [
    board.healthNote,
    serviceText(board, now),
    board.lockFileNote,
    byFile,
    power,
    board.lock?.note,
  ];
  if (board.leaving) notes.unshift('no longer in the configuration');
  return notes.filter((note) => note !== undefined && note !== '').join('; ');
}

/** `draining, by root since 14:02, until 16:00: new cable`; only what was noted of a board in service. */
function serviceText(board: BoardView, now: number): string {
  const { service, serviceNote, serviceBy, serviceSinceAt, serviceUntilAt } = board;
  const parts = [
    service === 'draining' ? 'draining' : '',
    serviceBy === undefined ? '' : `by ${serviceBy}`,
    serviceSinceAt === undefined ? '' : `since ${clockTime(serviceSinceAt, now)}`,
  ].filter((part) => part !== '');
  const until = serviceUntilAt === undefined ? '' : `, until ${clockTime(serviceUntilAt, now)}`;
  const who = `${parts.join(' ')}${until}`;
  if (serviceNote === undefined) return who;
  return who === '' ? serviceNote : `${who}: ${serviceNote}`;
}

function poolLines(pools: StatusView['pools'], { paint, width }: StatusTableOptions): string[] {
  const rows = pools.map(({ pool, usable, taken, waiting }) => [
    pool,
    String(Math.max(0, usable - taken)),
    String(usable),
    String(waiting),
  ]);
  return tableLines(poolColumns, rows, { width, paintTitle: paint.bold });
}

export function queueLines(
  queue: readonly QueueEntry[],
  { paint, width, now }: StatusTableOptions,
): string[] {
  const rows = queue.map((entry) => [
    String(entry.ticket),
    entry.target,
    entry.place === undefined ? '' : String(entry.place + 1),
    entry.user,
    entry.key === '0' ? '' : entry.key,
    { lock: 'lock', run: 'run', slot: 'run -n' }[entry.kind],
    entry.priority === 'normal' ? '' : entry.priority,
    clockTime(entry.submittedAt, now),
    entry.deadlineAt === undefined ? '' : clockTime(entry.deadlineAt, now),
    entry.state === 'waiting' ? '' : entry.state,
    entry.reasons
      .filter((reason) => reason.kind !== 'behind')
      .map((reason) => reason.text)
      .join('; '),
  ]);
  return tableLines(queueColumns, rows, { width, paintTitle: paint.bold });
}
