// `mq with`: takes a lock, runs a command under it, and gives the lock back whatever happens.
import type { Client } from '../../client/client.ts';
import { MqError } from '../../protocol/errors.ts';
import type { LockView } from '../../protocol/schema.ts';
import { settledOrWithdrawn, submitWatched, tellLink } from '../await-ticket.ts';
import { misuse, onlyWord } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { startCommand } from '../with/command-process.ts';
import { startGuard } from '../with/guard-process.ts';
import { SignalRelay } from '../with/signal-relay.ts';
import { type CommandContext, runCommand } from './command.ts';
import { notHad } from './lock.ts';
import { lockWish, wishOptions } from './lock-wish.ts';
import { awaitFreed } from './unlock.ts';

type Connect = CommandContext<never>['connect'];

/** How the lock ended: given back by us, gone before, or not known since the server was not reached. */
type Returned = 'released' | 'lost' | 'unknown';

/** How often a watched lock is asked about anew, should an answer be lost. */
const watchSeconds = 60;

export function withLock(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { own, words } = splitCommand(argv);
  return runCommand('with', own, terminal, wishOptions, async ({ options, connect }) => {
    const target = onlyWord('with', options.words, 'board or pool');
    if (words.length === 0) throw misuse('with', 'What is to run? Give the command behind --.');
    const asked = lockWish('with', options, { key: '', env: process.env });
    const relay = new SignalRelay(() => terminal.hint('Withdrawing; once more to leave at once.'));
    const told = tellLink(terminal);
    let isRunning = false;
    // While the command runs, the terminal is the command's.
    const client = await connect({ onLink: (state) => isRunning || told(state) });
    const wish = { ...asked, key: options.texts.get('key') ?? `with-${client.newRequestId()}` };
    const signal = relay.stopped;
    const ticket = await submitWatched(client, { target, kind: 'lock', ...wish }, { terminal, signal });
    const settled = await settledOrWithdrawn(ticket, { signal });
    if (settled.state !== 'held') throw notHad(target, settled);
    if (signal.aborted) {
      await ticket.withdraw();
      throw signal.reason;
    }
    terminal.wipe();
    isRunning = true;
    return runUnder(
      { lock: settled.lock, words, server: options.texts.get('server') },
      { client, connect, terminal, relay },
    );
  });
}

/** Runs the command under the lock. Returns the exit code of `mq with`; the lock is given back then. */
async function runUnder(
  { lock, words, server }: { lock: LockView; words: readonly string[]; server: string | undefined },
  {
    client,
    connect,
    terminal,
    relay,
  }: { client: Client; connect: Connect; terminal: Terminal; relay: SignalRelay },
): Promise<number> {
  const { board, key, token } = lock;
  const mark = client.newRequestId();
  const guard = startGuard({ board, key, token, mark, ...(server === undefined ? {} : { server }) });
  const { child, ended } = startCommand(words, commandEnvironment(process.env, { ...lock, mark, server }));
  relay.passTo(child);
  const watching = new AbortController();
  const lost = { isTold: false };
  const watched = watchLock(client, lock, watching.signal).then((end) => {
    if (!end) return;
    lost.isTold = true;
    terminal.complain(`mq: ${lostText(lock, end.why)} The command still runs.`);
  });
  const { exit, problem } = await ended;
  relay.leave();
  watching.abort(new Error('the command has ended'));
  await watched;
  if (problem !== undefined) terminal.complain(escapeText(`mq: ${problem}.`));
  const returned = lost.isTold ? 'lost' : await giveBack(lock, { client, connect, terminal });
  if (returned === 'lost' && !lost.isTold) terminal.complain(`mq: ${lostText(lock)}`);
  if (returned !== 'unknown') guard.dismiss();
  return exitOf(exit, returned);
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

/** MQ_LOCK is the lock's id, which is its fencing token. By MQ_WITH, the mark, the guard finds the processes. */
export function commandEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  {
    board,
    token,
    key,
    mark,
    server,
  }: { board: string; token: string; key: string; mark: string; server: string | undefined },
): Record<string, string | undefined> {
  const { MQ_ARGV0: _ours, ...rest } = env;
  const reached = server === undefined ? {} : { MQ_SERVER: server };
  const lock = { MQ_BOARD: board, MQ_LOCK: token, MQ_TOKEN: token, MQ_KEY: key };
  return { ...rest, ...reached, ...lock, MQ_WITH: mark };
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

/** Releases exactly this lock, over a new connection where the old one was lost for good. */
async function giveBack(
  { board, key, token }: LockView,
  { client, connect, terminal }: { client: Client; connect: Connect; terminal: Terminal },
): Promise<Returned> {
  const release = async (by: Client): Promise<Returned> => {
    const body = { requestId: by.newRequestId(), target: board, key, token };
    const { outcomes } = await by.request('release', body);
    await awaitFreed(by, outcomes, { terminal });
    return outcomes.some(({ outcome }) => outcome === 'released' || outcome === 'ending')
      ? 'released'
      : 'lost';
  };
  try {
    return await release(client).catch(async (error: unknown) => {
      if (!(error instanceof MqError) || error.code !== 'SERVER_UNREACHABLE') throw error;
      client.close();
      return release(await connect());
    });
  } catch (error) {
    if (!(error instanceof MqError)) throw error;
    terminal.complain(
      escapeText(`mq: the lock of ${board} (${token}, key ${key}) was not given back: ${error.message}`),
    );
    return 'unknown';
  }
}

function lostText(
  { board }: LockView,
  why = 'somebody released it, or needed the board after your --hold',
): string {
  return escapeText(`the lock of ${board} was lost: ${why}.`);
}
