// Opens the channel on a server's TCP socket, with or without TLS. Loaded only where an address is http:// or https://.
import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { OpenLink } from '../../client/link.ts';
import { MqError } from '../../protocol/errors.ts';
import { formatAddress, hostPort, type TcpAddress } from './address.ts';
import { frameLink } from './frame-link.ts';

/** The server asks each channel for a sign of life far more often: a connection that is silent for so long is none. */
const silenceMaxMs = 90_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Links over TCP; each is up when the server has agreed to the channel. Rejects with the system's error, that of the
 * certificate, or what the server said instead.
 * Throws BAD_REQUEST where there is no token, or where it would cross the network in plain text unasked.
 */
export function openTcp(address: TcpAddress, env: Environment): OpenLink {
  checkPrivacy(address, env);
  const token = findToken(address, env);
  return (handlers, { signal }) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const { socket, ready } = openSocket(address);
      const onAbort = () =>
        socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('error', reject);
      // Nothing is written before that: the token is for a server whose certificate has been judged.
      socket.once(ready, () => {
        socket.removeListener('error', reject);
        socket.setNoDelay(true);
        socket.setTimeout(silenceMaxMs, () =>
          socket.destroy(new Error(`the server has said nothing for ${silenceMaxMs / 1000} s`)),
        );
        let isUp = false;
        const onClose = (error: Error | undefined) => {
          if (isUp) return handlers.onClose(error);
          signal.removeEventListener('abort', onAbort);
          reject(error ?? new Error(silentText(address)));
        };
        const onGranted = () => {
          isUp = true;
          signal.removeEventListener('abort', onAbort);
          resolve(link);
        };
        const link = frameLink(
          socket,
          { ...handlers, onClose },
          { host: hostPort(address), token, onGranted },
        );
      });
    });
}

function silentText({ tls }: TcpAddress): string {
  const hint = tls ? '' : '; https:// is the address of a server with TLS';
  return `it closed the connection without a word${hint}`;
}

function openSocket({ host, port, tls }: TcpAddress): { socket: Socket; ready: string } {
  if (!tls) return { socket: connect({ host, port }), ready: 'connect' };
  // A certificate that names an address is compared with the address itself.
  const servername = isIP(host) ? {} : { servername: host };
  return { socket: connectTls({ host, port, ...servername }), ready: 'secureConnect' };
}

function checkPrivacy({ tls, host, from }: TcpAddress, env: Environment): void {
  const isLocal = host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
  if (tls || isLocal || env.MQ_INSECURE) return;
  throw new MqError(
    'BAD_REQUEST',
    `${from} names a server on another host by http://, and the token would cross the network in plain text. ` +
      'Write https://, or set MQ_INSECURE=yes to take the risk.',
  );
}

/** From the environment, or from the file that named the server: a token goes to no other server than its own. */
function findToken(address: TcpAddress, env: Environment): string {
  const file = env.MQ_AUTH_TOKEN_FILE || (env.MQ_AUTH_TOKEN ? undefined : address.tokenFile);
  const token = (file === undefined ? (env.MQ_AUTH_TOKEN ?? '') : readToken(file)).trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const where = file === undefined ? 'MQ_AUTH_TOKEN_FILE names a file with it' : `${file} has none`;
  throw new MqError('BAD_REQUEST', `${formatAddress(address)} asks for a token: ${where}.`);
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { message } = cause as Error;
    throw new MqError('BAD_REQUEST', `The token can't be read: ${message}.`, { cause });
  }
}
