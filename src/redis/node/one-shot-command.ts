import { withDeadline } from '../../async/index.ts';
import type { ConnectionOptions, ServerAddress } from '../options/connection-options.ts';
import type { CommandArguments } from '../redis-connection.ts';
import { NodeConnection } from './node-connection.ts';

/** Sends one command over a connection of its own, which is closed afterwards. Connecting and the reply may take
 *  `deadlineMs` each.
 *  @throws RedisUnavailableError where there is no connection in time; Error where there is no reply in time; the error
 *  that the server answers. */
export async function oneShotCommand<Reply>(
  options: ConnectionOptions,
  server: ServerAddress,
  deadlineMs: number,
  ...args: CommandArguments
): Promise<Reply> {
  const connection = new NodeConnection(options, 'sessionwise-resolver', { port: 6379, ...server });
  try {
    await connection.connect(deadlineMs);
    return await replyWithin(deadlineMs, connection.command<Reply>(...args), connection.address);
  } finally {
    connection.destroy();
  }
}

/** Waits for a reply at most `deadlineMs`.
 *  @throws Error that names the server, where no reply came in time; else the rejection of `reply`. */
export function replyWithin<Reply>(deadlineMs: number, reply: Promise<Reply>, address: string): Promise<Reply> {
  return withDeadline(reply, deadlineMs, () => {
    throw new Error(`Redis at ${address} did not answer in time.`);
  });
}
