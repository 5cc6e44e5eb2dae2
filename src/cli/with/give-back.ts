// Gives the locks of `mq with` back when its command has ended: exactly these, and none that came after them.
import type { Client } from '../../client/client.ts';
import { MqError } from '../../protocol/errors.ts';
import type { LockView } from '../../protocol/schema.ts';
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

/** For each lock what became of it. Says which could not be given back; rejects only for programmer errors. */
export async function giveBackAll(
  locks: readonly LockView[],
  { client, connect, terminal }: GiveBackContext,
): Promise<Returned[]> {
  let by = client;
  const returned: Returned[] = [];
  for (const lock of locks) {
    try {
      const first = await giveBack(lock, by, terminal).catch(async (error: unknown) => {
        if (!(error instanceof MqError) || error.code !== 'SERVER_UNREACHABLE') throw error;
        by.close();
        by = await connect();
        return giveBack(lock, by, terminal);
      });
      returned.push(first);
    } catch (error) {
      if (!(error instanceof MqError)) throw error;
      const { board, token, key } = lock;
      const text = `the lock of ${board} (${token}, key ${key}) was not given back: ${error.message}`;
      terminal.complain(escapeText(`mq: ${text}`));
      returned.push('unknown');
    }
  }
  return returned;
}

async function giveBack(
  { board, key, token }: LockView,
  client: Client,
  terminal: Terminal,
): Promise<Returned> {
  const body = { requestId: client.newRequestId(), target: board, key, token };
  const { outcomes } = await client.request('release', body);
  await awaitFreed(client, outcomes, { terminal });
  return outcomes.some(({ outcome }) => outcome === 'released' || outcome === 'ending') ? 'released' : 'lost';
}
