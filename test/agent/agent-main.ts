// An agent as a process of its own, with real lab programs behind its boards: node agent-main.ts FOLDER LINGER_SECONDS
import { join } from 'node:path';
import { runAgent } from '../../src/agent/run-agent.ts';
import { createScriptDriver } from '../../src/drivers/board/script.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { IdSource } from '../../src/platform/ids.ts';
import { openLogger } from '../../src/platform/logger.ts';

const [folder = '', lingerSeconds = ''] = process.argv.slice(2);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('SIGTERM')));
const ids = new IdSource();

await runAgent({
  folder,
  socketPath: join(folder, 'agent.sock'),
  drivers: (machine) => {
    if (machine.driver !== 'script') throw new Error('only programs here');
    return createScriptDriver(machine);
  },
  clock: systemClock,
  logger: openLogger({ to: 'stderr', level: 'info' }),
  version: 'test',
  newId: () => ids.next(),
  lingerSeconds: Number(lingerSeconds),
  signal: stop.signal,
});
