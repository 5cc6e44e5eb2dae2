// From a job's end to exit code and last lines of `run`. Pure.
import type { JobView } from '../../protocol/views.ts';

/** 0 when the end text came; what a board's own script returned; else 1. */
export function exitCodeOf(job: Pick<JobView, 'verdict' | 'exitCode'>): number {
  if (job.exitCode !== undefined && (job.exitCode !== 0 || job.verdict === 'completed'))
    return job.exitCode & 0xff;
  return job.verdict === 'completed' ? 0 : 1;
}

/** Clients look for these on stdout. */
export function verdictLine(job: Pick<JobView, 'verdict'>): string | undefined {
  if (job.verdict === 'timed-out') return '[[Timeout]]';
  if (job.verdict === 'boot-failed') return '[[Boot timeout]]';
  return undefined;
}

/** What a person should know; `isTrouble`: not the image's doing, so it is told also where nobody watches. */
export function verdictText(
  job: Pick<JobView, 'verdict' | 'detail' | 'board' | 'id'>,
  message: string | undefined,
): { readonly text: string; readonly isTrouble: boolean } | undefined {
  const detail = message ?? job.detail ?? '';
  const where = `Job ${job.id}${job.board === undefined ? '' : ` on ${job.board}`}`;
  const because = detail === '' ? '.' : `: ${detail}${/[.!?]$/.test(detail) ? '' : '.'}`;
  switch (job.verdict) {
    case 'error-text':
      return { text: `${where} has failed: its error text came.`, isTrouble: false };
    case 'timed-out':
      return { text: `${where} ran out of time${because}`, isTrouble: false };
    case 'boot-failed':
      return { text: `${where} did not boot${because}`, isTrouble: true };
    case 'lab-fault':
      return {
        text: `${where} was ended by a fault of the lab, not of its image${because}`,
        isTrouble: true,
      };
    case 'cancelled':
      return { text: `${where} was cancelled${because}`, isTrouble: true };
    default:
      return undefined;
  }
}
