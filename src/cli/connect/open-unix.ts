// Opens the channel on a unix socket.
import { connect } from 'node:net';
import type { OpenLink } from '../../client/link.ts';
import { frameLink } from './frame-link.ts';

/** Links over the socket at `path`. Rejects with the system's error (ENOENT, ECONNREFUSED, EACCES, …). */
export function openUnix(path: string): OpenLink {
  return (handlers, { signal }) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const socket = connect({ path });
      const onAbort = () =>
        socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        signal.removeEventListener('abort', onAbort);
        socket.removeListener('error', reject);
        resolve(frameLink(socket, handlers));
      });
    });
}
