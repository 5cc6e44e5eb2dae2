// `mq queue`: what waits, in the order of service, and why.

import { misuse } from '../options.ts';
import { paintFor } from '../terminal/paint.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand, tableWidth } from './command.ts';
import { queueLines } from './status-table.ts';

const options = { mine: { kind: 'flag' }, json: { kind: 'flag' } } as const;

export function queue(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('queue', argv, terminal, options, async ({ options, connect }) => {
    const [target, extra] = options.words;
    if (extra !== undefined) throw misuse('queue', `'${extra}' is one word too many.`);
    const client = await connect({ readsOnly: true });
    const [{ queue }, { user }] = await Promise.all([
      client.request('status', {}),
      client.request('hello', {}),
    ]);
    const shown = queue.filter(
      (entry) =>
        (target === undefined || entry.target === target) &&
        (!options.flags.has('mine') || entry.user === user),
    );
    if (options.flags.has('json')) terminal.print(jsonLines(shown));
    else if (shown.length === 0) terminal.hint('Nothing waits.');
    else {
      const paint = paintFor(terminal.hasColour(terminal.stdout));
      terminal.print(queueLines(shown, { paint, width: tableWidth(terminal), now: Date.now() }));
    }
    return 0;
  });
}
