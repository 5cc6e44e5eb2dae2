// The HTTP server without its socket: routes, the upgrade to the channel, limits on requests. Who may come in, and as whom,
// the door says.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { channelPath, channelUpgrade } from '../protocol/channel.ts';
import { errorClasses, MqError } from '../protocol/errors.ts';
import type { LabServer } from '../server/lab-server.ts';
import { serveChannel } from './channel.ts';
import type { Door } from './door.ts';
import { addMonitoring, healthPath } from './monitoring.ts';
import { addRoutes, sendFrameworkError } from './routes.ts';

export interface HttpLimits {
  /** How long a request may take to come in. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  readonly checkEveryMs: number;
}

const standardLimits: HttpLimits = { requestMs: 60_000, keepAliveMs: 30_000, checkEveryMs: 10_000 };
/** A target in a path may be as long as elsewhere, each byte written as `%2c`. */
const pathPartMax = 3 * 4096;
/** How long a client that was refused may take to read why. */
const refusalReadMs = 5_000;

export interface AppOptions {
  readonly lab: LabServer;
  readonly door: Door;
  readonly limits?: HttpLimits | undefined;
  /** Certificate and key; plain HTTP where it is left out. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** Builds the HTTP server; `app.server` is what listens. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { lab, door, limits = standardLimits, tls } = options;
  const app = createServer(limits, tls);
  const excess = new Excess(lab);
  // With TLS the socket that requests name comes when its handshake is done.
  app.server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) =>
    excess.count(socket),
  );
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(lab, { request, socket, head, door, excess }).catch((error: unknown) => {
      if (error instanceof MqError) return refuse(socket, error);
      lab.logger.error('an upgrade failed', { error });
      socket.destroy();
    });
  });
  // Before a body is read, and for what does not exist too.
  app.addHook('onRequest', async (request, reply) => {
    if (excess.isPart(request.raw.socket)) reply.header('connection', 'close');
    excess.check(request.raw);
    if (request.routeOptions.url !== healthPath) await door.admit(request.raw);
  });
  await addRoutes(app, lab, async (request) => (await door.admit(request.raw)).caller());
  addMonitoring(app, lab, door);
  await app.ready();
  return app;
}

/** Requests that come in pieces for ever, and clients that never ask, end. */
function createServer(limits: HttpLimits, tls: AppOptions['tls']): FastifyInstance {
  const { requestMs, keepAliveMs: keepAliveTimeout, checkEveryMs } = limits;
  const common = {
    logger: false,
    bodyLimit: 1024 * 1024,
    requestTimeout: requestMs,
    keepAliveTimeout,
    routerOptions: { maxParamLength: pathPartMax },
    frameworkErrors: sendFrameworkError,
    clientErrorHandler: refuseNoRequest,
  };
  const node = { headersTimeout: requestMs, connectionsCheckingInterval: checkEveryMs };
  if (tls === undefined) return Fastify({ ...common, http: node });
  // To whoever uses it, a server with TLS is one without.
  return Fastify({ ...common, https: { ...node, ...tls } }) as unknown as FastifyInstance;
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly door: Door;
  readonly excess: Excess;
}

async function upgrade(lab: LabServer, { request, socket, head, door, excess }: Upgrade): Promise<void> {
  excess.check(request);
  const admitted = await door.admit(request);
  const wanted = request.headers.upgrade?.toLowerCase();
  if (request.url !== channelPath || wanted !== channelUpgrade) return refuseUpgrade(socket, '404 Not Found');
  lab.sessions.checkRoom(admitted.caller().user, lab.config.limits);
  if (socket.destroyed) return;
  socket.setTimeout(0);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${channelUpgrade}\r\n\r\n`,
  );
  serveChannel({ lab, socket, head, ...admitted });
}

/** Connections beyond the limit: whatever they ask is refused, and they are closed soon if they ask nothing. */
class Excess {
  readonly #lab: LabServer;
  readonly #refused = new WeakMap<Socket, MqError>();

  constructor(lab: LabServer) {
    this.#lab = lab;
  }

  count(socket: Socket): void {
    try {
      socket.once('close', this.#lab.connections.take());
    } catch (error) {
      if (!(error instanceof MqError)) throw error;
      this.#refused.set(socket, error);
      setTimeout(() => socket.destroy(), refusalReadMs).unref();
    }
  }

  isPart(socket: Socket): boolean {
    return this.#refused.has(socket);
  }

  /** Throws LIMIT_REACHED. */
  check({ socket }: IncomingMessage): void {
    const error = this.#refused.get(socket);
    if (error) throw error;
  }
}

function refuse(socket: Socket, error: MqError): void {
  refuseUpgrade(socket, `${errorClasses[error.code].status} Refused`, JSON.stringify(error.toWire()));
}

/** What came is no HTTP, is too long, or takes too long to come. */
function refuseNoRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return refuse(socket, new MqError('TOO_LARGE', 'The head of the request is too large.'));
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const what = isLate ? 'The request took too long to come.' : `This is no HTTP: ${error.message}.`;
  refuse(socket, new MqError('BAD_REQUEST', what));
}

/** Reads on for a moment: a socket that is closed over unread bytes takes what was said to its grave. */
function refuseUpgrade(socket: Socket, status: string, body = ''): void {
  const length = Buffer.byteLength(body);
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
  );
  socket.resume();
  const late = setTimeout(() => socket.destroy(), refusalReadMs);
  late.unref();
  socket.once('close', () => clearTimeout(late));
}
