// `mq lock`: takes the lock of a board, or of the first board of several that comes free, and keeps it.
import type { Settled } from '../../client/ticket.ts';
import { MqError } from '../../protocol/errors.ts';
import type { LockView } from '../../protocol/schema.ts';
import { settledOrWithdrawn, submitWatched, tellLink } from '../await-ticket.ts';
import { takeSignals } from '../interrupt.ts';
import { noKey } from '../legacy/lock-lines.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';
import { lockWish, wishOptions } from './lock-wish.ts';
import { boardOptions, wantedBoards } from './wanted-boards.ts';

const options = { ...wishOptions, ...boardOptions, reuse: { kind: 'flag' }, json: { kind: 'flag' } } as const;

export function lock(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('lock', argv, terminal, options, async ({ options, connect }) => {
    const { text, ...wanted } = wantedBoards('lock', options);
    const wish = lockWish('lock', options, { key: noKey, env: process.env });
    const reuse = options.flags.has('reuse') ? { reuse: true } : {};
    const signal = takeSignals(terminal, 'Withdrawing; once more to leave at once.');
    const client = await connect({ onLink: tellLink(terminal) });
    const ticket = await submitWatched(
      client,
      { ...wanted, kind: 'lock', ...wish, ...reuse },
      { terminal, signal, about: text },
    );
    const settled = await settledOrWithdrawn(ticket, { signal });
    if (settled.state === 'held') {
      const { lock, locks } = settled;
      const json = locks ? locks.map(lockJson) : lockJson(lock);
      const names = (locks ?? [lock]).map(({ board }) => board);
      terminal.print(options.flags.has('json') ? jsonLines(json) : names);
      return 0;
    }
    throw notHad(text, settled);
  });
}

/** What became of waiting that ended without a board. */
export function notHad(target: string, settled: Settled): MqError {
  const { reason, text } =
    settled.state === 'ended' ? settled : { reason: settled.state, text: settled.state };
  const message = `the lock of ${target} was not had: ${text}.`;
  return new MqError('NOT_GRANTED_IN_TIME', message, { details: { target, reason } });
}

/** A lock for programs; times are UTC, as `2026-11-25T08:30:00.000Z`. */
export function lockJson({ board, token, user, key, sinceAt, untilAt }: LockView): object {
  const until = untilAt === undefined ? {} : { until: new Date(untilAt).toISOString() };
  return { board, token, user, key, since: new Date(sinceAt).toISOString(), ...until };
}
