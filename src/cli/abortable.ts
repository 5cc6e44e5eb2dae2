// Waits that end. Small, and about promises only.
import type { Timers } from '../client/link.ts';

/** As the promise, but rejects with the signal's reason as soon as it aborts. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const stop = Promise.withResolvers<never>();
  const onAbort = () => stop.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([stop.promise, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Whether the promise is settled within so many milliseconds, however. */
export async function settlesWithin(promise: Promise<unknown>, ms: number, timers: Timers): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const callOff = timers.after(ms, () => late.resolve(false));
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late.promise]);
  } finally {
    callOff();
  }
}
