// The server's socket: plain HTTP and, by upgrade, the channel. Who is at the other end is asked of the kernel.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Caller } from '../domain/commands.ts';
import { type PeerCredentials, peerOf } from '../platform/peer-credentials.ts';
import { hasEnded } from '../platform/process-ended.ts';
import type { UserNames } from '../platform/users.ts';
import { channelPath, channelUpgrade, relayHeader } from '../protocol/channel.ts';
import { MqError } from '../protocol/errors.ts';
import type { LabServer } from '../server/lab-server.ts';
import { serveChannel } from './channel.ts';
import { addRoutes } from './routes.ts';

interface Peer {
  readonly credentials: PeerCredentials;
  readonly user: Promise<string>;
}

export interface HttpLimits {
  /** How long a request may take to come in. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  readonly checkEveryMs: number;
}

const standardLimits: HttpLimits = { requestMs: 60_000, keepAliveMs: 30_000, checkEveryMs: 10_000 };

/** Builds the HTTP server; `app.server` is what listens. */
export async function buildHttp(
  lab: LabServer,
  users: UserNames,
  limits: HttpLimits = standardLimits,
): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: 1024 * 1024,
    // Requests that come in pieces for ever, and clients that never ask, end.
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: { headersTimeout: limits.requestMs, connectionsCheckingInterval: limits.checkEveryMs },
  });
  const peers = new WeakMap<Socket, Peer>();
  app.server.on('connection', (socket: Socket) => {
    try {
      const credentials = peerOf(socket);
      const user = nameUser(users, credentials);
      user.catch(() => socket.destroy());
      peers.set(socket, { credentials, user });
    } catch (error) {
      lab.logger.warn('a connection without a known peer was closed', { error });
      socket.destroy();
    }
  });
  const getPeer = (socket: Socket): Peer => {
    const peer = peers.get(socket);
    if (!peer) throw new MqError('NOT_ALLOWED', 'The kernel did not say who is at the other end.');
    return peer;
  };
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(lab, { request, socket, head, getPeer }).catch((error: unknown) => {
      lab.logger.error('an upgrade failed', { error });
      socket.destroy();
    });
  });
  await addRoutes(app, lab, async (request): Promise<Caller> => {
    const { credentials, user } = getPeer(request.raw.socket);
    return lab.callerOf({ uid: credentials.uid, user: await user });
  });
  await app.ready();
  return app;
}

/** A user without a name is known by the number. */
async function nameUser(users: UserNames, { uid }: PeerCredentials): Promise<string> {
  return users.cachedName(uid) ?? (await users.findName(uid)) ?? `uid-${uid}`;
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly getPeer: (socket: Socket) => Peer;
}

async function upgrade(lab: LabServer, { request, socket, head, getPeer }: Upgrade): Promise<void> {
  const wanted = request.headers.upgrade?.toLowerCase();
  if (request.url !== channelPath || wanted !== channelUpgrade) return refuseUpgrade(socket, '404 Not Found');
  if (lab.sessions.size >= lab.config.limits.openStreams)
    return refuseUpgrade(socket, '503 Service Unavailable');
  const peer = getPeer(socket);
  const user = await peer.user;
  if (socket.destroyed) return;
  socket.setTimeout(0);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${channelUpgrade}\r\n\r\n`,
  );
  // Where the peer only relays, as `mq connect` does, its end is no news of the client: a dropped line looks the same.
  const isRelayed = request.headers[relayHeader] !== undefined;
  const isPeerGone = () => !isRelayed && hasEnded(peer.credentials.pid);
  const caller = () => lab.callerOf({ uid: peer.credentials.uid, user });
  serveChannel({ lab, socket, caller, head, isPeerGone });
}

function refuseUpgrade(socket: Socket, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
