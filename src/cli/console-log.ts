// The file of `-l`: every byte of the console, there from the start of the command, whatever comes of it.
import { type FileHandle, open } from 'node:fs/promises';
import { MqError } from '../protocol/errors.ts';

export class ConsoleLog {
  readonly #file: FileHandle | undefined;
  readonly #path: string;

  private constructor(file: FileHandle | undefined, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Empties or makes the file; without a path the log goes nowhere. Rejects with BAD_REQUEST. */
  static async open(path: string | undefined): Promise<ConsoleLog> {
    if (path === undefined) return new ConsoleLog(undefined, '');
    try {
      return new ConsoleLog(await open(path, 'w'), path);
    } catch (cause) {
      throw logError(path, cause);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#file?.writeFile(bytes);
    } catch (cause) {
      throw logError(this.#path, cause);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

function logError(path: string, cause: unknown): MqError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MqError('BAD_REQUEST', `The log file ${path} can't be written: ${why}.`, { cause });
}
