// The agent of this host as a process of its own: found by its socket, started where there is none. It outlives the
// server, so that a job does not end with a crash or an upgrade of the server.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '../../platform/logger.ts';

/** How long a new agent may take to listen; it ends leftovers of a killed one only afterwards. */
const startMsMax = 15_000;
const retryMs = 25;

/** Where the agent of a state folder listens. */
export function agentSocketPath(folder: string): string {
  return join(folder, 'agent.sock');
}

/**
 * Connects to the agent of the folder, and starts one if nobody answers. Rejects when that takes too long. `isApart`:
 * somebody else starts it; rejects at once where it is not there.
 */
export function agentConnector(options: {
  folder: string;
  isApart: boolean;
  logger: Logger;
}): (signal: AbortSignal) => Promise<Socket> {
  const path = agentSocketPath(options.folder);
  return async (signal) => {
    const found = await tryConnect(path);
    if (found) return found;
    if (options.isApart) throw new Error(`no agent listens at ${path}, and this server waits for one`);
    startAgent(options.folder);
    options.logger.info('started an agent', { folder: options.folder });
    const endAt = performance.now() + startMsMax;
    while (!signal.aborted && performance.now() < endAt) {
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      const socket = await tryConnect(path);
      if (socket) return socket;
    }
    throw new Error(`the agent did not come up; see ${join(options.folder, 'agent.log')}`);
  };
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

/** A session of its own, so that no signal meant for the server reaches it. Its log is a file in its folder. */
function startAgent(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = openSync(join(folder, 'agent.log'), 'a', 0o600);
  const [entry = ''] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, entry, 'agent', '--state', folder], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  child.on('error', () => undefined);
  child.unref();
  closeSync(log);
}
