// The console of a job that ended under an earlier agent: only read any more.
import { ByteLogReader, type ByteRange } from '../platform/byte-log.ts';
import { systemErrorCode } from '../platform/platform-error.ts';
import type { ConsoleSource } from './console-spool.ts';

export class EndedConsole implements ConsoleSource {
  readonly #log: ByteLogReader | undefined;
  readonly matchEnd: number | undefined;

  private constructor(log: ByteLogReader | undefined, matchEnd: number | undefined) {
    this.#log = log;
    this.matchEnd = matchEnd;
  }

  /** A folder that is not there is an empty console. */
  static async open(folder: string, matchEnd: number | undefined): Promise<EndedConsole> {
    try {
      return new EndedConsole(await ByteLogReader.open(folder), matchEnd);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return new EndedConsole(undefined, matchEnd);
      throw error;
    }
  }

  get length(): number {
    return this.#log?.length ?? 0;
  }

  async read(options: { from: number; bytesMax: number }): Promise<ByteRange[]> {
    return (await this.#log?.read({ ...options, splitByTime: true })) ?? [];
  }
}
