import type { RedisConnection } from '../redis-connection.ts';

/** The default limit for the first connection, in milliseconds. */
export const FIRST_CONNECT_DEADLINE_MS = 5_000;

/** Opens a connection and waits until it is ready. Where that takes longer than `deadlineMs`, or a failure `isHopeless`, the
 *  connection is destroyed.
 *  @throws the error that `explain` makes of the last failure. */
export function connectFirst(
  connection: RedisConnection,
  deadlineMs: number,
  isHopeless: (error: Error) => boolean,
  explain: (error: Error | undefined) => Error,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    let last: Error | undefined;
    const timer = setTimeout(() => fail(), deadlineMs);
    const onReady = (): void => settle(resolve);
    const onLost = (error: Error): void => {
      last = error;
      if (isHopeless(error)) fail();
    };
    const settle = (done: () => void): void => {
      clearTimeout(timer);
      connection.off('ready', onReady);
      connection.off('lost', onLost);
      done();
    };
    const fail = (): void =>
      settle(() => {
        const reason = explain(last);
        connection.destroy();
        reject(reason);
      });
    connection.on('ready', onReady);
    connection.on('lost', onLost);
    connection.open();
  });
}
