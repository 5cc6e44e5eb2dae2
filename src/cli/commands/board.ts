// `mq board`: takes boards out of service, brings them back, and notes for others what is to be known of them.
import type { BoardView } from '../../protocol/views.ts';
import { clockTime } from '../../server/text.ts';
import { nearestName } from '../config/nearest.ts';
import { misuse } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';
import { secondsOf } from './lock-wish.ts';

const options = {
  where: { kind: 'list' },
  note: { kind: 'text' },
  until: { kind: 'text' },
  json: { kind: 'flag' },
} as const;

const actions = ['drain', 'resume', 'note'] as const;

export function board(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('board', argv, terminal, options, async ({ options, connect }) => {
    const [word, ...names] = options.words;
    const action = actions.find((action) => action === word);
    if (action === undefined) throw misuse('board', actionText(word));
    const targets = targetsOf(action, names, options.lists.get('where') ?? []);
    const [note, until] = [options.texts.get('note'), options.texts.get('until')];
    if (action === 'note' && note === undefined)
      throw misuse('board', "What is to be noted? Give --note TEXT, or --note '' to take the note away.");
    const seconds = until === undefined ? undefined : untilOf(action, until);
    const client = await connect();
    const answer = await client.request('board', {
      requestId: client.newRequestId(),
      targets,
      action,
      ...(note === undefined ? {} : { note }),
      ...(seconds === undefined ? {} : { seconds }),
    });
    if (options.flags.has('json')) terminal.print(jsonLines(answer));
    else {
      const gone = answer.gone.map((name) => `${name} is gone: the configuration has it no more`);
      terminal.print([...answer.boards.map(boardLine), ...gone].map(escapeText));
    }
    return 0;
  });
}

/** Names and selectors; of several selectors a board must match all. */
function targetsOf(action: string, names: readonly string[], where: readonly string[]): string[] {
  if (names.length === 0 && where.length === 0) throw misuse('board', `Which board is to ${action}?`);
  if (names.length > 0 && where.length > 0)
    throw misuse('board', 'Give boards by name or by --where, but not both.');
  const wrong = where.find((part) => !/^[^=,]+=[^,]+(,[^=,]+=[^,]+)*$/.test(part));
  if (wrong !== undefined)
    throw misuse('board', `--where takes ATTRIBUTE=VALUE, such as soc=imx6; '${wrong}' is none.`);
  return where.length > 0 ? [where.join(',')] : [...names];
}

function untilOf(action: string, text: string): number {
  if (action !== 'drain') throw misuse('board', `--until is for drain, not for ${action}.`);
  const seconds = secondsOf('board', '--until', text);
  if (seconds === 0) throw misuse('board', '--until takes a time such as 90s, 20m or 2h.');
  return seconds;
}

function boardLine({ board, state, service, serviceNote, serviceUntilAt, lock }: BoardView): string {
  const held = lock === undefined ? '' : `, held by ${lock.user}`;
  const until = serviceUntilAt === undefined ? '' : `, until ${clockTime(serviceUntilAt)}`;
  const note = serviceNote === undefined ? '' : `: ${serviceNote}`;
  return `${board} is ${service === 'in' ? state : service}${held}${until}${note}`;
}

function actionText(action: string | undefined): string {
  if (action === undefined) return 'What is to be done with a board: drain, resume or note?';
  const nearest = nearestName(action, actions);
  return `'${action}' is nothing that can be done with a board. ${nearest === undefined ? 'There are drain, resume and note.' : `Did you mean ${nearest}?`}`;
}
