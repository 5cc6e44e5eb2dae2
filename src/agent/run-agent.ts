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
  /** Told to stop: jobs end, their boards go off. */
  readonly signal: AbortSignal;
}

/** Resolves when the agent has nothing more to do, or was told to stop. Throws PlatformError if another one runs. */
export async function runAgent(options: RunAgentOptions): Promise<void> {
  const { clock, logger } = options;
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const owned = await lockFolder(options.folder);
  try {
    const agent = new Agent(options);
    await agent.start();
    const server = createServer((stream) => agent.accept(stream));
    const listener = await listenOnUnixSocket(server, { path: options.socketPath, mode: 0o600 });
    logger.info('the agent is ready', { socket: options.socketPath });
    const why = await untilUnneeded(agent, options);
    logger.info('the agent leaves', { why });
    await listener.close();
    await within(agent.stop('the agent was stopped'), stopSeconds, clock);
    await within(new Promise((resolve) => server.close(resolve)), farewellSeconds, clock);
  } finally {
    await owned.release();
  }
}

function untilUnneeded(agent: Agent, options: RunAgentOptions): Promise<string> {
  const { clock, signal, lingerSeconds } = options;
  return new Promise((resolve) => {
    let cancel = () => undefined as void;
    const look = () => {
      cancel();
      if (agent.isRetired) return resolve('its server has left');
      if (agent.isConnected || agent.isBusy) return;
      cancel = clock.setTimer(lingerSeconds * 1000, () => resolve('no server came back'));
    };
    agent.onQuiet(look);
    look();
    if (signal.aborted) resolve('told to stop');
    signal.addEventListener('abort', () => resolve('told to stop'), { once: true });
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
