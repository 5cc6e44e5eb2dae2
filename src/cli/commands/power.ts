// `mq power`: switches a board that one holds, or asks whether it is on.
import { nearestName } from '../config/nearest.ts';
import { takeSignals } from '../interrupt.ts';
import { noKey } from '../legacy/lock-lines.ts';
import { misuse } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';

const options = { key: { kind: 'text' }, json: { kind: 'flag' } } as const;

const actions = ['on', 'off', 'cycle', 'status'] as const;
type Action = (typeof actions)[number];

/** Above what the server waits for its agent. */
const answerMs = 150_000;

const doing = { on: 'Switching on', off: 'Switching off', cycle: 'Switching off and on', status: 'Asking' };

export function power(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('power', argv, terminal, options, async ({ options, connect }) => {
    const { board, action } = wordsOf(options.words);
    const key = options.texts.get('key') ?? noKey;
    const isJson = options.flags.has('json');
    const waiting = { signal: takeSignals(terminal), timeoutMs: answerMs };
    const client = await connect();
    // A link is opened again for long only once the server has answered on it, and a switch takes a while to be answered.
    client.request('hello', {}).catch(() => undefined);
    terminal.status(`${doing[action]} ${board}`);
    if (action === 'status') {
      const status = await client.request('power-status', { board, key }, waiting);
      terminal.print(isJson ? jsonLines(status) : [status.power]);
      if (status.power === 'unknown') terminal.hint(escapeText(unknownText(status)));
      return 0;
    }
    const done = await client.request(
      'power',
      { requestId: client.newRequestId(), board, key, action },
      waiting,
    );
    if (isJson) terminal.print(jsonLines(done));
    else terminal.hint(escapeText(`${done.board} is ${action === 'off' ? 'off' : 'on'}.`));
    return 0;
  });
}

function wordsOf(words: readonly string[]): { board: string; action: Action } {
  const [board, word, extra] = words;
  if (board === undefined) throw misuse('power', 'Which board?');
  const action = actions.find((one) => one === word);
  if (extra !== undefined) throw misuse('power', `'${extra}' is one word too many.`);
  if (action !== undefined) return { board, action };
  const list = 'on, off, cycle or status';
  if (word === undefined) throw misuse('power', `What is to be done with ${board}: ${list}?`);
  const nearest = nearestName(word, actions);
  throw misuse(
    'power',
    `'${word}' is not ${list}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`,
  );
}

function unknownText({ board, mayBeOn }: { board: string; mayBeOn: boolean }): string {
  return mayBeOn
    ? `Nobody can tell whether ${board} is on; by what mq did it may be.`
    : `Nobody can tell whether ${board} is on; mq has not switched it on.`;
}
