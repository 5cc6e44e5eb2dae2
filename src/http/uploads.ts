// Uploads of one channel: joins the request that announces an image with the data frames that bring it.
import type { DataFrame } from '../platform/frames.ts';
import { MqError } from '../protocol/errors.ts';
import type { Images } from '../server/images.ts';
import type { Upload } from '../server/upload.ts';

/** Uploads of one channel at once. */
const uploadsMax = 16;

interface Receiving {
  readonly upload: Promise<Upload>;
  readonly whole: PromiseWithResolvers<void>;
}

export class Uploads {
  readonly #images: Images;
  readonly #receiving = new Map<number, Receiving>();

  constructor(images: Images) {
    this.#images = images;
  }

  /** Resolves when the image has come, was checked and is stored. */
  async receive(image: { hash: string; size: number; stream: number }): Promise<object> {
    if (this.#receiving.size >= uploadsMax) {
      throw new MqError('LIMIT_REACHED', `At most ${uploadsMax} uploads at once on one channel.`);
    }
    if (this.#receiving.has(image.stream)) {
      throw new MqError('BAD_REQUEST', `Stream ${image.stream} already carries an upload.`);
    }
    const receiving: Receiving = { upload: this.#images.upload(image), whole: Promise.withResolvers() };
    receiving.whole.promise.catch(() => undefined);
    this.#receiving.set(image.stream, receiving);
    try {
      const upload = await receiving.upload;
      if (!upload.isWhole) await receiving.whole.promise;
      await upload.finish();
      return {};
    } catch (error) {
      await receiving.upload.then((upload) => upload.abort()).catch(() => undefined);
      throw error;
    } finally {
      this.#receiving.delete(image.stream);
    }
  }

  /** Frames of unknown streams are dropped: their upload was refused. `pause` is told to wait for the disk. */
  take(frame: DataFrame, pause: (ready: Promise<void>) => void): void {
    const receiving = this.#receiving.get(frame.streamId);
    if (!receiving) return;
    const { offset } = frame;
    const bytes = Buffer.from(frame.bytes);
    const written = receiving.upload.then(async (upload) => {
      const done = upload.write(offset, bytes);
      if (upload.isWhole) receiving.whole.resolve();
      await done;
    });
    pause(written.catch((error: unknown) => receiving.whole.reject(error)));
  }

  close(): void {
    for (const { whole } of this.#receiving.values()) {
      whole.reject(new MqError('SERVER_UNREACHABLE', 'The connection ended before the image had come.'));
    }
  }
}
