// The agent as a process: one for each folder, on a unix socket that only its own user may open, until nobody needs it.
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { lockFolder } from '../platform/folder-lock.ts';
import { listenOnUnixSocket } from '../platform/unix-socket.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { farewellSeconds, stopSeconds } from './limits.ts';

export interface RunAgentOptions extends AgentOptions {
  readonly socketPath: string;
  /** Without a server and without a live job it leaves after this long. */
  readonly lingerSeconds: number;
  /** Told to stop: jobs end as cancelled, their boards go off. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when the agent has nothing more to do, or was told to stop and has, within a bound. Throws a PlatformError
 * where another agent has the folder or the socket, and an Error where its folder can't be used.
 */
export async function runAgent(options: RunAgentOptions): Promise<void> {
  const { clock, logger, folder, socketPath } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const owned = lockFolder(folder);
  try {
    const agent = new Agent(options);
    await agent.start();
    const server = createServer((stream) => agent.accept(stream));
    const listener = await listenOnUnixSocket(server, { path: socketPath, mode: 0o600 });
    server.on('error', (error) => logger.error('the socket of the agent has trouble', { error }));
    logger.info('the agent is ready', { socket: socketPath });
    const why = await untilUnneeded(agent, options);
    logger.info('the agent leaves', { why });
    await listener.close();
    await within(agent.stop('the agent was stopped'), stopSeconds + farewellSeconds, clock);
    agent.close();
  } finally {
    owned.release();
  }
}

function untilUnneeded(agent: Agent, options: RunAgentOptions): Promise<string> {
  const { clock, signal, lingerSeconds } = options;
  return new Promise((resolve) => {
    let cancelTimer = (): void => undefined;
    const leave = (why: string): void => {
      cancelTimer();
      agent.onChange(() => undefined);
      signal.removeEventListener('abort', onAbort);
      resolve(why);
    };
    const onAbort = (): void => leave('it was told to stop');
    const look = (): void => {
      cancelTimer();
      if (agent.isRetired) leave('its server has left');
      else if (!agent.isConnected && !agent.isBusy) {
        cancelTimer = clock.setTimer(lingerSeconds * 1000, () => leave('no server came back'));
      }
    };
    signal.addEventListener('abort', onAbort);
    agent.onChange(look);
    if (signal.aborted) onAbort();
    else look();
  });
}

async function within(
  work: Promise<unknown>,
  seconds: number,
  clock: RunAgentOptions['clock'],
): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = clock.setTimer(seconds * 1000, late.resolve);
  await Promise.race([work, late.promise]);
  cancel();
}
