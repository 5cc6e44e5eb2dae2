// Where a running lab is reached: its unix socket, and the TCP socket where the configuration has one.
import { buildHttp } from '../../http/listen.ts';
import { listenOnTcp } from '../../http/listen-tcp.ts';
import { listenOnUnixSocket } from '../../platform/unix-socket.ts';
import type { UserNames } from '../../platform/users.ts';
import type { LabServer } from '../../server/lab-server.ts';

export interface Doors {
  /** For the log. */
  readonly places: { readonly socket: string; readonly tcp?: string };
  /** Nobody new comes in, and requests that are under way are cut; channels stay. */
  close(): Promise<void>;
}

/** Throws a PlatformError where a socket or what it needs can't be had. */
export async function openDoors(
  lab: LabServer,
  { socketPath, groupId, users }: { socketPath: string; groupId: number | undefined; users: UserNames },
): Promise<Doors> {
  const { listen } = lab.config;
  // First, since it is what may fail: a client that finds the unix socket finds a server that stays.
  const tcp = listen && (await listenOnTcp(lab, listen));
  const app = await buildHttp(lab, users);
  const unix = await listenOnUnixSocket(app.server, {
    path: socketPath,
    mode: groupId === undefined ? 0o666 : 0o660,
    ...(groupId === undefined ? {} : { groupId }),
  });
  return {
    places: { socket: socketPath, ...(tcp ? { tcp: tcp.address } : {}) },
    close: async () => {
      tcp?.close();
      await unix.close();
      for (const { server } of tcp ? [app, tcp.app] : [app]) server.closeAllConnections();
    },
  };
}
