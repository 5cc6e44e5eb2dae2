// The streams that HTTP clients follow without a channel: a ticket's events as lines of JSON, a job's console as
// bytes, and uploads. All resume: events say the whole state, the console starts from any offset.
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { ChannelEvent } from '../protocol/channel.ts';
import { MqError } from '../protocol/errors.ts';
import type { LabServer } from '../server/lab-server.ts';
import type { Call } from '../server/operations/call.ts';
import { checkLog, findJob, readConsole } from '../server/operations/jobs.ts';
import { attach } from '../server/operations/tickets.ts';
import type { ChannelPort } from '../server/sessions.ts';
import type { CallerOf } from './routes.ts';

/** Lines that may wait for a client that does not read. */
const unreadBytesMax = 1024 * 1024;

export async function addStreams(app: FastifyInstance, lab: LabServer, callerOf: CallerOf): Promise<void> {
  addTicketEvents(app, lab, callerOf);
  addConsole(app, lab, callerOf);
  await app.register(async (scope) => addImages(scope, lab));
}

/** Keeps the ticket in its queue while it is read: the first line says how it stands, each further one a change. */
function addTicketEvents(app: FastifyInstance, lab: LabServer, callerOf: CallerOf): void {
  const schema = {
    operationId: 'ticket-events',
    summary: "A ticket's events as lines of JSON; while this is read the ticket waits in its queue",
    params: { type: 'object', properties: { ticket: { type: 'integer', minimum: 1 } }, required: ['ticket'] },
  };
  app.get<{ Params: { ticket: number } }>(
    '/v1/tickets/:ticket/events',
    { schema },
    async (request, reply) => {
      const caller = await callerOf(request);
      const { ticket } = request.params;
      const lines = new Readable({ read() {} });
      let isOver = false;
      const sendLine = (event: ChannelEvent) => {
        if (lines.destroyed || isOver) return;
        lines.push(`${JSON.stringify(event)}\n`);
        // A client that does not read comes back later: the first line will say how things stand.
        if (lines.readableLength > unreadBytesMax) lines.destroy();
      };
      const end = () => {
        if (!isOver) lines.push(null);
        isOver = true;
      };
      const port: ChannelPort = {
        caller,
        // A ping over HTTP is answered by the connection itself: there is nobody to answer.
        send: (event: ChannelEvent) => {
          if (event.event === 'ping') return void setImmediate(() => lab.sessions.pong(session, event.nonce));
          sendLine(event);
          if (isLast(event)) end();
        },
        sendData: async () => undefined,
        isPeerGone: () => false,
      };
      lab.sessions.checkRoom(caller.user, lab.config.limits);
      const session = lab.sessions.open(port);
      const call: Call = { lab, caller, session, again: true, signal: session.closed.signal };
      lines.on('close', () => lab.sessions.close(session));
      reply.raw.once('close', () => lines.destroy());
      try {
        const { view, job } = await attach(call, { ticket, places: true });
        const first: ChannelEvent[] = [{ event: 'ticket', view }];
        if (job) first.push({ event: 'job', job });
        for (const event of first) sendLine(event);
        if (first.some(isLast)) end();
      } catch (error) {
        lab.sessions.close(session);
        throw error;
      }
      return reply.type('application/x-ndjson').send(lines);
    },
  );
}

/** Nothing more will be told of a ticket behind this. */
function isLast(event: ChannelEvent): boolean {
  if (event.event === 'ticket') return event.view.state === 'ended' || event.view.state === 'held';
  return event.event === 'job' && event.job.state === 'ended';
}

function addConsole(app: FastifyInstance, lab: LabServer, callerOf: CallerOf): void {
  const schema = {
    operationId: 'console',
    summary:
      'Console bytes of a job from an offset; with follow until it ends. Bytes that were not kept are left out',
    params: { type: 'object', properties: { id: { type: 'integer', minimum: 1 } }, required: ['id'] },
    querystring: {
      type: 'object',
      additionalProperties: false,
      properties: {
        from: { type: 'integer', minimum: 0, default: 0 },
        follow: { type: 'boolean', default: false },
      },
    },
  };
  app.get<{ Params: { id: number }; Querystring: { from: number; follow: boolean } }>(
    '/v1/jobs/:id/console',
    { schema },
    async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const call: Call = {
        lab,
        caller: await callerOf(request),
        session: undefined,
        again: false,
        signal: gone.signal,
      };
      await checkLog(call, await findJob(call, request.params.id));
      const leave = lab.consoleReaders.take();
      const ranges = readConsole(call, {
        job: request.params.id,
        ...request.query,
        splitByTime: false,
        signal: gone.signal,
      });
      async function* bytes(): AsyncGenerator<Buffer> {
        for await (const range of ranges) if (range.kind === 'bytes') yield range.bytes;
      }
      if (gone.signal.aborted) leave();
      else gone.signal.addEventListener('abort', leave, { once: true });
      return reply.type('application/octet-stream').send(Readable.from(bytes(), { objectMode: false }));
    },
  );
}

/** In a scope of its own: what is taken in whole, such as JSON, must not have the limit of images. */
function addImages(app: FastifyInstance, lab: LabServer): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  const schema = {
    operationId: 'put-image-bytes',
    summary: 'Stores an image under the SHA-256 of its bytes; the Content-Length says how many come',
    params: {
      type: 'object',
      properties: { hash: { type: 'string', pattern: '^[0-9a-f]{64}$' } },
      required: ['hash'],
    },
  };
  // The upload itself knows the limit as it is then.
  const bodyLimit = Number.MAX_SAFE_INTEGER;
  app.put<{ Params: { hash: string } }>('/v1/images/:hash', { schema, bodyLimit }, async (request, reply) => {
    const size = Number(request.headers['content-length'] ?? Number.NaN);
    if (!Number.isSafeInteger(size))
      throw new MqError('BAD_REQUEST', 'Send the image with a Content-Length.');
    const upload = await lab.images.upload({ hash: request.params.hash, size });
    try {
      // No body at all where the length is 0.
      for await (const bytes of (request.body ?? []) as AsyncIterable<Buffer>)
        await upload.write(upload.received, bytes);
      await upload.finish();
    } catch (error) {
      await upload.abort();
      throw error;
    }
    return reply.status(204).send();
  });
}
