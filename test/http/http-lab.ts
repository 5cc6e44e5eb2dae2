// A lab behind its real socket, and the plainest clients for it.
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { HttpLimits } from '../../src/http/app.ts';
import { buildHttp } from '../../src/http/listen.ts';
import { encodeData, encodeJson, type Frame, FrameReader } from '../../src/platform/frames.ts';
import { UserNames } from '../../src/platform/users.ts';
import type { LabServerOptions } from '../../src/server/lab-server.ts';
import { type RunningLab, startLab } from '../server/lab.ts';

export interface Reply {
  readonly status: number;
  readonly body: Buffer;
  readonly json: never;
  readonly headers: IncomingHttpHeaders;
}

export interface HttpLab extends RunningLab {
  readonly path: string;
  ask(method: string, url: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  openapi(): Promise<{ paths: Record<string, Record<string, { operationId: string }>>; openapi: string }>;
}

export async function startHttp(
  t: TestContext,
  limits?: HttpLimits,
  more: Partial<LabServerOptions> = {},
): Promise<HttpLab> {
  const running = await startLab(t, more);
  const app = await buildHttp(running.lab, new UserNames(), limits);
  const path = join(running.folder, 'socket');
  await new Promise<void>((resolve) => app.server.listen(path, resolve));
  t.after(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const ask: HttpLab['ask'] = (method, url, body, headers = {}) => {
    const isRaw = Buffer.isBuffer(body);
    const type = isRaw ? 'application/octet-stream' : 'application/json';
    const payload = body === undefined ? undefined : isRaw ? body : Buffer.from(JSON.stringify(body));
    const all = payload
      ? { 'content-type': type, 'content-length': String(payload.length), ...headers }
      : headers;
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: path, method, path: url, headers: all }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          const isJson = String(response.headers['content-type']).includes('json');
          const json =
            isJson && !String(response.headers['content-type']).includes('ndjson')
              ? JSON.parse(whole.toString())
              : undefined;
          resolve({
            status: response.statusCode ?? 0,
            body: whole,
            json: json as never,
            headers: response.headers,
          });
        });
      });
      sent.on('error', reject);
      sent.end(payload);
    });
  };
  return { ...running, path, ask, openapi: async () => (await ask('GET', '/v1/openapi.json')).json };
}

export const upgradeHead =
  'GET /v1/channel HTTP/1.1\r\nHost: mq\r\nConnection: Upgrade\r\nUpgrade: mq-channel\r\n\r\n';

/** A channel by hand. */
export class RawChannel {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
  #head = '';
  #reader = new FrameReader({ payloadBytesMax: 64 * 1024 * 1024 });
  #changed = Promise.withResolvers<void>();
  #nextId = 1;

  constructor(path: string) {
    this.socket = connect(path);
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
    this.socket.on('error', () => {});
    this.socket.write(upgradeHead);
    this.socket.on('data', (chunk: Buffer) => this.#onData(chunk));
  }

  async call(
    op: string,
    body: unknown,
    more: object = {},
  ): Promise<{ ok: boolean; body: never; error: { code: string; message: string } }> {
    const id = this.#nextId++;
    this.socket.write(encodeJson({ id, op, body, ...more }));
    const frame = await this.until((one) => one.kind === 'json' && (one.value as { id?: number }).id === id);
    return (frame as unknown as { value: never }).value;
  }

  data(streamId: number, offset: number, bytes: Buffer): void {
    this.socket.write(Buffer.concat(encodeData({ streamId, offset, atMs: 0, bytes })));
  }

  async until(fits: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(fits);
      if (found) return found;
      await Promise.race([
        this.#changed.promise,
        this.closed.then(() => Promise.reject(new Error('closed'))),
      ]);
    }
  }

  #onData(chunk: Buffer): void {
    let rest = chunk;
    if (!this.#head.endsWith('\r\n\r\n')) {
      const text = chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#head = text.slice(0, end + 4);
      rest = chunk.subarray(end + 4);
    }
    this.frames.push(
      ...this.#reader
        .push(rest)
        .map((frame) => (frame.kind === 'data' ? { ...frame, bytes: Buffer.from(frame.bytes) } : frame)),
    );
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
