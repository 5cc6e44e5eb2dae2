// `mq steal`: takes over somebody's lock, in one step.
import { onlyWord } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';
import { keyText } from './give.ts';
import { lockJson } from './lock.ts';

const options = { note: { kind: 'text' }, key: { kind: 'text' }, json: { kind: 'flag' } } as const;

export function steal(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('steal', argv, terminal, options, async ({ options, connect }) => {
    const board = onlyWord('steal', options.words, 'board');
    const [newKey, note] = [options.texts.get('key'), options.texts.get('note')];
    const client = await connect();
    const { lock } = await client.request('steal', {
      requestId: client.newRequestId(),
      board,
      ...(newKey === undefined ? {} : { newKey }),
      ...(note === undefined ? {} : { note }),
    });
    if (options.flags.has('json')) terminal.print(jsonLines(lockJson(lock)));
    else terminal.hint(escapeText(`${lock.board} is now yours, ${keyText(lock.key)}.`));
    return 0;
  });
}
