// `mq reload`: has the server load its configuration again, and says what is different.
import type { ConfigChange, ConfigProblem } from '../../protocol/config-change.ts';
import { MqError } from '../../protocol/errors.ts';
import { formatProblem } from '../config/problem.ts';
import { noWords } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';

/** A lab of thousands of boards is read, checked and stored within this. */
const reloadMs = 120_000;

export function reload(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('reload', argv, terminal, { json: { kind: 'flag' } }, async ({ options, connect }) => {
    noWords('reload', options.words);
    const isJson = options.flags.has('json');
    const client = await connect();
    const change = await client.request('reload', {}, { timeoutMs: reloadMs }).catch((error: unknown) => {
      if (!isJson && error instanceof MqError && error.code === 'BAD_CONFIG') tellProblems(error, terminal);
      throw error;
    });
    if (isJson) {
      terminal.print(jsonLines(change));
      return 0;
    }
    for (const warning of change.warnings)
      terminal.complain(escapeText(`warning: ${formatProblem(warning)}`));
    terminal.print(changeLines(change).map(escapeText));
    return 0;
  });
}

function tellProblems({ details }: MqError, terminal: Terminal): void {
  const problems = Array.isArray(details.problems) ? (details.problems as ConfigProblem[]) : [];
  for (const problem of problems) terminal.complain(escapeText(formatProblem(problem)));
}

/** What is different, one kind of difference a line. */
export function changeLines({ boards, pools, settings, atNextStart }: ConfigChange): string[] {
  const isLeaving = new Set(boards.leaving);
  const stays = (name: string): string =>
    isLeaving.has(name) ? `${name} (still in use, goes after that)` : name;
  const lines = [
    line('boards added', boards.added),
    line('boards removed', boards.removed.map(stays)),
    line(
      'boards renamed',
      boards.renamed.map(({ from, to }) => `${stays(from)} → ${to}`),
    ),
    line('boards changed', boards.changed),
    line('pools added', pools.added),
    line('pools removed', pools.removed),
    line('pools changed', pools.changed),
    line('settings changed', settings),
    line('takes effect at the next start', atNextStart),
  ].filter((text) => text !== '');
  return lines.length > 0 ? lines : ['nothing has changed'];
}

function line(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${what}: ${names.join(', ')}`;
}
