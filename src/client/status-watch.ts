// The lab's status, now and whenever it changes, over reconnects.
import type { StatusView } from '../protocol/views.ts';
import { type Client, ConnectionLostError } from './client.ts';

/** Calls `onStatus` with the status now and at each change, until the signal aborts. Rejects when the server is lost. */
export function watchStatus(
  client: Client,
  onStatus: (status: StatusView) => void,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const ask = () => {
      client.call(
        'watch-status',
        {},
        { signal, repeat: 'never' },
        {
          onAnswer: onStatus,
          onError: (error) => {
            if (!(error instanceof ConnectionLostError)) fail(error);
          },
        },
      );
    };
    const stopListening = client.listen({
      onEvent: (event) => {
        if (event.event === 'status') onStatus(event.status);
      },
      onReconnect: ask,
      onGone: fail,
    });
    function fail(error: Error): void {
      stopListening();
      if (signal.aborted) resolve();
      else reject(error);
    }
    signal.addEventListener('abort', () => fail(new Error('aborted')), { once: true });
    if (client.isUp) ask();
  });
}
