// What can stand where a person is typing: commands, options, and what kind of name. All of it is taken from the texts of
// the help, so that whatever has help is completed. Pure.
import type { CommandHelp } from '../help/entry.ts';
import { commandHelps } from '../help/help.ts';
import { runUsage, semUsage } from '../legacy/usage.ts';
import { runForm } from '../run/run-form.ts';

/**
 * Names that only the server knows. `need`: a target, and the `=` behind it; `job`: any of late; `live`: jobs and tickets of
 * mine that can be ended.
 */
export type NameKind = 'target' | 'need' | 'board' | 'job' | 'live' | 'key' | 'user';

export type Candidates =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'names'; readonly of: NameKind; readonly words: readonly string[] }
  | { readonly kind: 'files' };

const nothing: Candidates = { kind: 'words', words: [] };

/** By the words that stand in help for what a person gives. */
const kinds: Readonly<Record<string, Candidates>> = {
  TARGET: { kind: 'names', of: 'target', words: [] },
  'TARGET=N': { kind: 'names', of: 'need', words: [] },
  NAME: { kind: 'names', of: 'target', words: [] },
  BOARD: { kind: 'names', of: 'board', words: [] },
  JOB: { kind: 'names', of: 'job', words: [] },
  ID: { kind: 'names', of: 'live', words: [] },
  KEY: { kind: 'names', of: 'key', words: [] },
  USER: { kind: 'names', of: 'user', words: [] },
  FILE: { kind: 'files' },
  DIR: { kind: 'files' },
  PATH: { kind: 'files' },
  COMMAND: { kind: 'files' },
  P: { kind: 'words', words: ['high', 'normal', 'low'] },
  LEVEL: { kind: 'words', words: ['debug', 'info', 'warn', 'error'] },
  TIME: { kind: 'words', words: ['30s', '5m', '20m', '1h'] },
  ADDR: { kind: 'words', words: ['unix:', 'ssh://', 'https://'] },
};

/** Options that every command of the newer words has. */
const everywhere: readonly (readonly [string, string | undefined])[] = [
  ['--help', undefined],
  ['--no-color', undefined],
  ['--server', 'ADDR'],
];

/**
 * @param words behind the program's name; the last is the one that is being typed, and may be empty
 * @returns what may stand there; not yet narrowed to what begins as the word does
 */
export function complete(words: readonly string[]): Candidates {
  const helps = commandHelps();
  const [command = '', ...rest] = withoutServer(words);
  if (rest.length === 0)
    return { kind: 'words', words: [...Object.keys(helps), 'help', '--help', '--version'] };
  const names = Object.keys(helps);
  if (command === 'help') return rest.length === 1 ? { kind: 'words', words: names } : nothing;
  const help = Object.hasOwn(helps, command) ? helps[command] : undefined;
  return help === undefined ? nothing : completeArguments(command, help, rest);
}

/** `mq --server ADDR COMMAND` is the same as `mq COMMAND`. */
function withoutServer(words: readonly string[]): readonly string[] {
  if (words[0] === '--server' && words.length > 2) return words.slice(2);
  return words[0]?.startsWith('--server=') && words.length > 1 ? words.slice(1) : words;
}

function completeArguments(command: string, help: CommandHelp, words: readonly string[]): Candidates {
  const options = optionsOf(command, help, words);
  const current = words.at(-1) ?? '';
  const positional: string[] = [];
  for (let at = 0; at < words.length - 1; at += 1) {
    const word = words[at] ?? '';
    if (word === '--') return command === 'with' ? { kind: 'files' } : nothing;
    if (options.get(word) !== undefined) {
      if (at === words.length - 2) return kindOf(options.get(word));
      at += 1;
    } else if (!word.startsWith('-')) positional.push(word);
  }
  const assigned = /^(--[\w-]+)=/.exec(current)?.[1];
  if (assigned !== undefined) return kindOf(options.get(assigned));
  if (current.startsWith('-')) return { kind: 'words', words: [...options.keys()] };
  return argumentKind(help, positional);
}

/** Each option by its name, with what it takes. */
function optionsOf(
  command: string,
  help: CommandHelp,
  words: readonly string[],
): Map<string, string | undefined> {
  if (command === 'sem') return new Map(usageOptions(semUsage('mq')));
  if (command === 'run' && words.length > 1 && runForm(words.slice(0, -1)).kind === 'old')
    return new Map(usageOptions(runUsage('mq')));
  const listed = (help.options ?? []).flatMap(([left]) =>
    left.split(', ').map((name) => {
      const [option = '', value] = name.split(' ');
      // `-o, --out FILE`: what is said of the long one is true of the short one.
      return [
        option,
        value ??
          left
            .split(' ')
            .at(-1)
            ?.match(/^[A-Z=]+$/)?.[0],
      ] as const;
    }),
  );
  return new Map([...listed, ...everywhere]);
}

/** Of the old words' usage: ` -s NAME   The board …`. */
function usageOptions(lines: readonly string[]): [string, string | undefined][] {
  return lines.flatMap((line) => {
    const [, option, value] = /^ (--?[\w-]+)(?: ([A-Z]+))? {2}/.exec(line) ?? [];
    return option === undefined ? [] : [[option, value] as [string, string | undefined]];
  });
}

function kindOf(value: string | undefined): Candidates {
  return (value === undefined ? undefined : kinds[value]) ?? nothing;
}

/** What the forms of the help have in this place, of those forms whose fixed words were typed. */
function argumentKind({ forms }: CommandHelp, before: readonly string[]): Candidates {
  const words = new Set<string>();
  let named: Candidates | undefined;
  for (const form of forms) {
    const slots = slotsOf(form);
    if (!before.every((word, at) => mayBe(slotAt(slots, at), word))) continue;
    const slot = slotAt(slots, before.length);
    if (slot === undefined) continue;
    if (/^[A-Z]/.test(slot)) named ??= kinds[slot];
    else for (const word of slot.split('|')) words.add(word);
  }
  if (named?.kind === 'names') return { ...named, words: [...words] };
  return named ?? { kind: 'words', words: [...words] };
}

/** `TARGET FILE ... [--until TEXT]` → TARGET, FILE, and again FILE; options come behind all of these. */
function slotsOf(form: string): string[] {
  const slots: string[] = [];
  for (const word of form.split(' ')) {
    if (/^\[?-|^\[options/.test(word) || word === '') break;
    if (word === '...') slots.push('...');
    else {
      slots.push(word.replace(/^\[|\]$|\.\.\.$/g, ''));
      if (word.endsWith('...')) slots.push('...');
    }
  }
  return slots;
}

function slotAt(slots: readonly string[], at: number): string | undefined {
  const again = slots.indexOf('...');
  return again >= 0 && at >= again ? slots[again - 1] : slots[at];
}

function mayBe(slot: string | undefined, word: string): boolean {
  return slot !== undefined && (/^[A-Z]/.test(slot) || slot.split('|').includes(word));
}
