// Bad requests over HTTP: for every operation of the table one that fits it, changed in a place or two; and requests that
// are none. Most go in without a socket; those that stay open, and bytes that are no HTTP, over a real one.
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { buildApp } from '../../http/app.ts';
import type { Door } from '../../http/door.ts';
import { errorClasses } from '../../protocol/errors.ts';
import { type Operation, operations } from '../../protocol/operations.ts';
import type { Random } from '../simulation/random.ts';
import { fromSchema, mutate } from './from-schema.ts';
import { hostileText } from './hostile-text.ts';
import type { Kind, Target } from './kind.ts';
import { knownFields } from './known-fields.ts';
import { FuzzLab, users } from './lab.ts';

interface RouteInput {
  readonly user: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** One byte a letter. */
  readonly body: string;
  /** Instead of all that: bytes for the socket. */
  readonly raw?: string;
}

const table = Object.values(operations as Record<string, Operation>).flatMap(({ http, request: schema }) =>
  http ? [{ ...http, schema }] : [],
);
const others = [
  { method: 'GET', path: '/v1/openapi.json' },
  { method: 'GET', path: '/metrics' },
  { method: 'GET', path: '/healthz' },
  { method: 'GET', path: '/v1/jobs/:id/console' },
  { method: 'GET', path: '/v1/tickets/:ticket/events' },
  { method: 'PUT', path: '/v1/images/:hash' },
  { method: 'GET', path: '/v1/channel' },
] as const;
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'];
const badPaths = [
  '/v1/../../../etc/passwd',
  '/v1/%2e%2e/%2e%2e/etc/passwd',
  '/v1/images/..%2f..%2f..%2fetc%2fx',
  '/v1/images/%2e%2e%2fetc',
  '/v1/jobs/1/console/../../..',
  '/v1/targets/%00',
  '/v1/targets/%ff%fe',
  '/v1/targets/%',
  '/v1/targets/%u0041',
  '//v1//status',
  '/v1/status#x',
  '/v1/status;x=1',
  '/V1/STATUS',
  '*',
  '/',
  '',
];

function make(random: Random, index: number): RouteInput {
  const known = knownFields(index);
  const base = { user: random.pick(users) as string, headers: {}, body: '' };
  if (random.chance(0.03)) return { ...base, method: '', url: '', raw: rawRequest(random) };
  if (random.chance(0.1)) {
    const url = random.chance(0.5) ? random.pick(badPaths) : `/v1/${encodeURIComponent(wellFormed(random))}`;
    return { ...base, method: random.pick(methods), url };
  }
  const route = random.chance(0.9) ? random.pick(table) : random.pick(others);
  const schema = 'schema' in route ? route.schema : {};
  const value = mutate(fromSchema(schema, random, known), random);
  const fields = value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
  const path = route.path.replace(/:(\w+)/g, (_all, name: string) =>
    encodeURIComponent(textOf(fields[name] ?? known(name, random) ?? 'a'.repeat(64))),
  );
  const method = random.chance(0.95) ? route.method : random.pick(methods);
  return method === 'GET' || method === 'DELETE'
    ? { ...base, method, url: path + queryOf(fields, route.path, random) }
    : { ...base, method, url: path, ...bodyOf(withoutPath(value, route.path), random) };
}

function wellFormed(random: Random): string {
  return hostileText(random).slice(0, 2_000).toWellFormed();
}

function withoutPath(value: unknown, path: string): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !path.includes(`:${key}`)));
}

function queryOf(fields: object, path: string, random: Random): string {
  const pairs = Object.entries(fields).filter(([key]) => !path.includes(`:${key}`));
  if (random.chance(0.1))
    pairs.push([hostileText(random).slice(0, 200), hostileText(random).slice(0, 2_000)]);
  if (random.chance(0.05)) pairs.push(...pairs);
  if (pairs.length === 0) return random.chance(0.05) ? '?%%%=&&=&%00' : '';
  const text = (value: unknown): string => encodeURIComponent(textOf(value));
  return `?${pairs.map(([key, value]) => `${text(key)}=${text(value)}`).join('&')}`;
}

function textOf(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 20_000).toWellFormed();
}

function bodyOf(value: unknown, random: Random): Pick<RouteInput, 'headers' | 'body'> {
  const json = Buffer.from(JSON.stringify(value) ?? '').toString('latin1');
  const type = random.chance(0.93) ? 'application/json' : random.pick(types);
  const headers = { 'content-type': type };
  const kind = random.between(0, 19);
  if (kind === 0) return { headers, body: json.slice(0, random.between(0, json.length)) };
  if (kind === 1) return { headers, body: `${json}${json}` };
  if (kind === 2) return { headers, body: flipOne(json, random) };
  if (kind === 3)
    return { headers: { ...headers, 'content-length': String(random.between(0, 9_999)) }, body: json };
  if (kind === 4 && random.chance(0.1)) return { headers, body: `"${'x'.repeat(1_200_000)}"` };
  if (kind === 5) return { headers, body: '[['.repeat(random.between(1, 30_000)) };
  return { headers, body: json };
}

const types = [
  'text/plain',
  'application/json; charset=utf-16',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
  'multipart/form-data; boundary=x',
  '',
  'a/b/c',
  'application/json\u0000',
];

/** One byte of it is another. */
export function flipOne(text: string, random: Random): string {
  if (text === '') return text;
  const at = random.between(0, text.length - 1);
  return text.slice(0, at) + String.fromCharCode(random.between(0, 255)) + text.slice(at + 1);
}

function rawRequest(random: Random): string {
  const line = `${random.pick(['GET', 'POST', 'G\u0000T', ''])} ${random.pick(['/v1/status', '/v1/channel', '\u00ff'])} HTTP/1.1`;
  const head = [
    line,
    'Host: mq',
    random.pick([
      `X: ${'y'.repeat(random.between(1, 40_000))}`,
      'Content-Length: 5\r\nContent-Length: 7',
      'Content-Length: -1',
      'Content-Length: 99999999999999999999',
      'Transfer-Encoding: chunked\r\nContent-Length: 3',
      'Transfer-Encoding: chunked, identity',
      'Connection: Upgrade\r\nUpgrade: mq-channel',
      'Connection: Upgrade\r\nUpgrade: websocket',
      'Expect: 100-continue\r\nContent-Length: 4',
      'X\u0000: 1',
      `${'h: 1\r\n'.repeat(random.between(1, 3_000))}z: 1`,
    ]),
  ].join('\r\n');
  const whole = `${head}\r\n\r\n${random.pick(['', 'zz\r\n', '{"a":', '\u0000\u0000\u0000\u0005\u0000nope!', '5\r\nab'])}`;
  return random.chance(0.3) ? flipOne(whole, random) : whole;
}

/** What is answered in pieces, or when something happens. */
const staysOpen = /\/events|console|\/free/;

class RoutesTarget implements Target {
  readonly #lab: FuzzLab;
  readonly #app: FastifyInstance;
  readonly #path: string;
  readonly #as: { user: string };

  static async open(folder: string): Promise<Target> {
    const lab = await FuzzLab.open({ folder });
    await lab.settle();
    const as = { user: 'ana' };
    const door: Door = {
      admit: async () => ({
        caller: () => ({ user: as.user, admin: as.user === 'root' }),
        isPeerGone: () => false,
      }),
    };
    const app = await buildApp({ lab: lab.server, door });
    const path = join(folder, 'socket');
    await new Promise<void>((resolve) => app.server.listen(path, resolve));
    return new RoutesTarget(lab, app, path, as);
  }

  private constructor(lab: FuzzLab, app: FastifyInstance, path: string, as: { user: string }) {
    this.#lab = lab;
    this.#app = app;
    this.#path = path;
    this.#as = as;
  }

  async take(input: unknown): Promise<string[]> {
    const { user, method, url, headers, body, raw } = input as RouteInput;
    this.#as.user = user;
    if (raw !== undefined) return judgeRaw(await sendRaw(this.#path, Buffer.from(raw, 'latin1')));
    if (staysOpen.test(url) || badPaths.includes(url)) return this.#ask(input as RouteInput);
    const options: InjectOptions = {
      method: method as 'GET',
      url,
      headers: { ...headers },
      ...(body === '' ? {} : { payload: Buffer.from(body, 'latin1') }),
    };
    const answer = await this.#app.inject(options);
    return judge(answer.statusCode, answer.payload);
  }

  /** What may stay open: over the socket, and left when its head has come or after a moment. */
  #ask({ method, url, headers, body }: RouteInput): Promise<string[]> {
    return new Promise((resolve) => {
      const payload = Buffer.from(body, 'latin1');
      const more = body === '' ? {} : { 'content-length': payload.length };
      const sent = request({
        socketPath: this.#path,
        method,
        path: url,
        headers: { ...clean(headers), ...more },
        agent: false,
      });
      const leave = setTimeout(() => sent.destroy(), 100);
      sent.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (chunk: Buffer) => parts.push(chunk));
        response.on('error', () => undefined);
        response.on('close', () => {
          const isStream = /ndjson|octet/.test(String(response.headers['content-type']));
          resolve(isStream ? [] : judge(response.statusCode ?? 0, Buffer.concat(parts).toString()));
        });
      });
      sent.on('error', () => resolve([]));
      sent.on('close', () => {
        clearTimeout(leave);
        resolve([]);
      });
      sent.end(payload);
    });
  }

  async check(): Promise<string[]> {
    const problems = await this.#lab.check();
    await this.#lab.clear();
    return problems;
  }

  async close(): Promise<void> {
    this.#app.server.closeAllConnections();
    await this.#app.close();
    await this.#lab.close();
  }
}

/** What node's client would refuse to send goes in by `inject`. */
function clean(headers: Readonly<Record<string, string>>): Record<string, string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => !/[\u0000-\u001f]/.test(value)));
}

function judge(status: number, payload: string): string[] {
  if (status === 500) return [`status 500: ${payload.slice(0, 500)}`];
  if (status < 400 || payload === '') return [];
  let error: { code?: unknown; message?: unknown };
  try {
    error = JSON.parse(payload);
  } catch {
    return [`status ${status} with what is no JSON: ${payload.slice(0, 200)}`];
  }
  const { code, message } = error;
  // A refusal of /healthz is an answer.
  if (status === 503 && 'ok' in error) return [];
  if (typeof code !== 'string' || !(code in errorClasses) || typeof message !== 'string' || message === '')
    return [`status ${status} without a known code and a message: ${payload.slice(0, 200)}`];
  if (code === 'INTERNAL') return [`INTERNAL: ${message}`];
  return message.length > 20_000
    ? [`a message of ${message.length} characters: ${message.slice(0, 200)}`]
    : [];
}

/** Sends the bytes, and no more after a moment. */
function sendRaw(path: string, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const socket = connect(path);
    const leave = setTimeout(() => socket.destroy(), 50);
    socket.on('data', (chunk: Buffer) => parts.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(leave);
      resolve(Buffer.concat(parts).toString('latin1'));
    });
    socket.end(bytes);
  });
}

function judgeRaw(answer: string): string[] {
  const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1];
  if (answer !== '' && status === undefined) return [`no HTTP came back: ${answer.slice(0, 200)}`];
  return status === '500' ? [`status 500: ${answer.slice(0, 500)}`] : [];
}

export const routesKind: Kind = {
  name: 'routes',
  share: 35,
  checkEvery: 250,
  make,
  open: (folder) => RoutesTarget.open(folder),
};
