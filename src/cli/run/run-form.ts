// `mq run` has two forms: the letters of the old scripts with their output, and the newer words. Which one a call is in,
// is decided here; only that one is loaded. Pure but for that.
import { MqError } from '../../protocol/errors.ts';
import type { Terminal } from '../terminal/terminal.ts';

const oldLetters: ReadonlySet<string> = new Set(
  ['s', 'f', 'c', 'e', 'd', 'a', 'r', 'l', 'L', 'b', 'n', 'k', 'w', 't', 'T'].map((letter) => `-${letter}`),
);

/** Options of the new form alone, and what an old call says instead. */
const newWords: Readonly<Record<string, string | undefined>> = {
  '--until': '-c',
  '--fail-on': '-e',
  '--timeout': '-d',
  '--wait': '-t and -w',
  '--no-wait': '-t 0',
  '--hold': '-T',
  '--key': '-k',
  '--log': '-l',
  '--keep-on': '-a',
  '--dtb': '-b',
  '--linux': '-L',
  '--own-lock': '-n',
  '--detach': undefined,
  '--json': undefined,
};

const flags: ReadonlySet<string> = new Set([
  ...['--no-wait', '--keep-on', '--linux', '--own-lock', '--detach', '--json', '--no-color', '--reuse'],
  ...['--help', '-h'],
]);

export interface MixedForm {
  readonly kind: 'mixed';
  readonly letter: string;
  readonly word: string;
}

export type RunForm = { readonly kind: 'old' } | { readonly kind: 'new' } | MixedForm;

/**
 * Old where one of the old letters stands in an option's place, and where nothing is said at all. A call that also has
 * words which the old scripts never knew is neither.
 */
export function runForm(argv: readonly string[]): RunForm {
  if (argv[0] === 'help') return { kind: 'old' };
  let letter: string | undefined;
  let word: string | undefined;
  let isEmpty = true;
  for (let at = 0; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    if (argument === '--') break;
    const isLetter = oldLetters.has(argument);
    const name = argument.replace(/=.*/s, '');
    if (isLetter) letter ??= argument;
    else if (Object.hasOwn(newWords, name)) word ??= name;
    if (name !== '--server') isEmpty = false;
    if (takesValue(argument)) at += 1;
  }
  if (letter !== undefined && word !== undefined) return { kind: 'mixed', letter, word };
  return { kind: letter !== undefined || isEmpty ? 'old' : 'new' };
}

/** Whether the next argument is a value, which may look like anything. */
function takesValue(argument: string): boolean {
  if (argument.startsWith('--')) return !flags.has(argument) && !argument.includes('=');
  return oldLetters.has(argument) && !['-a', '-r', '-L', '-n'].includes(argument);
}

export async function run(argv: readonly string[], terminal: Terminal, program: string): Promise<number> {
  const form = runForm(argv);
  if (form.kind === 'old') return (await import('../legacy/run.ts')).run(argv, terminal, program);
  if (form.kind === 'new') return (await import('../commands/run.ts')).runInWords(argv, terminal);
  const { tellFailure } = await import('../commands/command.ts');
  return tellFailure(mixedError(form), terminal, { isJson: argv.includes('--json') });
}

function mixedError({ letter, word }: MixedForm): MqError {
  const oldOne = newWords[word];
  const newOne = Object.entries(newWords).find(([, old]) => old?.split(/ /)[0] === letter)?.[0];
  const hints = [
    newOne === undefined ? undefined : `the new word for ${letter} is ${newOne}`,
    oldOne === undefined ? undefined : `the old letter for ${word} is ${oldOne}`,
  ].filter((hint) => hint !== undefined);
  const hint = hints.length === 0 ? '' : ` ${hints.join(', ').replace(/^t/, 'T')}.`;
  return new MqError(
    'BAD_REQUEST',
    `${letter} is one of the old letters of run and ${word} a new word: a call takes one kind.${hint} See: mq run --help`,
  );
}
