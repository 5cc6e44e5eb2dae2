// `mq unlock`: gives locks back, and waits until boards that were in use are off.
import type { Client } from '../../client/client.ts';
import { MqError } from '../../protocol/errors.ts';
import type { ResponseOf } from '../../protocol/operations.ts';
import { takeSignals } from '../interrupt.ts';
import { noKey } from '../legacy/lock-lines.ts';
import { misuse } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';

type Outcome = ResponseOf<'release'>['outcomes'][number];

const options = {
  key: { kind: 'text' },
  force: { kind: 'flag' },
  note: { kind: 'text' },
  json: { kind: 'flag' },
} as const;

/** How long it waits for a board that is being switched off, so that the next `--no-wait` finds it free. */
const endingSecondsMax = 60;

export function unlock(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('unlock', argv, terminal, options, async ({ options, connect }) => {
    const [target, ...also] = options.words;
    if (target === undefined) throw misuse('unlock', 'Which board or pool?');
    const force = options.flags.has('force');
    const note = options.texts.get('note');
    const signal = takeSignals(terminal);
    const client = await connect();
    const wish = {
      key: options.texts.get('key') ?? noKey,
      ...(force ? { force } : {}),
      ...(note === undefined ? {} : { note }),
    };
    const body = { requestId: client.newRequestId(), target, ...(also.length > 0 ? { also } : {}), ...wish };
    const { outcomes } = await client.request('release', body);
    const { exit, problems } = judgeAll([target, ...also], outcomes, { force });
    const isJson = options.flags.has('json');
    if (!isJson) for (const problem of problems) terminal.complain(escapeText(`mq: ${problem}`));
    const late = await awaitFreed(client, outcomes, { terminal, signal });
    if (isJson) {
      terminal.print(jsonLines(outcomes.map(({ targets: _targets, ...outcome }) => outcome)));
      if (exit !== 0) throw new MqError(exit === 1 ? 'NOT_ALLOWED' : 'NOT_HOLDER', problems.join(' '));
    } else
      for (const board of late) terminal.complain(escapeText(`mq: ${board} is still being switched off.`));
    return exit;
  });
}

/** Each problem once: a board may be of several targets. */
export function judgeAll(
  targets: readonly string[],
  outcomes: readonly Outcome[],
  { force }: { force: boolean },
): { exit: number; problems: string[] } {
  const judged = targets.map((target) => {
    const meant = outcomes.filter((outcome) => outcome.targets?.includes(target) ?? true);
    return judgeRelease(target, meant, { force });
  });
  return {
    exit: Math.max(...judged.map(({ exit }) => exit)),
    problems: [...new Set(judged.flatMap(({ problems }) => problems))],
  };
}

/**
 * What to say about the boards that were not released. Each board that was asked for by its name must be; of a pool
 * one will do, since nobody holds all of it.
 */
export function judgeRelease(
  target: string,
  outcomes: readonly Outcome[],
  { force }: { force: boolean },
): { exit: number; problems: string[] } {
  const names = target.split(',').map((name) => name.trim());
  const left = outcomes.filter(
    ({ outcome }) =>
      outcome === 'wrong-key' || outcome === 'not-allowed' || (outcome === 'not-held' && !force),
  );
  const isNamed = ({ board }: Outcome) => outcomes.length === 1 || names.includes(board);
  const told = left.filter((outcome) => isNamed(outcome) || outcome.outcome !== 'not-held');
  const problems = told.map(problemText);
  const isNothing = left.length === outcomes.length;
  if (isNothing && problems.length === 0) problems.push(`No board of ${target} is yours.`);
  if (left.some(({ outcome }) => outcome === 'not-allowed')) return { exit: 1, problems };
  return { exit: isNothing || left.some(isNamed) ? 2 : 0, problems };
}

function problemText({ board, outcome }: Outcome): string {
  if (outcome === 'wrong-key') return `${board} is yours with another key.`;
  if (outcome === 'not-held') return `${board} is not yours.`;
  return `${board} is somebody else's, and only an admin may release it by force. Ask the holder or an admin.`;
}

/** Waits until the boards are off. Returns those that are not in time. */
export async function awaitFreed(
  client: Client,
  outcomes: readonly Outcome[],
  { terminal, signal }: { terminal: Terminal; signal?: AbortSignal },
): Promise<string[]> {
  const ending = outcomes.filter(({ outcome }) => outcome === 'ending');
  if (ending.length === 0) return [];
  terminal.status(`Waiting until ${ending.map(({ board }) => board).join(', ')} is off`);
  const answers = await Promise.all(
    ending.map(({ board, token }) =>
      client.request(
        'await-free',
        { board, seconds: endingSecondsMax, ...(token === undefined ? {} : { token }) },
        { ...(signal ? { signal } : {}), timeoutMs: (endingSecondsMax + 10) * 1000 },
      ),
    ),
  );
  return ending.filter((_, index) => answers[index]?.free === false).map(({ board }) => board);
}
