// Options of the newer commands: `--name`, `--name VALUE`, `--name=VALUE`, short forms, and words without a dash. Pure.
import { MqError } from '../protocol/errors.ts';
import { nearestName } from './config/nearest.ts';

export interface OptionSpec {
  /** `flag`: there or not; `text`: takes a value, the last one counts; `list`: all values count. */
  readonly kind: 'flag' | 'text' | 'list';
  /** One letter, for `-f`. */
  readonly short?: string;
}

export interface ParsedOptions<Name extends string> {
  readonly flags: ReadonlySet<Name>;
  readonly texts: ReadonlyMap<Name, string>;
  readonly lists: ReadonlyMap<Name, readonly string[]>;
  /** Words that are no options. */
  readonly words: readonly string[];
  readonly wantsHelp: boolean;
}

/** Throws BAD_REQUEST that says what is wrong, what was probably meant, and how to get help. */
export function parseOptions<Name extends string>(
  command: string,
  argv: readonly string[],
  specs: Readonly<Record<Name, OptionSpec>>,
): ParsedOptions<Name> {
  const flags = new Set<Name>();
  const texts = new Map<Name, string>();
  const lists = new Map<Name, readonly string[]>();
  const words: string[] = [];
  let wantsHelp = false;
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--') {
      words.push(...rest);
      break;
    }
    if (argument === '--help' || argument === '-h') wantsHelp = true;
    else if (!argument.startsWith('-') || argument === '-') words.push(argument);
    else {
      const { name, value } = findOption(command, argument, specs);
      if (specs[name].kind === 'flag') {
        if (value !== undefined) throw misuse(command, `--${name} takes no value.`);
        flags.add(name);
      } else {
        const text = value ?? rest.shift();
        if (text === undefined) throw misuse(command, `${argument} needs a value.`);
        if (specs[name].kind === 'list') lists.set(name, [...(lists.get(name) ?? []), text]);
        else texts.set(name, text);
      }
    }
  }
  return { flags, texts, lists, words, wantsHelp };
}

function findOption<Name extends string>(
  command: string,
  argument: string,
  specs: Readonly<Record<Name, OptionSpec>>,
): { name: Name; value: string | undefined } {
  const names = Object.keys(specs) as Name[];
  const equals = argument.indexOf('=');
  const given = equals < 0 ? argument : argument.slice(0, equals);
  const value = equals < 0 ? undefined : argument.slice(equals + 1);
  const name = names.find((name) => given === `--${name}` || given === `-${specs[name].short ?? ''}`);
  if (name !== undefined && given !== '-') return { name, value };
  const nearest = nearestName(
    given,
    names.map((name) => `--${name}`),
  );
  throw misuse(
    command,
    `There is no option ${given}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`,
  );
}

/** What a person typed can't be carried out; says how to get help. */
export function misuse(command: string, what: string): MqError {
  return new MqError('BAD_REQUEST', `${what} See: mq ${command} --help`);
}

/** The one word that a command takes. */
export function onlyWord(command: string, words: readonly string[], what: string): string {
  const [word, extra] = words;
  if (word === undefined) throw misuse(command, `Which ${what}?`);
  if (extra !== undefined) throw misuse(command, `'${extra}' is one word too many.`);
  return word;
}

export function noWords(command: string, words: readonly string[]): void {
  if (words[0] !== undefined) throw misuse(command, `'${words[0]}' is one word too many.`);
}

/** A job's or ticket's number. */
export function idOf(command: string, text: string): number {
  const id = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(id) || id < 1) {
    throw misuse(
      command,
      `'${text}' is no number of a job or ticket; \`mq jobs\` and \`mq queue\` show them.`,
    );
  }
  return id;
}
