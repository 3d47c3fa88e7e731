import { createHash } from 'node:crypto';
import type { RedisConnection } from './redis-connection.ts';

/** One Lua script: an atomic step in one round trip. Sent by its hash; where the server does not know it (first use,
 *  restart, failover) once more in full. */
export class Script<Reply> {
  readonly source: string;
  readonly hash: string;

  constructor(source: string) {
    this.source = source;
    this.hash = createHash('sha1').update(source).digest('hex');
  }

  /** Runs it. All keys must share a slot.
   *  @throws whatever the script or Redis answers as an error. */
  async run(
    redis: RedisConnection,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<Reply> {
    const tail = [String(keys.length), ...keys, ...args.map((arg) => (Buffer.isBuffer(arg) ? arg : String(arg)))];
    try {
      return await redis.command<Reply>('EVALSHA', this.hash, ...tail);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return redis.command<Reply>('EVAL', this.source, ...tail);
    }
  }
}
