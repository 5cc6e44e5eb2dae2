// `mq completion`: the code that makes a shell complete mq's words, and the candidates that this code asks for.
import { complete } from '../completion/complete.ts';
import { forBash, narrow, type Quote, splitLine } from '../completion/fit-shell.ts';
import { liveNames } from '../completion/live-names.ts';
import { type Shell, shellCode, shells } from '../completion/shell-code.ts';
import { misuse } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { runCommand } from './command.ts';

const options = { line: { kind: 'text' } } as const;

export function completion(argv: readonly string[], terminal: Terminal): Promise<number> {
  const at = argv.indexOf('--');
  const own = at < 0 ? argv : argv.slice(0, at);
  return runCommand('completion', own, terminal, options, async ({ options }) => {
    const shell = shells.find((known) => known === options.words[0]);
    if (shell === undefined || options.words.length > 1) {
      throw misuse('completion', `Which shell: ${shells.join(', ')}?`);
    }
    const line = options.texts.get('line');
    if (line !== undefined) {
      const { words, quote } = splitLine(line);
      await answer(words.slice(1), { shell, quote, terminal });
    } else if (at >= 0) await answer(argv.slice(at + 1), { shell, quote: '', terminal });
    else terminal.print(shellCode[shell].trimEnd().split('\n'));
    return 0;
  });
}

/** Prints `files`, or the candidates one a line. */
async function answer(
  words: readonly string[],
  { shell, quote, terminal }: { shell: Shell; quote: Quote; terminal: Terminal },
): Promise<void> {
  const current = words.at(-1) ?? '';
  const candidates = complete(words);
  if (candidates.kind === 'files') {
    terminal.print(['files']);
    return;
  }
  const names = candidates.kind === 'names' ? await liveNames(candidates.of, serverOf(words)) : [];
  const fitting = narrow(current, [...names, ...candidates.words]);
  terminal.print(shell === 'bash' ? forBash(fitting, current, quote) : fitting);
}

/** The value of a --server that was typed. */
function serverOf(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => word === '--server' || word.startsWith('--server='));
  const word = words[at];
  if (word === undefined || at === words.length - 1) return undefined;
  return word === '--server' ? words[at + 1] : word.slice('--server='.length);
}
