// `mq status`: boards, who has them, and what waits; once, or again at each change.
import { watchStatus } from '../../client/status-watch.ts';
import { safeJson } from '../../platform/unsafe-text.ts';
import type { StatusView } from '../../protocol/views.ts';
import { tellLink } from '../await-ticket.ts';
import { takeSignals } from '../interrupt.ts';
import { noWords } from '../options.ts';
import { paintFor } from '../terminal/paint.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand, tableWidth } from './command.ts';
import { statusLines } from './status-table.ts';

const options = { watch: { kind: 'flag', short: 'w' }, json: { kind: 'flag' } } as const;

export function status(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('status', argv, terminal, options, async ({ options, connect }) => {
    noWords('status', options.words);
    const isJson = options.flags.has('json');
    if (!options.flags.has('watch')) {
      const client = await connect({ readsOnly: true });
      const status = await client.request('status', {});
      terminal.print(isJson ? jsonLines(status) : tables(status, terminal));
      return 0;
    }
    const signal = takeSignals(terminal);
    if (!isJson && terminal.isScreen) {
      const { watchOnScreen } = await import('./status-watch.ts');
      await watchOnScreen({
        terminal,
        signal,
        connect: (onLink) => connect({ readsOnly: true, onLink }),
      });
      return 0;
    }
    const client = await connect({ readsOnly: true, onLink: tellLink(terminal) });
    const show = isJson ? showJson : showTables;
    await watchStatus(client, (status) => show(status, terminal), { signal });
    return 0;
  });
}

function tables(status: StatusView, terminal: Terminal): string[] {
  const paint = paintFor(terminal.hasColour(terminal.stdout));
  return statusLines(status, { paint, width: tableWidth(terminal), now: Date.now() });
}

/** For programs: one line for each change. */
function showJson(status: StatusView, terminal: Terminal): void {
  terminal.print([safeJson(JSON.stringify(status))]);
}

/** One below the other. */
function showTables(status: StatusView, terminal: Terminal): void {
  terminal.print([...tables(status, terminal), '']);
}
