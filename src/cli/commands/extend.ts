// `mq extend`: gives a lock of one's own a new end.
import { noKey } from '../legacy/lock-lines.ts';
import { misuse, onlyWord } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';
import { lockJson } from './lock.ts';
import { secondsOf } from './lock-wish.ts';

const options = { key: { kind: 'text' }, hold: { kind: 'text' }, json: { kind: 'flag' } } as const;

export function extend(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('extend', argv, terminal, options, async ({ options, connect }) => {
    const board = onlyWord('extend', options.words, 'board');
    const hold = options.texts.get('hold');
    if (hold === undefined) throw misuse('extend', 'Until when? Give --hold TIME, or --hold 0 for no end.');
    const holdSeconds = secondsOf('extend', '--hold', hold);
    const client = await connect();
    const { lock } = await client.request('extend', {
      requestId: client.newRequestId(),
      board,
      key: options.texts.get('key') ?? noKey,
      holdSeconds,
    });
    if (options.flags.has('json')) terminal.print(jsonLines(lockJson(lock)));
    return 0;
  });
}
