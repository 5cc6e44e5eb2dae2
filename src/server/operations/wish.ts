// What a submit asks of the scheduler: the words of the request, with the lab's rules about sets, classes and waits.
import type { Submit } from '../../domain/commands.ts';
import type { PriorityClass, TargetSpec } from '../../domain/records.ts';
import { MqError } from '../../protocol/errors.ts';
import { labelOfKey } from '../../protocol/key-label.ts';
import { waitSecondsForEver } from '../../protocol/lab.ts';
import type { RequestOf } from '../../protocol/operations.ts';
import type { Call } from './call.ts';

export type SubmitBody = RequestOf<'submit'>;

const classes: Record<'high' | 'normal' | 'low', PriorityClass> = { high: 0, normal: 1, low: 2 };

/** Throws NOT_ALLOWED for a class that is not the caller's, and LIMIT_REACHED for a wait that is too long. */
export function toSubmit(call: Call, body: SubmitBody, target: TargetSpec): Submit {
  const { job } = body;
  const needs =
    job?.kind === 'image'
      ? { fileCount: job.files.length, linux: job.linux, dtb: job.dtb !== undefined }
      : undefined;
  return {
    caller: call.caller,
    kind: body.kind,
    target,
    key: body.key,
    set: setOf(call, body),
    priority: classOf(call, body.priority ?? 'normal'),
    ...(needs ? { needs } : {}),
    holdSeconds: body.holdSeconds ?? 0,
    ...waitOf(call, body),
    ...(job ? { job } : {}),
    ...(job?.kind === 'console' ? { consoleOnly: true } : {}),
    detached: job?.detached ?? false,
    note: body.note ?? '',
    reuse: body.reuse ?? false,
    members: body.members ?? true,
  };
}

/** Refused where it is longer than the lab has it; a wait without an end gets the lab's. */
function waitOf(call: Call, { waitSeconds }: SubmitBody): { waitSeconds?: number } {
  const { waitSecondsMax: value } = call.lab.config.limits;
  if (waitSeconds === undefined) return value < waitSecondsForEver ? { waitSeconds: value } : {};
  if (waitSeconds <= value) return { waitSeconds };
  const message = `A ticket waits for ${value} seconds at most in this lab, not ${waitSeconds}. Ask for less.`;
  throw new MqError('LIMIT_REACHED', message, { details: { limit: 'waitSecondsMax', value } });
}

/** The user, with a label: the client's, or what the lab takes from the key. */
function setOf(call: Call, body: SubmitBody): string {
  const { user } = call.caller;
  const { setFromKey } = call.lab.config;
  const label = body.set || (setFromKey === undefined ? undefined : labelOfKey(setFromKey, body.key));
  return label ? `${user}/${label}` : user;
}

/** Anyone may go lower; higher only whom the configuration lists. */
function classOf(call: Call, priority: 'high' | 'normal' | 'low'): PriorityClass {
  const may = call.caller.admin || call.lab.config.priorityHigh.includes(call.caller.user);
  if (priority === 'high' && !may) {
    throw new MqError(
      'NOT_ALLOWED',
      `${call.caller.user} may not use priority high: the lab's configuration lists who may.`,
    );
  }
  return classes[priority];
}
