// Loading the lab's configuration again: reads it, has the scheduler take it over, and says what is different. One at a
// time, and each reads the file anew, so that of two the later one has the last word.
import type { Logger } from '../platform/logger.ts';
import type { ConfigChange, ConfigProblem } from '../protocol/config-change.ts';
import { MqError } from '../protocol/errors.ts';
import type { LabConfig } from '../protocol/lab.ts';
import { compareConfigs } from './compare-configs.ts';

/** What reading the file came to. Problems and warnings are in its order. */
export type LoadedConfig =
  | { readonly ok: true; readonly config: LabConfig; readonly warnings: readonly ConfigProblem[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export interface ReloaderOptions {
  /** Reads the configuration as it is now. */
  readonly load: () => Promise<LoadedConfig>;
  /** Makes it the lab's; resolves with the one before and with the boards that are still there though it has them no more. */
  readonly apply: (
    config: LabConfig,
    by: string,
  ) => Promise<{ before: LabConfig; leaving: readonly string[] }>;
  /** What the process was started with: some of it counts until it ends. */
  readonly started: LabConfig;
  readonly logger: Logger;
}

export class Reloader {
  readonly #options: ReloaderOptions;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** Throws BAD_CONFIG where the file has problems, and TRY_AGAIN where it could not be stored; then nothing has changed. */
  reload(by: string): Promise<ConfigChange> {
    const done = this.#last.then(() => this.#reload(by));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #reload(by: string): Promise<ConfigChange> {
    const { logger } = this.#options;
    try {
      const change = await this.#load(by);
      logger.info('the configuration was loaded again', { by, ...change });
      return change;
    } catch (error) {
      const problems = error instanceof MqError ? error.details.problems : undefined;
      logger.error('the configuration was not loaded; nothing was changed', {
        by,
        error: String(error),
        ...(problems === undefined ? {} : { problems }),
      });
      throw error;
    }
  }

  async #load(by: string): Promise<ConfigChange> {
    const { load, apply, started } = this.#options;
    const loaded = await load();
    if (!loaded.ok) throw badConfig(loaded.problems);
    const { before, leaving } = await apply(loaded.config, by);
    return compareConfigs(before, loaded.config, { started, leaving, warnings: loaded.warnings });
  }
}

function badConfig(problems: readonly ConfigProblem[]): MqError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const message = `The configuration has ${count}; nothing was changed.`;
  return new MqError('BAD_CONFIG', message, { details: { problems: [...problems] } });
}
