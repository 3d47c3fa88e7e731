import type { RedisConnection } from '../redis/index.ts';

/** Waits for `work`, or until the signal aborts: then undefined. Leaves no listener behind, since a loop waits for ever new
 *  work with one signal.
 *  @throws the rejection of `work` */
export function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Pauses, until the connection can be used again or the signal aborts. */
export function pauseUntil(connection: RedisConnection, pauseMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      connection.off('reachable', end);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, pauseMs);
    connection.on('reachable', end);
    signal.addEventListener('abort', end, { once: true });
  });
}
