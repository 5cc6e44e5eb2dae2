// `mq sem`: the locks of boards and pools, by the old words. What is printed where, and the exit codes, are fixed.
import type { Client } from '../../client/client.ts';
import { MqError } from '../../protocol/errors.ts';
import { settledOrWithdrawn, submitWatched, tellLink } from '../await-ticket.ts';
import { connectTo } from '../connect/connect.ts';
import { takeSignals } from '../interrupt.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { failLegacy } from './failure.ts';
import {
  alreadyYoursLine,
  attemptLines,
  failedLine,
  infoLine,
  memberLines,
  mrInfoLine,
  releaseLine,
  roundDoneLines,
} from './lock-lines.ts';
import { refusalDetails } from './refusal.ts';
import { parseSem, type SemRequest } from './sem-flags.ts';

type Of<K extends SemRequest['kind']> = Extract<SemRequest, { kind: K }>;

/** How long `-signal` waits for a board that is being switched off, so that the next `-wait -t 0` finds it free. */
const endingSecondsMax = 60;

export async function sem(argv: readonly string[], terminal: Terminal, program: string): Promise<number> {
  const request = parseSem(argv, { program, env: process.env });
  if (request.kind === 'unusable') {
    terminal.print(request.lines);
    if (request.hint !== undefined) terminal.hint(request.hint);
    return request.exit;
  }
  try {
    return await perform(request, terminal);
  } catch (error) {
    return failLegacy(error, 'target' in request ? request.target : '', terminal);
  }
}

function perform(request: Exclude<SemRequest, { kind: 'unusable' }>, terminal: Terminal): Promise<number> {
  switch (request.kind) {
    case 'dumpall':
    case 'info':
    case 'mr-info':
      return show(request, terminal);
    case 'wait':
      return wait(request, terminal);
    case 'signal':
      return signalBoards(request, terminal);
    case 'cancel':
      return cancel(request);
  }
}

async function show(request: Of<'dumpall' | 'info' | 'mr-info'>, terminal: Terminal): Promise<number> {
  const client = await connectTo(request.server, { readsOnly: true });
  try {
    terminal.print(await infoLines(client, request));
    return 0;
  } finally {
    client.close();
  }
}

async function infoLines(client: Client, request: Of<'dumpall' | 'info' | 'mr-info'>): Promise<string[]> {
  if (request.kind === 'dumpall') {
    const { members } = await client.request('locks', {});
    return members.map(({ board, lock }) => mrInfoLine(board, lock));
  }
  const { target } = request;
  const { kind, members } = await client.request('info', { target });
  return memberLines({ kind, target }, members, request.kind === 'info' ? infoLine : mrInfoLine);
}

async function wait({ target, wish, server }: Of<'wait'>, terminal: Terminal): Promise<number> {
  const signal = takeSignals(terminal, 'Withdrawing; once more to leave at once.');
  const client = await connectTo(server, { onLink: tellLink(terminal) });
  try {
    const ticket = await submitWatched(client, { target, kind: 'lock', ...wish }, { terminal, signal });
    const about = { kind: ticket.kind, target };
    terminal.print(attemptLines(about, ticket.members));
    if (!ticket.grantedAtOnce) terminal.print(roundDoneLines(about, ticket.members));
    const settled = await settledOrWithdrawn(ticket, { signal });
    if (settled.state === 'held') {
      if (ticket.kind === 'pool') terminal.print([settled.lock.board]);
      return 0;
    }
    terminal.print([failedLine(about)]);
    if (settled.state === 'ended') terminal.hint(`The ticket has ended: ${settled.text}.`);
    return 2;
  } catch (error) {
    if (error instanceof MqError) return refused(error, target, terminal);
    throw error;
  } finally {
    terminal.wipe();
    client.close();
  }
}

/** A wish that was refused at once. */
function refused(error: MqError, target: string, terminal: Terminal): number {
  const { kind, members, key } = refusalDetails(error);
  const about = { kind, target };
  switch (error.code) {
    case 'ALREADY_YOURS':
      terminal.print([alreadyYoursLine(key), failedLine(about)]);
      return 2;
    case 'NOT_GRANTED_IN_TIME':
      terminal.print([...attemptLines(about, members), ...roundDoneLines(about, members), failedLine(about)]);
      return 2;
    default:
      throw error;
  }
}

async function signalBoards(request: Of<'signal'>, terminal: Terminal): Promise<number> {
  const { target, key, force, note, server } = request;
  const signal = takeSignals(terminal);
  const client = await connectTo(server);
  try {
    const { outcomes } = await client.request('release', {
      requestId: client.newRequestId(),
      target,
      key,
      ...(force ? { force } : {}),
      ...(note === undefined ? {} : { note }),
    });
    if (!force) terminal.print(outcomes.flatMap(({ board, outcome }) => releaseLine(board, outcome) ?? []));
    const ending = outcomes.filter(({ outcome }) => outcome === 'ending');
    if (ending.length > 0)
      terminal.status(`Waiting until ${ending.map(({ board }) => board).join(', ')} is off`);
    await Promise.all(ending.map(({ board, token }) => awaitFree(client, { board, token }, signal)));
    return 0;
  } finally {
    terminal.wipe();
    client.close();
  }
}

async function awaitFree(
  client: Client,
  { board, token }: { board: string; token: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  await client.request(
    'await-free',
    { board, seconds: endingSecondsMax, ...(token === undefined ? {} : { token }) },
    { signal, timeoutMs: (endingSecondsMax + 10) * 1000 },
  );
}

async function cancel({ target, key, server }: Of<'cancel'>): Promise<number> {
  const client = await connectTo(server);
  try {
    await client.request('cancel-waiting', { requestId: client.newRequestId(), target, key });
    return 0;
  } finally {
    client.close();
  }
}
