import type { ConnectionOptions, ServerAddress } from '../options/connection-options.ts';
import type { CommandArguments } from '../redis-connection.ts';
import { NodeConnection } from './node-connection.ts';

/** Sends one command over a connection that is made for it and closed again.
 *  @throws RedisUnavailableError where it does not stand within `deadlineMs`, or is not answered then; whatever the
 *  server answers as an error. */
export async function sendInPassing<Reply>(
  options: ConnectionOptions,
  server: ServerAddress,
  deadlineMs: number,
  ...args: CommandArguments
): Promise<Reply> {
  const connection = new NodeConnection(options, 'sessionwise-locator', { port: 6379, ...server });
  try {
    await connection.connect(deadlineMs);
    return await within(deadlineMs, connection.command<Reply>(...args), connection.address);
  } finally {
    connection.destroy();
  }
}

/** The promise's outcome, or a refusal after `deadlineMs`. */
export async function within<T>(deadlineMs: number, promise: Promise<T>, address: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis at ${address} did not answer in time.`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
