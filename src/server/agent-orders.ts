// What the scheduler wants done at the boards, in the words of the agent's protocol. Pure.
import type { Effect } from '../domain/commands.ts';
import type { JobRecord } from '../domain/records.ts';
import { formatToken } from '../domain/records.ts';
import type { ServerToAgent } from '../protocol/agent-messages.ts';
import type { JobSpec } from '../protocol/schema.ts';

/** Undefined for what is no agent's business. */
export function orderOf(effect: Effect, about: { jobMaxSeconds: number }): ServerToAgent | undefined {
  switch (effect.kind) {
    case 'start-job':
      return startOf(effect.job, about);
    case 'cancel-job':
      return { type: 'cancel', ...naming(effect.job), why: effect.why };
    case 'finish-job':
      return { type: 'finish', ...naming(effect.job) };
    case 'power-off':
      return { type: 'power-off', board: effect.board, token: formatToken(effect.token) };
    case 'power': {
      const { kind: type, token, ...order } = effect;
      return { type, token: formatToken(token), ...order };
    }
    default:
      return undefined;
  }
}

export function naming(job: JobRecord): { job: number; token: string } {
  return { job: job.id, token: formatToken(job.token) };
}

function startOf(job: JobRecord, { jobMaxSeconds }: { jobMaxSeconds: number }): ServerToAgent {
  const spec = job.spec as JobSpec;
  const leaveOn = spec.kind === 'image' && spec.keepOn && job.keepsLock;
  return { type: 'start', ...naming(job), board: job.board, spec, jobMaxSeconds, leaveOn };
}
