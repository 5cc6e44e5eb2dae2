// `mq agent`: the process at the boards. The server of this host starts one by itself.

import { runAgent } from '../../agent/run-agent.ts';
import { systemClock } from '../../platform/clock.ts';
import { IdSource } from '../../platform/ids.ts';
import { openLogger } from '../../platform/logger.ts';
import { PlatformError } from '../../platform/platform-error.ts';
import { createBoardDriver } from '../board-driver.ts';
import { agentSocketPath } from '../server/agent-process.ts';
import { version } from '../version.ts';

/** Runs until nobody needs it or a signal; returns the exit code. */
export async function agentCommand(options: { folder: string; lingerSeconds: number }): Promise<number> {
  const logger = openLogger({ to: 'stderr', level: 'info', fields: { part: 'agent' } });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      // The second one leaves at once: the next agent clears up.
      if (stop.signal.aborted) process.exit(1);
      stop.abort(new Error(name));
    });
  }
  process.on('SIGHUP', () => undefined);
  const ids = new IdSource();
  try {
    await runAgent({
      folder: options.folder,
      socketPath: agentSocketPath(options.folder),
      drivers: createBoardDriver,
      clock: systemClock,
      logger,
      version,
      newId: () => ids.next(),
      lingerSeconds: options.lingerSeconds,
      signal: stop.signal,
    });
    return 0;
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    logger.error('the agent can not run', { error });
    return 1;
  } finally {
    logger.flush();
  }
}
