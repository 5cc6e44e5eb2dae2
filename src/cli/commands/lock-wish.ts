// The options by which `mq lock` and `mq with` ask for a board, and lengths of time as people type them. Pure.
import type { RequestOf } from '../../protocol/operations.ts';
import { parseDurationSeconds } from '../config/units.ts';
import { setOfEnvironment } from '../legacy/wish-flags.ts';
import { misuse } from '../options.ts';

export type LockWish = Omit<RequestOf<'submit'>, 'requestId' | 'target' | 'kind'>;

export const wishOptions = {
  key: { kind: 'text' },
  wait: { kind: 'text' },
  'no-wait': { kind: 'flag' },
  hold: { kind: 'text' },
  note: { kind: 'text' },
  set: { kind: 'text' },
  priority: { kind: 'text' },
} as const;

type WishName = keyof typeof wishOptions;

interface WishOptions {
  readonly texts: { get(name: WishName): string | undefined };
  readonly flags: { has(name: WishName): boolean };
}

/** A year; what the server takes at most. */
const secondsMax = 31_536_000;

/**
 * What the options ask for. Throws BAD_REQUEST where they make no sense.
 *
 * @param key the one that is meant where none is given
 * @param env where a CI names its run, which then is the set
 */
export function lockWish(
  command: string,
  { texts, flags }: WishOptions,
  { key, env }: { key: string; env: Readonly<Record<string, string | undefined>> },
): LockWish {
  const wait = texts.get('wait');
  if (wait !== undefined && flags.has('no-wait')) throw misuse(command, '--wait or --no-wait, but not both.');
  const waitSeconds = flags.has('no-wait')
    ? 0
    : wait === undefined
      ? undefined
      : secondsOf(command, '--wait', wait);
  const hold = texts.get('hold');
  const priority = texts.get('priority');
  const set = texts.get('set') ?? setOfEnvironment(env);
  const note = texts.get('note');
  return {
    key: texts.get('key') ?? key,
    members: false,
    ...(waitSeconds === undefined ? {} : { waitSeconds }),
    ...(hold === undefined ? {} : { holdSeconds: secondsOf(command, '--hold', hold) }),
    ...(priority === undefined ? {} : { priority: priorityOf(command, priority) }),
    ...(set === undefined ? {} : { set }),
    ...(note === undefined ? {} : { note }),
  };
}

/** `20m` → 1200, `1h30m` → 5400, `0` → 0. */
export function secondsOf(command: string, option: string, text: string): number {
  const seconds = text === '0' ? 0 : parseDurationSeconds(text);
  if (seconds === undefined) {
    throw misuse(command, `${option} takes a time such as 90s, 20m or 1h30m, or 0; '${text}' is none.`);
  }
  return Math.min(secondsMax, seconds);
}

function priorityOf(command: string, text: string): 'high' | 'normal' | 'low' {
  if (text === 'high' || text === 'normal' || text === 'low') return text;
  throw misuse(command, `--priority is high, normal or low, not '${text}'.`);
}
