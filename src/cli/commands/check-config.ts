// `mq check-config`: every problem of a lab's file, each with its place and, where it is plain, what to write.
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { onlyWord } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { runCommand } from './command.ts';

export function checkConfig(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('check-config', argv, terminal, {}, async ({ options }) => {
    const result = await loadConfig(onlyWord('check-config', options.words, 'file'), { looksAround: true });
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

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
