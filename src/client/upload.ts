// Sends images to the server, each once whoever sends it: the server is asked which of them it lacks.
import { MqError } from '../protocol/errors.ts';
import { type Client, ConnectionLostError } from './client.ts';

export interface ImageSource {
  /** SHA-256 of the bytes, lower-case hex. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
  /** The bytes from the start; called again where an upload broke off. */
  open(): AsyncIterable<Uint8Array>;
}

export interface UploadOptions {
  readonly signal?: AbortSignal;
  /** Told after each piece of an upload. */
  readonly onProgress?: (progress: { sentBytes: number; totalBytes: number }) => void;
}

/** How long the server may take no byte, and how long it may check and store what it has got. */
const stallMsMax = 60_000;
const attemptsMax = 10;

/** Brings to the server what it lacks of the images. Rejects with its refusal (TOO_LARGE, IMAGE_MISMATCH, …). */
export async function uploadMissing(
  client: Client,
  images: readonly ImageSource[],
  options: UploadOptions = {},
): Promise<void> {
  const byHash = new Map(images.map((image) => [image.hash, image]));
  if (byHash.size === 0) return;
  const { missing } = await client.request('images', { hashes: [...byHash.keys()] }, signalOf(options));
  const lacking = missing.flatMap((hash) => byHash.get(hash) ?? []);
  const totalBytes = lacking.reduce((sum, image) => sum + image.size, 0);
  let doneBytes = 0;
  for (const image of lacking) {
    await upload(client, image, {
      ...options,
      onProgress: ({ sentBytes }) => options.onProgress?.({ sentBytes: doneBytes + sentBytes, totalBytes }),
    });
    doneBytes += image.size;
  }
}

async function upload(client: Client, image: ImageSource, options: UploadOptions): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await uploadOnce(client, image, options);
      return;
    } catch (error) {
      if (!(error instanceof ConnectionLostError) || attempt >= attemptsMax) throw error;
    }
    // The bytes may all be there, the answer lost; asking also waits for the connection to be back.
    const { missing } = await client.request('images', { hashes: [image.hash] }, signalOf(options));
    if (missing.length === 0) return;
  }
}

async function uploadOnce(client: Client, image: ImageSource, options: UploadOptions): Promise<void> {
  options.signal?.throwIfAborted();
  const { hash, size } = image;
  const streamId = client.newStreamId();
  const stalled = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stalled.signal]) : stalled.signal;
  let callOff = () => {};
  const expectProgress = () => {
    callOff();
    callOff = client.timers.after(stallMsMax, () =>
      stalled.abort(
        new MqError(
          'SERVER_UNREACHABLE',
          `The server has taken no byte of an upload in ${stallMsMax / 1000} s.`,
        ),
      ),
    );
  };
  let isAnswered = false;
  const answer = client
    .request(
      'put-image',
      { hash, size, stream: streamId },
      { signal, timeoutMs: Number.POSITIVE_INFINITY, repeat: 'never' },
    )
    .finally(() => {
      isAnswered = true;
    });
  answer.catch(() => {});
  try {
    expectProgress();
    let offset = 0;
    for await (const bytes of image.open()) {
      if (isAnswered) break;
      // The answer may be a refusal, and then nobody takes the rest.
      await Promise.race([answer, client.sendData({ streamId, offset, atMs: 0, bytes })]);
      offset += bytes.length;
      expectProgress();
      options.onProgress?.({ sentBytes: offset, totalBytes: size });
    }
    await answer;
  } finally {
    callOff();
  }
}

function signalOf({ signal }: UploadOptions): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
