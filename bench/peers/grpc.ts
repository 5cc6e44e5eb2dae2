// As much gRPC as etcd's lock service needs: unary calls over one HTTP/2 connection, and protobuf messages of numbers
// and bytes. Written here, so that etcd is asked in its own protocol and at its own speed, without a package for it.
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';

/** A field of a message: a whole number (varint) or bytes. */
export type Field = bigint | Buffer;

const headBytes = 5;
const callMsMax = 120_000;

/** Fields by their number; of a repeated one the last counts. */
export type Message = ReadonlyMap<number, Field>;

export class GrpcConnection {
  readonly #session: ClientHttp2Session;
  readonly #authority: string;

  private constructor(session: ClientHttp2Session, authority: string) {
    this.#session = session;
    this.#authority = authority;
  }

  /** `authority`: HOST:PORT, without TLS. */
  static async open(authority: string): Promise<GrpcConnection> {
    const session = connect(`http://${authority}`);
    await once(session, 'connect');
    return new GrpcConnection(session, authority);
  }

  /** `path`: /package.Service/Method. Rejects where the status is not 0. */
  call(path: string, message: readonly [number, Field][]): Promise<Message> {
    const stream = this.#session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_AUTHORITY]: this.#authority,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    });
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let status: unknown;
      let text: unknown;
      const noteStatus = (headers: Record<string, unknown>) => {
        status = headers['grpc-status'] ?? status;
        text = headers['grpc-message'] ?? text;
      };
      stream.setTimeout(callMsMax, () => stream.close(constants.NGHTTP2_CANCEL));
      stream.on('response', noteStatus);
      stream.on('trailers', noteStatus);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('close', () => {
        if (status === '0') resolve(decode(Buffer.concat(chunks).subarray(headBytes)));
        else reject(new Error(`${path} ended with status ${status}: ${text}`));
      });
      stream.end(frame(encode(message)));
    });
  }

  close(): void {
    this.#session.destroy();
  }
}

/** Uncompressed, and the length. */
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export function encode(fields: readonly [number, Field][]): Buffer {
  const parts = fields.flatMap(([number, field]) => {
    if (typeof field === 'bigint') return [varint(BigInt(number << 3)), varint(field)];
    return [varint(BigInt((number << 3) | 2)), varint(BigInt(field.length)), field];
  });
  return Buffer.concat(parts);
}

/** Throws where it has other kinds of fields than numbers and bytes, or ends in the middle of one. */
export function decode(bytes: Buffer): Message {
  const fields = new Map<number, Field>();
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) throw new Error('a message ends in the middle of a number');
      at += 1;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(next());
    if ((tag & 7) === 0) {
      fields.set(tag >> 3, next());
      continue;
    }
    if ((tag & 7) !== 2) throw new Error(`field ${tag >> 3} is neither a number nor bytes`);
    const length = Number(next());
    if (at + length > bytes.length) throw new Error('a message ends in the middle of a field');
    fields.set(tag >> 3, bytes.subarray(at, at + length));
    at += length;
  }
  return fields;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  while (left > 127n) {
    bytes.push(Number(left & 127n) | 128);
    left >>= 7n;
  }
  bytes.push(Number(left));
  return Buffer.from(bytes);
}
