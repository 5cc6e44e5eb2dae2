// `mq run`: from arguments to what is to be run. Pure but for the question whether a file is there, which is passed in:
// the old script asked it in the order of the flags, and its first complaint was the only one.
import type { RunPlan } from '../run/job-files.ts';
import type { Unusable } from './sem-flags.ts';
import { ArgumentReader, badHoldLine, type Wish, WishFlags } from './wish-flags.ts';

export interface RunRequest extends RunPlan {
  readonly kind: 'run';
  readonly target: string;
  /** `reserve`: -r, nothing is loaded. */
  readonly what: 'image' | 'reserve';
  /** -n: under a lock that the user has. */
  readonly ownLock: boolean;
  readonly logPath: string | undefined;
  readonly wish: Wish;
  readonly server: string | undefined;
}

export interface RunContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isFile: (path: string) => boolean;
}

const noTargetHint =
  "Which board? Say so with -s, or in the newer words: mq run sabre kernel.elf --until 'login:' --timeout 5m\nThere is more about these: mq run --help";
const timeoutSecondsMax = 31_536_000;

export function parseRun(argv: readonly string[], context: RunContext): RunRequest | Unusable {
  const parser = new RunParser(context);
  return parser.parse(argv);
}

class RunParser {
  readonly #context: RunContext;
  readonly #flags = new WishFlags();
  readonly #files: string[] = [];
  #target = '';
  #dtb: string | undefined;
  #bitstream: string | undefined;
  #linux = false;
  #endText: string | undefined;
  #errorText = '';
  #timeout = '-1';
  #keepOn = false;
  #ownLock = false;
  #isReservation = false;
  #logPath: string | undefined;

  constructor(context: RunContext) {
    this.#context = context;
  }

  parse(argv: readonly string[]): RunRequest | Unusable {
    const reader = new ArgumentReader(argv);
    for (let flag = reader.next(); flag !== undefined && flag !== '--'; flag = reader.next()) {
      const value = () => reader.valueOf(flag);
      if (flag === 'help' || flag === '--help') return { ...this.#usage(), exit: 0 };
      const isKnown = this.#takeSwitch(flag) || this.#takeText(flag, value) || this.#flags.take(flag, value);
      if (!isKnown) {
        const takesFile = ['-f', '-b', '--bitstream', '-c'].includes(flag);
        const refused = takesFile ? this.#takeChecked(flag, value()) : this.#unknown(flag);
        if (refused) return refused;
      }
      if (reader.missing !== undefined) return this.#usage(`${reader.missing} needs a value.`);
    }
    return this.#finish();
  }

  #takeSwitch(flag: string): boolean {
    if (flag === '-r') this.#isReservation = true;
    else if (flag === '-n') this.#ownLock = true;
    else if (flag === '-a') this.#keepOn = true;
    else if (flag === '-L') this.#linux = true;
    else return false;
    return true;
  }

  #takeText(flag: string, value: () => string): boolean {
    if (flag === '-s') this.#target = value();
    else if (flag === '-e') this.#errorText = value();
    else if (flag === '-d') this.#timeout = value();
    else if (flag === '-l') this.#logPath = value();
    else return false;
    return true;
  }

  /** Values that can be refused at once. */
  #takeChecked(flag: string, value: string): Unusable | undefined {
    if (flag === '-c') {
      if (this.#endText !== undefined) return this.#usage('-c may be given once.');
      this.#endText = value;
      return undefined;
    }
    if (!this.#context.isFile(value)) return noFile(flag, value);
    if (flag === '-f') this.#files.push(value);
    else if (flag === '-b') this.#dtb = value;
    else this.#bitstream = value;
    return undefined;
  }

  #finish(): RunRequest | Unusable {
    const flags = this.#flags;
    if (flags.hasBadHold) return { kind: 'unusable', lines: [badHoldLine], usage: false, exit: 1 };
    if (this.#target === '') return this.#usage(noTargetHint);
    if (!this.#isReservation && this.#endText === undefined) {
      return this.#usage('Give the text to wait for with -c, or -r for a reservation.');
    }
    const timeoutSeconds = Number(this.#timeout);
    if (!/^-?\d+(\.\d+)?$/.test(this.#timeout))
      return this.#usage(`-d takes seconds, not '${this.#timeout}'.`);
    if (flags.problem !== undefined) return this.#usage(flags.problem);
    return {
      kind: 'run',
      target: this.#target,
      what: this.#isReservation ? 'reserve' : 'image',
      files: this.#files,
      dtb: this.#dtb,
      bitstream: this.#bitstream,
      linux: this.#linux,
      endText: this.#endText ?? '',
      errorText: this.#errorText,
      timeoutSeconds: timeoutSeconds < 0 ? -1 : Math.min(timeoutSecondsMax, timeoutSeconds),
      keepOn: this.#keepOn,
      ownLock: this.#ownLock,
      logPath: this.#logPath,
      wish: flags.wish(this.#context.env),
      server: flags.server,
    };
  }

  #unknown(flag: string): Unusable {
    return { ...this.#usage(), lines: [`Unknown option ${flag}`], unknownFlag: flag };
  }

  #usage(problem?: string): Unusable {
    return {
      kind: 'unusable',
      lines: [],
      usage: true,
      exit: 1,
      ...(problem === undefined ? {} : { problem }),
    };
  }
}

function noFile(flag: string, path: string): Unusable {
  const what = flag === '-b' ? 'dtb file' : 'File';
  return {
    kind: 'unusable',
    lines: [`${what} "${path}" either does not exist, or is not considered a valid file`],
    usage: false,
    exit: 1,
  };
}
