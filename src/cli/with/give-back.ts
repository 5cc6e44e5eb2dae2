// Gives the locks of `mq with` back when its command has ended: exactly these, and none that came after them.
import type { Client } from '../../client/client.ts';
import { MqError } from '../../protocol/errors.ts';
import type { LockView } from '../../protocol/schema.ts';
import type { ReleaseOutcome as Outcome } from '../../protocol/views.ts';
import { awaitFreed } from '../commands/unlock.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** How a lock ended: given back by us, gone before, or not known since the server was not reached. */
export type Returned = 'released' | 'lost' | 'unknown';

export interface GiveBackContext {
  readonly client: Client;
  /** Makes a new connection, where the old one was lost for good. */
  readonly connect: () => Promise<Client>;
  readonly terminal: Terminal;
}

/**
 * For each lock what became of it. All are given back before any of them is waited for. Says which could not be given back;
 * rejects only for programmer errors.
 */
export async function giveBackAll(
  locks: readonly LockView[],
  { client, connect, terminal }: GiveBackContext,
): Promise<Returned[]> {
  let by = client;
  const returned: Returned[] = [];
  const released: Outcome[] = [];
  for (const lock of locks) {
    try {
      const outcomes = await giveBack(lock, by).catch(async (error: unknown) => {
        if (!(error instanceof MqError) || error.code !== 'SERVER_UNREACHABLE') throw error;
        by.close();
        by = await connect();
        return giveBack(lock, by);
      });
      released.push(...outcomes);
      returned.push(outcomes.some(isReleased) ? 'released' : 'lost');
    } catch (error) {
      if (!(error instanceof MqError)) throw error;
      const { board, token, key } = lock;
      const text = `the lock of ${board} (${token}, key ${key}) was not given back: ${error.message}`;
      terminal.complain(escapeText(`mq: ${text}`));
      returned.push('unknown');
    }
  }
  try {
    await awaitFreed(by, released, { terminal });
  } catch (error) {
    // They end without us.
    if (!(error instanceof MqError)) throw error;
  }
  return returned;
}

async function giveBack({ board, key, token }: LockView, client: Client): Promise<readonly Outcome[]> {
  const body = { requestId: client.newRequestId(), target: board, key, token };
  return (await client.request('release', body)).outcomes;
}

function isReleased({ outcome }: Outcome): boolean {
  return outcome === 'released' || outcome === 'ending';
}
