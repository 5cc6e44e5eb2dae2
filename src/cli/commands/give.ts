// `mq give`: hands a lock of one's own to another user, in one step.
import { noKey } from '../legacy/lock-lines.ts';
import { misuse, onlyWord } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';
import { lockJson } from './lock.ts';

const options = {
  to: { kind: 'text' },
  key: { kind: 'text' },
  'new-key': { kind: 'text' },
  json: { kind: 'flag' },
} as const;

export function give(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('give', argv, terminal, options, async ({ options, connect }) => {
    const board = onlyWord('give', options.words, 'board');
    const user = options.texts.get('to');
    if (user === undefined) throw misuse('give', 'To whom? Give --to USER.');
    const newKey = options.texts.get('new-key');
    const client = await connect();
    const { lock } = await client.request('give', {
      requestId: client.newRequestId(),
      board,
      key: options.texts.get('key') ?? noKey,
      user,
      ...(newKey === undefined ? {} : { newKey }),
    });
    if (options.flags.has('json')) terminal.print(jsonLines(lockJson(lock)));
    else terminal.hint(escapeText(`${lock.board} is now held by ${lock.user}, ${keyText(lock.key)}.`));
    return 0;
  });
}

/** With which key a lock is given back. */
export function keyText(key: string): string {
  return key === noKey ? 'without a key' : `with key '${key}'`;
}
