// The server's TCP socket, plain or with TLS, behind one token. Token and certificate are read again now and then, so that
// new ones count without a restart.
import { stat } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../platform/logger.ts';
import { PlatformError } from '../platform/platform-error.ts';
import { readSecretAt, type SecretPlace } from '../platform/secret.ts';
import type { ListenConfig } from '../protocol/lab.ts';
import type { LabServer } from '../server/lab-server.ts';
import { buildApp } from './app.ts';
import { type DoorLimits, standardDoorLimits, TokenDoor } from './token-door.ts';

/** How often token and certificate are read again. */
const rereadMs = 10_000;
const othersMay = 0o007;
const tokenPattern = /^[\w.~+/=-]{20,}$/;

export interface TcpListener {
  /** What it listens on: HOST:PORT. */
  readonly address: string;
  readonly app: FastifyInstance;
  close(): void;
}

interface Secrets {
  readonly token: string;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/**
 * Throws a PlatformError: SECRET_UNUSABLE where token, certificate or key can't be had or are none; ADDRESS_UNUSABLE
 * where the address is taken, or not of this host.
 */
export async function listenOnTcp(
  lab: LabServer,
  config: ListenConfig,
  limits: DoorLimits & { readonly rereadMs?: number } = standardDoorLimits,
): Promise<TcpListener> {
  const logger = lab.logger.child({ part: 'tcp' });
  const secrets = await readSecrets(config);
  const { user } = config;
  const onWrong = () => {
    lab.tally.wrongTokens += 1;
  };
  const door = new TokenDoor({ user, token: secrets.token, limits, logger, onWrong });
  const app = await buildApp({ lab, door, tls: secrets.tls });
  const { server } = app;
  server.on('connection', (socket: Socket) => door.meet(socket));
  const address = await listen(server, config);
  server.on('error', (error) => logger.error('the socket failed', { error }));
  const reread = keepReading({ config, door, server, secrets, logger, everyMs: limits.rereadMs ?? rereadMs });
  const close = () => {
    clearInterval(reread);
    server.close();
  };
  return { address, app, close };
}

function listen(server: Server, { host, port }: ListenConfig): Promise<string> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error) => {
      const message = `cannot listen on ${hostPort(host, port)}: ${cause.message}`;
      reject(new PlatformError('ADDRESS_UNUSABLE', message, { details: { host, port }, cause }));
    };
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      const { address, port: got } = server.address() as AddressInfo;
      resolve(hostPort(address, got));
    });
  });
}

function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function readSecrets(config: ListenConfig): Promise<Secrets> {
  const token = (await read('token', config.token)).trim();
  if (!tokenPattern.test(token)) {
    const wanted = '20 characters or more, of letters, digits and _ . ~ + / = - only';
    throw unusable(`the token of listen must have ${wanted}: openssl rand -hex 32 makes one`);
  }
  if (!config.tls) return { token, tls: undefined };
  const { certPath, keyPath } = config.tls;
  const cert = await read('certificate', { file: certPath }, { isPublic: true });
  const key = await read('key', { file: keyPath });
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const why = (cause as Error).message;
    throw unusable(`${certPath} and ${keyPath} are no certificate with its key: ${why}`, cause);
  }
  return { token, tls: { cert, key } };
}

async function read(what: string, place: SecretPlace, { isPublic = false } = {}): Promise<string> {
  try {
    const secret = await readSecretAt(place);
    if (isPublic || 'env' in place || ((await stat(place.file)).mode & othersMay) === 0) return secret;
    throw new Error(`every user may read it; chmod o= ${place.file}`);
  } catch (cause) {
    throw unusable(`the ${what} of listen can't be used: ${(cause as Error).message}`, cause);
  }
}

function unusable(message: string, cause?: unknown): PlatformError {
  return new PlatformError('SECRET_UNUSABLE', message, cause === undefined ? {} : { cause });
}

/** While they can't be read, those from before count; that is told once. */
function keepReading(options: {
  config: ListenConfig;
  door: TokenDoor;
  server: Server;
  secrets: Secrets;
  logger: Logger;
  everyMs: number;
}): NodeJS.Timeout {
  const { config, door, server, logger, everyMs } = options;
  let { tls } = options.secrets;
  let isReading = false;
  let isTold = false;
  const readAgain = async () => {
    const now = await readSecrets(config);
    if (door.changeToken(now.token)) logger.info('another token counts');
    if (now.tls && (now.tls.cert !== tls?.cert || now.tls.key !== tls.key)) {
      (server as SecureServer).setSecureContext(now.tls);
      tls = now.tls;
      logger.info('another certificate is in use');
    }
    isTold = false;
  };
  const timer = setInterval(() => {
    if (isReading) return;
    isReading = true;
    readAgain()
      .catch((error: unknown) => {
        if (!isTold) logger.error('token or certificate were not read again', { error: String(error) });
        isTold = true;
      })
      .finally(() => {
        isReading = false;
      });
  }, everyMs);
  timer.unref();
  return timer;
}
