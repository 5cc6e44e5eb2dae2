// Jobs as a table. Pure.
import type { JobView } from '../../protocol/views.ts';
import { clockTime } from '../../server/text.ts';
import { durationText } from '../terminal/duration.ts';
import type { Paint } from '../terminal/paint.ts';
import { type Cell, type Column, tableLines } from '../terminal/table.ts';

const columns: readonly Column[] = [
  { title: 'JOB', right: true },
  { title: 'STATE' },
  { title: 'BOARD' },
  { title: 'USER', drop: 5 },
  { title: 'KEY', flexible: true, drop: 1 },
  { title: 'STARTED', drop: 3 },
  { title: 'TOOK', right: true, drop: 6 },
  { title: 'FILES', flexible: true, drop: 2 },
  { title: 'DETAIL', flexible: true, drop: 4 },
];

export interface JobTableOptions {
  readonly paint: Paint;
  readonly width: number | undefined;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

export function jobTable(jobs: readonly JobView[], { paint, width, now }: JobTableOptions): string[] {
  const rows = jobs.map((job) => [
    String(job.id),
    stateCell(job, paint),
    job.board ?? job.target,
    job.user,
    job.key === '0' ? '' : job.key,
    job.startedAt === undefined ? '' : clockTime(job.startedAt, now),
    job.startedAt === undefined ? '' : durationText((job.endedAt ?? now) - job.startedAt),
    job.kind === 'console' ? '(console)' : job.files.join(' '),
    detailOf(job, now),
  ]);
  return tableLines(columns, rows, { width, paintTitle: paint.bold });
}

function detailOf({ detail, logGoneAt }: JobView, now: number): string {
  const gone = logGoneAt === undefined ? undefined : `log gone since ${clockTime(logGoneAt, now)}`;
  return [detail, gone].filter(Boolean).join('; ');
}

/** The verdict where there is one. */
function stateCell(job: JobView, paint: Paint): Cell {
  const text = job.verdict ?? job.state;
  if (job.verdict === undefined) return { text, paint: job.state === 'waiting' ? paint.dim : paint.yellow };
  return { text, paint: job.verdict === 'completed' ? paint.green : paint.red };
}
