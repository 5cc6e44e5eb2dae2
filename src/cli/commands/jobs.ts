// `mq jobs`: what ran and what runs, or one job.
import { idOf, misuse, onlyWord } from '../options.ts';
import { paintFor } from '../terminal/paint.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand, tableWidth } from './command.ts';
import { jobTable } from './job-table.ts';

const limitMax = 10_000;
const limitDefault = 25;

const options = {
  mine: { kind: 'flag' },
  json: { kind: 'flag' },
  limit: { kind: 'text', short: 'n' },
} as const;

export function jobs(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('jobs', argv, terminal, options, async ({ options, connect }) => {
    const id = options.words.length === 0 ? undefined : idOf('jobs', onlyWord('jobs', options.words, 'job'));
    const mine = options.flags.has('mine');
    if (id !== undefined && (mine || options.texts.has('limit')))
      throw misuse('jobs', 'A job by its number is one: --mine and --limit are for lists.');
    const limit = limitOf(options.texts.get('limit'));
    const client = await connect({ readsOnly: true });
    const jobs =
      id === undefined
        ? (await client.request('jobs', { limit, ...(mine ? { mine } : {}) })).jobs
        : [(await client.request('job', { id })).job];
    if (options.flags.has('json')) terminal.print(jsonLines(id === undefined ? jobs : jobs[0]));
    else if (jobs.length === 0) terminal.hint('No jobs yet.');
    else {
      const paint = paintFor(terminal.hasColour(terminal.stdout));
      terminal.print(jobTable(jobs, { paint, width: tableWidth(terminal), now: Date.now() }));
    }
    return 0;
  });
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return limitDefault;
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > limitMax) {
    throw misuse('jobs', `--limit is a number from 1 to ${limitMax}, not '${text}'.`);
  }
  return limit;
}
