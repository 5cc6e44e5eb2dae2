// `mq check-config`: every problem of a lab's file, each with its place and, where it is plain, what to write.
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { onlyWord } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';

export function checkConfig(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('check-config', argv, terminal, { json: { kind: 'flag' } }, async ({ options }) => {
    const result = await loadConfig(onlyWord('check-config', options.words, 'file'), { looksAround: true });
    if (options.flags.has('json')) {
      terminal.print(jsonLines(summaryOf(result)));
      return result.ok ? 0 : 1;
    }
    if (!result.ok) {
      terminal.print(result.problems.map((problem) => escapeText(formatProblem(problem))));
      return 1;
    }
    const { config, warnings } = result;
    const inNoPool = config.boards.filter(
      ({ name }) => !config.pools.some((pool) => pool.boards.includes(name)),
    );
    terminal.print([
      ...warnings.map((warning) => escapeText(`warning: ${formatProblem(warning)}`)),
      escapeText(
        `${config.name}: ${count(config.boards.length, 'board')}, ${count(config.pools.length, 'pool')}, ` +
          `${inNoPool.length === 0 ? 'every board in a pool' : `${count(inNoPool.length, 'board')} in no pool`}`,
      ),
    ]);
    return 0;
  });
}

/** For programs. A place is a file, and in it a line and a column from 1, or 0 where the whole file is meant. */
function summaryOf(result: Awaited<ReturnType<typeof loadConfig>>): object {
  if (!result.ok) return { ok: false, problems: result.problems, warnings: [] };
  const { config, warnings } = result;
  const { boards, pools } = config;
  return { ok: true, problems: [], warnings, lab: config.name, boards: boards.length, pools: pools.length };
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
