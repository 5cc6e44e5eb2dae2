// Console by TCP: a port of a console server, such as ser2net, whose bytes are the board's as they are. With `telnet` the
// server's negotiation is answered and taken out.

import { connect, type Socket } from 'node:net';
import type { BoardHooks } from '../board/contract.ts';
import type { ConsoleDriver, ConsoleLine } from './contract.ts';
import { TelnetFilter } from './telnet.ts';

export interface TcpConsoleOptions {
  readonly host: string;
  readonly port: number;
  readonly telnet?: boolean;
}

/** Input that the server does not take: more is dropped, as a serial port does. */
const inputBytesMax = 1024 * 1024;
/** One try at connecting; a host that is off says nothing at all. */
const connectMilliseconds = 10_000;
/** A server that lost its power says nothing either. */
const keepAliveMilliseconds = 10_000;

export function createTcpConsole(options: TcpConsoleOptions): ConsoleDriver {
  const { host, port, telnet = false } = options;
  return {
    name: `the console at ${host.includes(':') ? `[${host}]` : host}:${port}`,
    async connect(hooks, { signal }) {
      signal.throwIfAborted();
      const socket = connect({ host, port, keepAlive: true, keepAliveInitialDelay: keepAliveMilliseconds });
      const abort = () => void socket.destroy();
      signal.addEventListener('abort', abort);
      socket.once('close', () => signal.removeEventListener('abort', abort));
      await connected(socket);
      return follow(socket, telnet ? new TelnetFilter() : undefined, hooks);
    },
  };
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(connectMilliseconds, () => socket.destroy(new Error('no answer')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('given up')));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve();
    });
  });
}

function follow(socket: Socket, telnet: TelnetFilter | undefined, hooks: BoardHooks): ConsoleLine {
  let why = 'the other side closed it';
  socket.on('error', (error) => {
    why = error.message;
  });
  const down = new Promise<string>((resolve) => socket.once('close', () => resolve(why)));
  socket.on('data', (received: Buffer) => {
    const { bytes, answer } = telnet?.receive(received) ?? { bytes: received, answer: undefined };
    if (answer !== undefined && answer.length > 0) socket.write(answer);
    if (bytes.length === 0) return;
    hooks.onConsole(bytes);
    const held = hooks.holdConsole?.();
    if (held === undefined) return;
    socket.pause();
    void held.then(() => void socket.resume());
  });
  return {
    down,
    write(bytes) {
      if (!socket.writable || socket.writableLength > inputBytesMax) return;
      socket.write(telnet?.escape(bytes) ?? Uint8Array.from(bytes));
    },
    async close() {
      socket.destroy();
      await down;
    },
  };
}
