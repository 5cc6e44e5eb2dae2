// Flags about the wish for a board, which `sem` and `run` share: key, waiting, hold, set, priority. Pure.
import type { RequestOf } from '../../protocol/operations.ts';
import { noKey } from './lock-lines.ts';

/** A year: the longest wait and hold that the wire carries. */
const secondsMax = 31_536_000;

export const badHoldLine = '-T <timeout> requires a positive integer';

/** Flags that are words, for finding the one that was meant. */
export const longFlags = ['--priority', '--set', '--note', '--reuse', '--server'] as const;

type Submit = RequestOf<'submit'>;
export type Wish = Pick<
  Submit,
  'key' | 'waitSeconds' | 'holdSeconds' | 'priority' | 'set' | 'note' | 'reuse'
>;

/** Flags as they were given; the last of each counts. */
export class WishFlags {
  key = noKey;
  server: string | undefined;
  /** Set when a value can't be used; the first one is told. */
  problem: string | undefined;
  #periodSeconds = 8;
  #retries = -1;
  #hold: string | undefined;
  #priority: Submit['priority'];
  #set: string | undefined;
  #note: string | undefined;
  #reuse = false;

  /** Takes the flag, and its value by calling `value`. Returns false for a flag of somebody else. */
  take(flag: string, value: () => string): boolean {
    switch (flag) {
      case '-k':
        this.key = value();
        return true;
      case '-w':
        this.#periodSeconds = this.#number(flag, value(), /^\d+(\.\d+)?$/);
        return true;
      case '-t':
        this.#retries = this.#number(flag, value(), /^-?\d+$/);
        return true;
      case '-T':
        this.#hold = value();
        return true;
      case '--set':
        this.#set = value();
        return true;
      case '--note':
        this.#note = value();
        return true;
      case '--reuse':
        this.#reuse = true;
        return true;
      case '--server':
        this.server = value();
        return true;
      case '--priority':
        this.#takePriority(value());
        return true;
      default:
        return false;
    }
  }

  /** Whether -T has a value that is no whole number. */
  get hasBadHold(): boolean {
    return this.#hold !== undefined && !/^\d+$/.test(this.#hold);
  }

  /** `-t N -w S` was N tries more, S seconds apart: a wait of N × S seconds. */
  wish(env: Readonly<Record<string, string | undefined>>): Wish {
    const set = this.#set ?? setOfEnvironment(env);
    return {
      key: this.key,
      ...(this.#retries < 0
        ? {}
        : { waitSeconds: Math.min(secondsMax, this.#retries * this.#periodSeconds) }),
      ...(this.#hold === undefined ? {} : { holdSeconds: Math.min(secondsMax, Number(this.#hold)) }),
      ...(this.#priority === undefined ? {} : { priority: this.#priority }),
      ...(set === undefined ? {} : { set }),
      ...(this.#note === undefined ? {} : { note: this.#note }),
      ...(this.#reuse ? { reuse: true } : {}),
    };
  }

  #number(flag: string, text: string, form: RegExp): number {
    if (!form.test(text)) this.problem ??= `${flag} takes a number, not '${text}'.`;
    return Number(text);
  }

  #takePriority(text: string): void {
    if (text === 'high' || text === 'normal' || text === 'low') this.#priority = text;
    else this.problem ??= `--priority is high, normal or low, not '${text}'.`;
  }
}

const runVariables = [
  'GITHUB_RUN_ID',
  'CI_PIPELINE_ID',
  'BUILD_TAG',
  'BUILDKITE_BUILD_ID',
  'CIRCLE_WORKFLOW_ID',
] as const;

/** One run of a CI is a set, so that its many jobs take turns with others as one. */
export function setOfEnvironment(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const variable = runVariables.find((name) => env[name]);
  return variable === undefined ? undefined : env[variable]?.slice(0, 256);
}

/** Walks over arguments; `value` gives what follows a flag. */
export class ArgumentReader {
  readonly #argv: readonly string[];
  #at = 0;
  /** The flag whose value is missing, if one is. */
  missing: string | undefined;

  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  next(): string | undefined {
    const argument = this.#argv[this.#at];
    this.#at += 1;
    return argument;
  }

  /** What follows, whatever it looks like: `-t -1`. Empty where nothing does, as in the old scripts. */
  valueOf(flag: string): string {
    const value = this.next();
    if (value === undefined) this.missing ??= flag;
    return value ?? '';
  }
}
