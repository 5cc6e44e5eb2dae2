// The newer words of `mq run`: from options to what is to be run. Pure.
import { type LockWish, lockWish, secondsOf, wishOptions } from '../commands/lock-wish.ts';
import { noKey } from '../legacy/lock-lines.ts';
import { misuse } from '../options.ts';
import type { RunPlan } from './job-files.ts';

export const runOptions = {
  ...wishOptions,
  until: { kind: 'text' },
  'fail-on': { kind: 'text' },
  timeout: { kind: 'text' },
  log: { kind: 'text' },
  'keep-on': { kind: 'flag' },
  dtb: { kind: 'text' },
  bitstream: { kind: 'text' },
  linux: { kind: 'flag' },
  'own-lock': { kind: 'flag' },
  detach: { kind: 'flag' },
  json: { kind: 'flag' },
} as const;

type RunName = keyof typeof runOptions;

interface RunOptions {
  readonly words: readonly string[];
  readonly texts: { get(name: RunName): string | undefined };
  readonly flags: { has(name: RunName): boolean };
}

export interface RunWish {
  readonly target: string;
  readonly plan: RunPlan;
  readonly wish: LockWish;
  /** Under a lock that the user has; it stays. */
  readonly ownLock: boolean;
  readonly logPath: string | undefined;
  readonly isDetached: boolean;
  readonly isJson: boolean;
}

const example = "mq run sabre kernel.elf --until 'login:' --timeout 5m";

/** Throws BAD_REQUEST that says what is missing or can't go together. */
export function runWish(
  { words, texts, flags }: RunOptions,
  env: Readonly<Record<string, string | undefined>>,
): RunWish {
  const [target, ...files] = words;
  if (target === undefined) throw misuse('run', `Which board or pool, and which files? As in: ${example}.`);
  // A board may need none; then the text says that this is a run.
  if (files.length === 0 && texts.get('until') === undefined)
    throw misuse('run', `Which files are to run on ${target}? As in: ${example}.`);
  const timeout = texts.get('timeout');
  const timeoutSeconds = timeout === undefined ? -1 : secondsOf('run', '--timeout', timeout);
  if (timeoutSeconds === 0)
    throw misuse('run', '--timeout 0 leaves no time; without it the lab sets the limit.');
  const plan: RunPlan = {
    files,
    dtb: texts.get('dtb'),
    bitstream: texts.get('bitstream'),
    linux: flags.has('linux'),
    endText: texts.get('until') ?? '',
    errorText: texts.get('fail-on') ?? '',
    timeoutSeconds,
    keepOn: flags.has('keep-on'),
  };
  if (plan.dtb !== undefined && !plan.linux) throw misuse('run', '--dtb is for Linux: add --linux.');
  const isDetached = flags.has('detach');
  if (isDetached && plan.keepOn)
    throw misuse('run', '--keep-on needs somebody at the console: not with --detach.');
  if (isDetached && texts.get('log') !== undefined)
    throw misuse('run', '--detach writes no --log; `mq logs JOB` has it all.');
  return {
    target,
    plan,
    wish: lockWish('run', { texts, flags }, { key: noKey, env }),
    ownLock: flags.has('own-lock'),
    logPath: texts.get('log'),
    isDetached,
    isJson: flags.has('json'),
  };
}
