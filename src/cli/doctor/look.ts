// What a doctor looks at, one after the other, until one thing leaves nothing behind it to be seen. Looks only; changes
// nothing.
import { access, constants, stat } from 'node:fs/promises';
import type { Client } from '../../client/client.ts';
import { protocolVersion } from '../../protocol/channel.ts';
import { MqError } from '../../protocol/errors.ts';
import { settlesWithin } from '../abortable.ts';
import { findServer, formatAddress, type ServerAddress } from '../connect/address.ts';
import { version } from '../version.ts';
import {
  type Check,
  judgeAgent,
  judgeBoards,
  judgeClock,
  judgeDisk,
  judgeMode,
  judgeNode,
  judgeServer,
} from './judge.ts';

const answerMsMax = 15_000;

/**
 * @param option value of --server
 * @param connect opens a connection; closes it with the command
 */
export async function* look(
  option: string | undefined,
  connect: () => Promise<Client>,
): AsyncGenerator<Check, void> {
  yield judgeNode(process.versions.node);
  let address: ServerAddress;
  try {
    address = findServer({ option, env: process.env });
  } catch (error) {
    yield trouble('address', error, 'Correct it where the message says.');
    return;
  }
  yield { name: 'address', state: 'good', what: `${formatAddress(address)} (from ${address.from})` };
  if (address.kind === 'unix') {
    const check = await lookAtSocket(address.path);
    yield check;
    if (check.state === 'trouble') return;
  }
  try {
    yield* askServer(await connect());
  } catch (error) {
    yield trouble('server', error, serverFix(error));
  }
}

/** Whether it is there and this user may open it. */
async function lookAtSocket(path: string): Promise<Check> {
  const name = 'socket';
  try {
    const { mode, uid, gid } = await stat(path);
    if ((mode & constants.S_IFMT) !== constants.S_IFSOCK) {
      return {
        name,
        state: 'trouble',
        what: `${path} is no socket`,
        fix: 'Give the path of the server’s --socket.',
      };
    }
    await access(path, constants.R_OK | constants.W_OK);
    const rights = (mode & 0o777).toString(8).padStart(3, '0');
    return {
      name,
      state: 'good',
      what: `it is there (mode ${rights}, user ${uid}, group ${gid}) and this user may open it`,
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') {
      const fix = `Be in the group of the socket (socket_group of the configuration; ls -l ${path}), and log in again.`;
      return { name, state: 'trouble', what: `this user may not open ${path}`, fix };
    }
    if (code === 'ENOENT') {
      const fix = 'Start the server (mq server), or say where it is: --server ADDR, MQ_SERVER.';
      return { name, state: 'trouble', what: `there is no ${path}`, fix };
    }
    return { name, state: 'trouble', what: `${path} can't be looked at: ${message}` };
  }
}

async function* askServer(client: Client): AsyncGenerator<Check, void> {
  const asked = client.request('hello', { protocol: protocolVersion, client: version });
  if (!(await settlesWithin(asked, answerMsMax, client.timers))) {
    asked.catch(() => {});
    throw new MqError('SERVER_UNREACHABLE', `The server does not answer within ${answerMsMax / 1000} s.`);
  }
  yield judgeServer(await asked, version);
  const beforeAt = Date.now();
  const health = await client.request('health', {}, { timeoutMs: answerMsMax });
  yield judgeClock({ beforeAt, serverAt: health.at, behindAt: Date.now() });
  yield judgeDisk(health);
  yield judgeAgent(health);
  const status = await client.request('status', {}, { timeoutMs: answerMsMax });
  const mode = judgeMode(status);
  if (mode) yield mode;
  yield* judgeBoards(status.boards, health);
}

function trouble(name: string, error: unknown, fix: string | undefined): Check {
  if (!(error instanceof MqError)) throw error;
  return { name, state: 'trouble', what: error.message, ...(fix === undefined ? {} : { fix }) };
}

/** Most of these messages say themselves what to do. */
function serverFix(error: unknown): string | undefined {
  if (!(error instanceof MqError)) return undefined;
  if (error.code === 'PROTOCOL_MISMATCH') return 'Use the same version of mq on both sides.';
  return error.code === 'SERVER_UNREACHABLE' ? undefined : "The server's log may say more.";
}
