// `mq sem -signal` and `-cancel`: gives locks back, ends one's own waiting.
import type { Client } from '../../client/client.ts';
import { connectTo } from '../connect/connect.ts';
import { takeSignals } from '../interrupt.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { releaseLine } from './lock-lines.ts';
import type { SemRequest } from './sem-flags.ts';

type Of<K extends SemRequest['kind']> = Extract<SemRequest, { kind: K }>;

/** How long `-signal` waits for a board that is being switched off, so that the next `-wait -t 0` finds it free. */
const endingSecondsMax = 60;

/** Returns the exit code. */
export async function signalBoards(request: Of<'signal'>, terminal: Terminal): Promise<number> {
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
    const told = force ? outcomes.filter(({ outcome }) => outcome === 'not-allowed') : outcomes;
    terminal.print(told.flatMap(({ board, outcome }) => releaseLine(board, outcome) ?? []));
    const isRefused = force && told.length > 0;
    if (isRefused) terminal.complain(forceText(told.map(({ board }) => board)));
    const ending = outcomes.filter(({ outcome }) => outcome === 'ending');
    if (ending.length > 0)
      terminal.status(`Waiting until ${ending.map(({ board }) => board).join(', ')} is off`);
    await Promise.all(ending.map(({ board, token }) => awaitFree(client, { board, token }, signal)));
    return isRefused ? 1 : 0;
  } finally {
    terminal.wipe();
    client.close();
  }
}

function forceText(boards: readonly string[]): string {
  const names = escapeText(boards.join(', '));
  return `mq: ${names}: only an admin of the lab may release by force what others hold. Ask the holder or an admin.`;
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

/** Returns the exit code. */
export async function cancel({ target, key, server }: Of<'cancel'>): Promise<number> {
  const client = await connectTo(server);
  try {
    await client.request('cancel-waiting', { requestId: client.newRequestId(), target, key });
    return 0;
  } finally {
    client.close();
  }
}
