// HTTP: one route for each operation that has one, made from the table, and the streams that only HTTP has. Each parses,
// calls one use case and maps the error.
import swagger from '@fastify/swagger';
import { Ajv } from 'ajv';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../domain/commands.ts';
import { errorClasses, MqError } from '../protocol/errors.ts';
import { type Operation, type OperationName, operations } from '../protocol/operations.ts';
import type { LabServer } from '../server/lab-server.ts';
import type { Call, Handler } from '../server/operations/call.ts';
import { handlers } from '../server/operations/table.ts';
import { addStreams } from './streams.ts';

/** Who sent the request, as the kernel says. */
export type CallerOf = (request: FastifyRequest) => Promise<Caller>;

/** Registers everything under /v1 and the OpenAPI page at /v1/openapi.json. */
export async function addRoutes(app: FastifyInstance, lab: LabServer, callerOf: CallerOf): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'mq',
        version: lab.version,
        description:
          'The machine queue. Errors have the shape { code, message, details }; docs/errors.md explains each code.',
      },
    },
  });
  // What comes as text (path and query) is turned into the schema's types; a JSON body must have them.
  const strict = new Ajv({ strict: false });
  const coercing = new Ajv({ strict: false, coerceTypes: 'array', useDefaults: true });
  app.setValidatorCompiler(({ schema, httpPart }) =>
    (httpPart === 'body' ? strict : coercing).compile(schema as object),
  );
  app.setErrorHandler((error, request, reply) => sendError(lab, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const error = new MqError(
      'BAD_REQUEST',
      `There is no ${request.method} ${brief(request.url)}. /v1/openapi.json lists what there is.`,
    );
    return reply.status(404).send(error.toWire());
  });
  await app.register(async (scope) => {
    for (const name of Object.keys(operations) as OperationName[]) addOperation(scope, lab, callerOf, name);
    await addStreams(scope, lab, callerOf);
    scope.get('/v1/openapi.json', { schema: { hide: true } as object }, async () => app.swagger());
  });
}

/** Path parameters, query and body together are the operation's request. */
function addOperation(app: FastifyInstance, lab: LabServer, callerOf: CallerOf, name: OperationName): void {
  const operation: Operation = operations[name];
  if (!operation.http) return;
  const { method, path } = operation.http;
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
  app.route({
    method,
    url: path,
    schema: routeSchema(operation, names, name),
    handler: async (request, reply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort());
      const body = {
        ...(request.query as object),
        ...(request.body as object),
        ...(request.params as object),
      };
      const call: Call = {
        lab,
        caller: await callerOf(request),
        session: undefined,
        again: true,
        signal: gone.signal,
      };
      return (handlers[name] as Handler<OperationName>)(call, body as never);
    },
  });
}

function routeSchema(operation: Operation, params: readonly string[], name: string): object {
  const request = operation.request as unknown as {
    properties?: Record<string, object>;
    required?: string[];
  };
  const properties = request.properties ?? {};
  const required = request.required ?? [];
  const pick = (wanted: (key: string) => boolean) => ({
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(properties).filter(([key]) => wanted(key))),
    required: required.filter(wanted),
  });
  const rest = pick((key) => !params.includes(key));
  const place = operation.http?.method === 'POST' ? { body: rest } : { querystring: rest };
  return {
    operationId: name,
    summary: operation.summary,
    ...(params.length > 0 ? { params: pick((key) => params.includes(key)) } : {}),
    ...place,
    response: { 200: operation.response },
  };
}

function sendError(
  lab: LabServer,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = asMqError(error);
  if (!known) lab.logger.error('a route failed', { url: request.routeOptions.url, error });
  const wire = (
    known ?? new MqError('INTERNAL', 'The server failed inside. Its log has the details.')
  ).toWire();
  if (wire.code === 'WRONG_TOKEN') reply.headers({ 'www-authenticate': 'Bearer', connection: 'close' });
  return reply.status(errorClasses[wire.code].status).send(wire);
}

/** A path that no route can be looked up for. */
export function sendFrameworkError(_error: Error, request: FastifyRequest, reply: FastifyReply): void {
  const what = `The path ${brief(request.url)} can not be read, or a part of it is too long.`;
  void reply.status(errorClasses.BAD_REQUEST.status).send(new MqError('BAD_REQUEST', what).toWire());
}

/** A message is no place for all that somebody sent. */
function brief(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

function asMqError(error: unknown): MqError | undefined {
  if (error instanceof MqError) return error;
  const { validation, statusCode, message } = error as {
    validation?: unknown;
    statusCode?: number;
    message?: string;
  };
  if (validation) return new MqError('BAD_REQUEST', `${message}.`);
  if (statusCode === 413) return new MqError('TOO_LARGE', 'The request is too large.');
  return statusCode !== undefined && statusCode < 500 ? new MqError('BAD_REQUEST', `${message}`) : undefined;
}
