// Files of a job: known by their hash, read from disk piece by piece.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { ImageSource } from '../client/upload.ts';
import { MqError } from '../protocol/errors.ts';
import type { FileRef } from '../protocol/schema.ts';

const pieceBytes = 256 * 1024;
const nameLengthMax = 1024;

export interface JobFile {
  readonly ref: FileRef;
  readonly source: ImageSource;
}

/** Reads the file once for its hash. Rejects with BAD_REQUEST where it can't be read, or with the signal's reason. */
export async function readJobFile(path: string, { signal }: { signal: AbortSignal }): Promise<JobFile> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const piece of pieces(path)) {
    signal.throwIfAborted();
    hash.update(piece);
    size += piece.length;
  }
  const source = { hash: hash.digest('hex'), size, open: () => pieces(path) };
  return { ref: { name: basename(path).slice(0, nameLengthMax), hash: source.hash, size }, source };
}

async function* pieces(path: string): AsyncGenerator<Buffer> {
  const stream = createReadStream(path, { highWaterMark: pieceBytes });
  try {
    for await (const piece of stream) yield piece as Buffer;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MqError('BAD_REQUEST', `${path} can't be read: ${why}.`, { cause });
  } finally {
    stream.destroy();
  }
}
