// `mq sem`: from arguments to what is asked for. Pure. Flags come in any order, and the last verb counts.
import { ArgumentReader, badHoldLine, type Wish, WishFlags } from './wish-flags.ts';

type Verb = 'wait' | 'signal' | 'info' | 'mr-info' | 'cancel' | 'dumpall';

export type SemRequest =
  | { readonly kind: 'dumpall'; readonly server: string | undefined }
  | { readonly kind: 'info' | 'mr-info'; readonly target: string; readonly server: string | undefined }
  | {
      readonly kind: 'wait';
      readonly target: string;
      readonly wish: Wish;
      readonly server: string | undefined;
    }
  | {
      readonly kind: 'signal';
      readonly target: string;
      readonly key: string;
      readonly force: boolean;
      readonly note: string | undefined;
      readonly server: string | undefined;
    }
  | {
      readonly kind: 'cancel';
      readonly target: string;
      readonly key: string;
      readonly server: string | undefined;
    }
  | Unusable;

/** Arguments that ask for nothing that can be done. */
export interface Unusable {
  readonly kind: 'unusable';
  /** For stdout. */
  readonly lines: readonly string[];
  /** Whether the usage follows them. */
  readonly usage: boolean;
  /** What was wrong, for a person: a sentence, or the flag that is none. */
  readonly problem?: string;
  readonly unknownFlag?: string;
  readonly exit: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const verbs: Readonly<Record<string, Verb>> = {
  '-wait': 'wait',
  '-signal': 'signal',
  '-info': 'info',
  '-mr-info': 'mr-info',
  '-cancel': 'cancel',
};

export function parseSem(argv: readonly string[], env: Environment): SemRequest {
  const flags = new WishFlags();
  const reader = new ArgumentReader(argv);
  let verb: Verb | undefined;
  let target = '';
  let force = false;
  for (let flag = reader.next(); flag !== undefined && flag !== '--'; flag = reader.next()) {
    const named = Object.hasOwn(verbs, flag) ? verbs[flag] : undefined;
    if (named) {
      verb = named;
      target = reader.valueOf(flag);
    } else if (flag === 'dumpall') verb = 'dumpall';
    else if (flag === '-f') force = true;
    else if (flag === 'help' || flag === '--help') return unusable([]);
    else if (!flags.take(flag, () => reader.valueOf(flag))) {
      return { ...unusable([`Unknown option ${flag}`]), unknownFlag: flag };
    }
  }
  if (flags.hasBadHold) return { ...unusable([badHoldLine]), usage: false };
  const { server } = flags;
  if (verb === undefined) return unusable(['Unknown usage']);
  if (reader.missing !== undefined && reader.missing !== `-${verb}`) {
    return unusable([], `${reader.missing} needs a value.`);
  }
  if (flags.problem !== undefined) return unusable([], flags.problem);
  const wish = flags.wish(env);
  switch (verb) {
    case 'dumpall':
      return { kind: verb, server };
    case 'info':
    case 'mr-info':
      return { kind: verb, target, server };
    case 'wait':
      return { kind: verb, target, wish, server };
    case 'signal':
      return { kind: verb, target, key: flags.key, force, note: wish.note, server };
    case 'cancel':
      return { kind: verb, target, key: flags.key, server };
  }
}

function unusable(lines: readonly string[], problem?: string): Unusable {
  return { kind: 'unusable', lines, usage: true, exit: 1, ...(problem === undefined ? {} : { problem }) };
}
