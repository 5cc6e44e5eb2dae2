// How a run ended, for people in a line and for programs as a value. Pure.
import type { JobView } from '../../protocol/views.ts';
import { exitCodes, exitOfVerdict } from '../exit-codes.ts';
import { durationText } from '../terminal/duration.ts';

export interface RunEnd {
  readonly view: JobView;
  /** What a person should know of it, such as who released the lock under it. */
  readonly message: string | undefined;
  /** From the wish to the board. */
  readonly waitedMs: number;
  readonly logPath: string | undefined;
}

const endings: Readonly<Record<NonNullable<JobView['verdict']>, string>> = {
  completed: 'done',
  'error-text': 'failed, its error text came',
  'timed-out': 'its time ran out',
  'boot-failed': 'it did not boot',
  'lab-fault': 'a fault of the lab, not of its image',
  cancelled: 'cancelled',
};

export function runExit({ verdict }: Pick<JobView, 'verdict'>): number {
  return verdict === undefined ? exitCodes.failed : exitOfVerdict[verdict];
}

/** `job 81 on sabre: done. Waited 0.1 s, ran 2 min 3 s. Console: mq logs 81` */
export function endText({ view, message, waitedMs, logPath }: RunEnd): string {
  const ending = view.verdict === undefined ? 'ended' : endings[view.verdict];
  const detail = (message ?? view.detail ?? '').replace(/\.$/, '');
  const logs = [...(logPath === undefined ? [] : [logPath]), `mq logs ${view.id}`];
  const ran = view.startedAt === undefined ? '' : `, ran ${durationText(ranMs(view))}`;
  return `job ${view.id} on ${view.board ?? view.target}: ${ending}${detail === '' ? '' : ` (${detail})`}. Waited ${durationText(waitedMs)}${ran}. Console: ${logs.join(', ')}`;
}

/** For programs; docs/command-line.md has its fields. */
export function endJson({ view, message, waitedMs, logPath }: RunEnd): object {
  const detail = message ?? view.detail ?? '';
  return {
    job: view.id,
    board: view.board ?? view.target,
    verdict: view.verdict,
    exit: runExit(view),
    ...(detail === '' ? {} : { detail }),
    ...(view.exitCode === undefined ? {} : { programExit: view.exitCode }),
    waitedSeconds: seconds(waitedMs),
    ranSeconds: seconds(ranMs(view)),
    ...(logPath === undefined ? {} : { log: logPath }),
  };
}

function ranMs({ startedAt, endedAt }: JobView): number {
  return startedAt === undefined || endedAt === undefined ? 0 : Math.max(0, endedAt - startedAt);
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
