// `mq cancel`: ends a job or a waiting ticket, or all of one's own.
import { idOf, misuse, noWords, onlyWord } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';

const options = { mine: { kind: 'flag' }, json: { kind: 'flag' } } as const;

export function cancel(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('cancel', argv, terminal, options, async ({ options, connect }) => {
    const mine = options.flags.has('mine');
    if (mine) noWords('cancel', options.words);
    else if (options.words.length === 0)
      throw misuse('cancel', 'Which job or ticket? Give its number, or --mine.');
    const what = mine ? { mine } : { id: idOf('cancel', onlyWord('cancel', options.words, 'job or ticket')) };
    const client = await connect();
    const { cancelled } = await client.request('cancel', { requestId: client.newRequestId(), ...what });
    if (options.flags.has('json')) {
      terminal.print(jsonLines({ cancelled }));
      return 0;
    }
    if (cancelled.length === 0) terminal.hint('Nothing was running or waiting.');
    terminal.print(cancelled.map((id) => `Cancelled ${id}`));
    return 0;
  });
}
