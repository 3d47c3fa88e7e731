import type { RedisConnection } from '../../src/redis/index.ts';

/** A connection that does `work` once, before the first script or command of a name is sent. `work` may send it itself, or
 *  throw, so that it is never sent. */
export function interruptedConnection(
  redis: RedisConnection,
  name: string,
  work: (send: () => Promise<unknown>) => Promise<unknown>,
): RedisConnection {
  let isDone = false;
  const interrupted = Object.create(redis) as RedisConnection;
  const intercept = async <Reply>(args: readonly (string | Buffer)[], send: () => Promise<Reply>): Promise<Reply> => {
    const isIt = args[0] === name || (args[0] === 'EVAL' && String(args[1]).startsWith(`-- ${name}\n`));
    if (isDone || !isIt) return send();
    isDone = true;
    await work(send);
    return send();
  };
  // Each script travels whole, so its name can be read.
  interrupted.knownScripts = () => new Set();
  interrupted.command = (...args) => intercept(args, () => redis.command(...args));
  interrupted.commandForBuffers = (...args) => intercept(args, () => redis.commandForBuffers(...args));
  return interrupted;
}
