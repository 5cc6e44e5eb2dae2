// `mq board`: takes a board out of service and brings it back.
import { nearestName } from '../config/nearest.ts';
import { misuse } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { runCommand } from './command.ts';

const options = { note: { kind: 'text' } } as const;

export function board(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('board', argv, terminal, options, async ({ options, connect }) => {
    const [action, name, extra] = options.words;
    if (action !== 'drain' && action !== 'resume') throw misuse('board', actionText(action));
    if (name === undefined) throw misuse('board', `Which board is to ${action}?`);
    if (extra !== undefined) throw misuse('board', `'${extra}' is one word too many.`);
    const note = options.texts.get('note');
    const client = await connect();
    const answer = await client.request('board', {
      requestId: client.newRequestId(),
      board: name,
      action,
      ...(note === undefined ? {} : { note }),
    });
    const { board, state, lock } = answer.board;
    const held = lock === undefined ? '' : `, held by ${lock.user}`;
    terminal.print([
      escapeText(`${board} is ${answer.board.service === 'in' ? state : answer.board.service}${held}`),
    ]);
    return 0;
  });
}

function actionText(action: string | undefined): string {
  if (action === undefined) return 'What is to be done with a board: drain or resume?';
  const nearest = nearestName(action, ['drain', 'resume']);
  return `'${action}' is nothing that can be done with a board. ${nearest === undefined ? 'There are drain and resume.' : `Did you mean ${nearest}?`}`;
}
