// The door of a TCP socket: whoever brings the token comes in, as one user who is an admin. Keeps connections of strangers
// few and short, lets nobody guess fast, and ends what came in with a token that counts no more.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../platform/logger.ts';
import { MqError } from '../protocol/errors.ts';
import type { Admitted, Door } from './door.ts';

export interface DoorLimits {
  /** Connections that have not brought the token yet; of more, the oldest is cut. */
  readonly strangersMax: number;
  /** How long each of them may last. */
  readonly strangerMs: number;
  /** How long the answer to a wrong token takes. It keeps nobody else waiting. */
  readonly refusalMs: number;
  /** A channel that does not answer for so long is cut. */
  readonly silenceMaxMs: number;
}

export const standardDoorLimits: DoorLimits = {
  strangersMax: 128,
  strangerMs: 10_000,
  refusalMs: 1_000,
  silenceMaxMs: 60_000,
};

/** Refusals are told to the log so often at most, with their number. */
const tellEveryMs = 10_000;
/** The kernel asks a connection that is quiet for so long whether it is still there. */
const keepAliveMs = 30_000;

export class TokenDoor implements Door {
  readonly #user: string;
  readonly #limits: DoorLimits;
  readonly #logger: Logger;
  readonly #onWrong: () => void;
  #hash: Buffer;
  /** In the order in which they came, by address and port: the same for a TLS socket and the one below it. */
  readonly #strangers = new Map<string, Socket>();
  readonly #guests = new Set<Socket>();
  readonly #guessing = new WeakSet<Socket>();
  #untold = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    user: string;
    token: string;
    limits: DoorLimits;
    logger: Logger;
    /** Called for each wrong token. */
    onWrong: () => void;
  }) {
    this.#user = options.user;
    this.#limits = options.limits;
    this.#logger = options.logger;
    this.#onWrong = options.onWrong;
    this.#hash = hashOf(options.token);
  }

  /** Another token counts from now on; what came in with the old one is cut. Returns whether it is another. */
  changeToken(token: string): boolean {
    const hash = hashOf(token);
    if (timingSafeEqual(hash, this.#hash)) return false;
    this.#hash = hash;
    for (const socket of this.#guests) socket.destroy();
    return true;
  }

  /** A connection as it comes, before TLS. */
  meet(socket: Socket): void {
    const name = nameOf(socket);
    const late = setTimeout(() => {
      if (this.#strangers.get(name) === socket) socket.destroy();
    }, this.#limits.strangerMs);
    late.unref();
    socket.setKeepAlive(true, keepAliveMs);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      clearTimeout(late);
      this.#guests.delete(socket);
      if (this.#strangers.get(name) === socket) this.#strangers.delete(name);
    });
    this.#strangers.set(name, socket);
    if (this.#strangers.size <= this.#limits.strangersMax) return;
    // Who has the token brings it with the first bytes, so it is not them whom this hits.
    const [oldest] = this.#strangers.values();
    oldest?.destroy();
  }

  /** Throws WRONG_TOKEN. */
  async admit(request: IncomingMessage): Promise<Admitted> {
    const { socket } = request;
    const given = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined) throw refusal('This server asks for a token, and none came.');
    if (this.#guessing.has(socket) || !timingSafeEqual(hashOf(given), this.#hash)) {
      await this.#holdBack(socket);
      throw refusal('The token is not the one of this server.');
    }
    this.#letIn(socket);
    return {
      caller: () => ({ user: this.#user, admin: true }),
      // A line that dropped looks the same.
      isPeerGone: () => false,
      silenceMaxMs: this.#limits.silenceMaxMs,
    };
  }

  #letIn(socket: Socket): void {
    const name = nameOf(socket);
    const stranger = this.#strangers.get(name);
    if (!stranger) return;
    this.#strangers.delete(name);
    this.#guests.add(stranger);
  }

  /** One guess for each connection, and each takes its time. */
  async #holdBack(socket: Socket): Promise<void> {
    if (this.#guessing.has(socket)) return void socket.destroy();
    this.#guessing.add(socket);
    this.#untold += 1;
    this.#onWrong();
    const now = performance.now();
    if (now - this.#toldAt >= tellEveryMs) {
      const { remoteAddress: from } = socket;
      this.#logger.warn('a wrong token was refused', { from, times: this.#untold });
      this.#untold = 0;
      this.#toldAt = now;
    }
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        socket.off('close', done);
        resolve();
      };
      const timer = setTimeout(done, this.#limits.refusalMs);
      socket.on('close', done);
    });
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function refusal(what: string): MqError {
  return new MqError(
    'WRONG_TOKEN',
    `${what} Say where it is with MQ_AUTH_TOKEN_FILE, or send it as 'Authorization: Bearer TOKEN'.`,
  );
}
