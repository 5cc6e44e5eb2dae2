// `mq connect`: joins standard input and output to the server's socket, byte for byte. ssh starts it for clients on
// other hosts; the server sees this process as its peer, so the user is the ssh account.
import { connect as connectSocket, type Socket } from 'node:net';
import { MqError } from '../../protocol/errors.ts';
import { findServer, type ServerAddress } from '../connect/address.ts';
import { unreachable } from '../connect/unreachable.ts';
import { misuse, noWords } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { runCommand } from './command.ts';

/** A server that is just being restarted is worth a moment. */
const connectMsMax = 2_000;
const retryMs = 100;
/** How long the server may still talk after the end of the input. */
const restMsMax = 10_000;

/** Returns 0 when one of both sides has ended. */
export function connect(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('connect', argv, terminal, {}, async ({ options }) => {
    noWords('connect', options.words);
    const address = findServer({ option: options.texts.get('server'), env: process.env });
    if (address.kind !== 'unix')
      throw misuse('connect', 'The server must be on this host: its address is unix:PATH.');
    await join(await openSocket(address), process.stdin, process.stdout);
    return 0;
  });
}

async function openSocket(address: ServerAddress & { kind: 'unix' }): Promise<Socket> {
  const endAt = performance.now() + connectMsMax;
  while (true) {
    try {
      return await tryOnce(address.path);
    } catch (cause) {
      if (performance.now() < endAt && isPassing(cause)) {
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        continue;
      }
      const message = cause instanceof Error ? cause.message : String(cause);
      throw unreachable(new MqError('SERVER_UNREACHABLE', message, { cause }), address);
    }
  }
}

function tryOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ path, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      resolve(socket);
    });
  });
}

function isPassing(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED'].includes(String((error as { code?: unknown } | null)?.code));
}

/** Resolves when the server has closed, or some time after the input has ended, or when nobody reads the output. */
function join(socket: Socket, input: NodeJS.ReadStream, output: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      socket.destroy();
      input.destroy();
      resolve();
    };
    input.on('error', finish);
    output.on('error', finish);
    socket.on('error', finish);
    socket.on('end', finish);
    socket.on('close', finish);
    input.on('end', () => setTimeout(finish, restMsMax).unref());
    input.pipe(socket);
    socket.pipe(output, { end: false });
  });
}
