// The server's socket on this host: plain HTTP and, by upgrade, the channel. Who is at the other end is asked of the kernel.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type PeerCredentials, peerOf } from '../platform/peer-credentials.ts';
import { hasEnded } from '../platform/process-ended.ts';
import type { UserNames } from '../platform/users.ts';
import { relayHeader } from '../protocol/channel.ts';
import { MqError } from '../protocol/errors.ts';
import type { LabServer } from '../server/lab-server.ts';
import { buildApp, type HttpLimits } from './app.ts';
import type { Admitted, Door } from './door.ts';

interface Peer {
  readonly credentials: PeerCredentials;
  readonly user: Promise<string>;
}

/** Builds the HTTP server for a unix socket; `app.server` is what listens. */
export async function buildHttp(
  lab: LabServer,
  users: UserNames,
  limits?: HttpLimits,
): Promise<FastifyInstance> {
  const door = new KernelDoor(lab, users);
  const app = await buildApp({ lab, door, limits });
  app.server.on('connection', (socket: Socket) => door.meet(socket));
  return app;
}

class KernelDoor implements Door {
  readonly #lab: LabServer;
  readonly #users: UserNames;
  readonly #peers = new WeakMap<Socket, Peer>();

  constructor(lab: LabServer, users: UserNames) {
    this.#lab = lab;
    this.#users = users;
  }

  meet(socket: Socket): void {
    try {
      const credentials = peerOf(socket);
      const user = nameUser(this.#users, credentials);
      user.catch(() => socket.destroy());
      this.#peers.set(socket, { credentials, user });
    } catch (error) {
      this.#lab.logger.warn('a connection without a known peer was closed', { error });
      socket.destroy();
    }
  }

  async admit(request: IncomingMessage): Promise<Admitted> {
    const peer = this.#peers.get(request.socket);
    if (!peer) throw new MqError('NOT_ALLOWED', 'The kernel did not say who is at the other end.');
    const { uid, pid } = peer.credentials;
    const user = await peer.user;
    // Where the peer only relays, as `mq connect` does, its end is no news of the client: a dropped line looks the same.
    const isRelayed = request.headers[relayHeader] !== undefined;
    return {
      caller: () => this.#lab.callerOf({ uid, user }),
      isPeerGone: () => !isRelayed && hasEnded(pid),
    };
  }
}

/** A user without a name is known by the number. */
async function nameUser(users: UserNames, { uid }: PeerCredentials): Promise<string> {
  return users.cachedName(uid) ?? (await users.findName(uid)) ?? `uid-${uid}`;
}
