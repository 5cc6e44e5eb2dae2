// `mq with`: takes a lock, runs a command under it, and gives the lock back whatever happens.
import type { Client } from '../../client/client.ts';
import { MqError } from '../../protocol/errors.ts';
import type { LockView } from '../../protocol/schema.ts';
import { settledOrWithdrawn, submitWatched, tellLink } from '../await-ticket.ts';
import { misuse } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { startCommand } from '../with/command-process.ts';
import { giveBackAll, type Returned } from '../with/give-back.ts';
import { startGuard } from '../with/guard-process.ts';
import { SignalRelay } from '../with/signal-relay.ts';
import { type CommandContext, runCommand } from './command.ts';
import { notHad } from './lock.ts';
import { lockWish, wishOptions } from './lock-wish.ts';
import { boardOptions, wantedBoards } from './wanted-boards.ts';

type Connect = CommandContext<never>['connect'];

/** How often a watched lock is asked about anew, should an answer be lost. */
const watchSeconds = 60;

export function withLock(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { own, words } = splitCommand(argv);
  return runCommand(
    'with',
    own,
    terminal,
    { ...wishOptions, ...boardOptions },
    async ({ options, connect }) => {
      const { text, ...wanted } = wantedBoards('with', options);
      if (words.length === 0) throw misuse('with', 'What is to run? Give the command behind --.');
      const asked = lockWish('with', options, { key: '', env: process.env });
      const relay = new SignalRelay(() => terminal.hint('Withdrawing; once more to leave at once.'));
      const told = tellLink(terminal);
      let isRunning = false;
      // While the command runs, the terminal is the command's.
      const client = await connect({ onLink: (state) => isRunning || told(state) });
      const wish = { ...asked, key: options.texts.get('key') ?? `with-${client.newRequestId()}` };
      const signal = relay.stopped;
      const ticket = await submitWatched(
        client,
        { ...wanted, kind: 'lock', ...wish },
        { terminal, signal, about: text },
      );
      const settled = await settledOrWithdrawn(ticket, { signal });
      if (settled.state !== 'held') throw notHad(text, settled);
      if (signal.aborted) {
        await ticket.withdraw();
        throw signal.reason;
      }
      terminal.wipe();
      isRunning = true;
      return runUnder(
        { locks: settled.locks ?? [settled.lock], words, server: options.texts.get('server') },
        { client, connect, terminal, relay },
      );
    },
  );
}

/** Runs the command under the locks. Returns the exit code of `mq with`; the locks are given back then. */
async function runUnder(
  {
    locks,
    words,
    server,
  }: { locks: readonly LockView[]; words: readonly string[]; server: string | undefined },
  {
    client,
    connect,
    terminal,
    relay,
  }: { client: Client; connect: Connect; terminal: Terminal; relay: SignalRelay },
): Promise<number> {
  const mark = client.newRequestId();
  const guarded = locks.map(({ board, key, token }) => ({ board, key, token }));
  const guard = startGuard({ locks: guarded, mark, ...(server === undefined ? {} : { server }) });
  const { child, ended } = startCommand(words, commandEnvironment(process.env, { locks, mark, server }));
  relay.passTo(child);
  const watching = new AbortController();
  const lost = new Set<LockView>();
  const watched = locks.map(async (lock) => {
    const end = await watchLock(client, lock, watching.signal);
    if (!end) return;
    lost.add(lock);
    terminal.complain(`mq: ${lostText(lock, end.why)} The command still runs.`);
  });
  const { exit, problem } = await ended;
  relay.leave();
  watching.abort(new Error('the command has ended'));
  await Promise.all(watched);
  if (problem !== undefined) terminal.complain(escapeText(`mq: ${problem}.`));
  const kept = locks.filter((lock) => !lost.has(lock));
  const returned = await giveBackAll(kept, { client, connect, terminal });
  for (const [at, lock] of kept.entries()) {
    if (returned[at] === 'lost') terminal.complain(`mq: ${lostText(lock)}`);
  }
  if (!returned.includes('unknown')) guard.dismiss();
  return exitOf(exit, worstOf(lost.size > 0 ? [...returned, 'lost'] : returned));
}

function worstOf(all: readonly Returned[]): Returned {
  if (all.includes('lost')) return 'lost';
  return all.includes('unknown') ? 'unknown' : 'released';
}

/** The command's own code; but a success that did not have its board to the end is none. */
export function exitOf(commandExit: number, returned: Returned): number {
  if (commandExit !== 0 || returned === 'released') return commandExit;
  return returned === 'lost' ? 2 : 1;
}

/** What stands behind the first `--` is the command's. */
export function splitCommand(argv: readonly string[]): { own: readonly string[]; words: readonly string[] } {
  const at = argv.indexOf('--');
  return at < 0 ? { own: argv, words: [] } : { own: argv.slice(0, at), words: argv.slice(at + 1) };
}

/**
 * MQ_LOCK is the lock's id, which is its fencing token. Of several locks MQ_BOARD, MQ_LOCK and MQ_TOKEN are the first's;
 * MQ_BOARDS and MQ_TOKENS have all, a space between. By MQ_WITH, the mark, the guard finds the processes.
 */
export function commandEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  {
    locks,
    mark,
    server,
  }: {
    locks: readonly Pick<LockView, 'board' | 'token' | 'key'>[];
    mark: string;
    server: string | undefined;
  },
): Record<string, string | undefined> {
  const { MQ_ARGV0: _ours, ...rest } = env;
  const reached = server === undefined ? {} : { MQ_SERVER: server };
  const [first] = locks;
  const lock = { MQ_BOARD: first?.board, MQ_LOCK: first?.token, MQ_TOKEN: first?.token, MQ_KEY: first?.key };
  const all = {
    MQ_BOARDS: locks.map(({ board }) => board).join(' '),
    MQ_TOKENS: locks.map(({ token }) => token).join(' '),
  };
  return { ...rest, ...reached, ...lock, ...all, MQ_WITH: mark };
}

/** Resolves when the lock has ended; undefined when the signal aborts or the server is lost. */
async function watchLock(
  client: Client,
  { board, token }: LockView,
  signal: AbortSignal,
): Promise<{ why?: string } | undefined> {
  try {
    while (true) {
      const body = { board, token, seconds: watchSeconds };
      const { free, ...end } = await client.request('await-free', body, {
        signal,
        timeoutMs: Number.POSITIVE_INFINITY,
      });
      if (free) return end;
    }
  } catch (error) {
    if (signal.aborted || error instanceof MqError) return undefined;
    throw error;
  }
}

function lostText(
  { board }: LockView,
  why = 'somebody released it, or needed the board after your --hold',
): string {
  return escapeText(`the lock of ${board} was lost: ${why}.`);
}
