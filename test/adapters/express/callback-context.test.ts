import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionStore } from '../../../src/adapters/express/index.ts';
import { createToken } from '../../../src/protocol/index.ts';
import { type RedisProxy, startRedisProxy } from '../../support/redis-proxy.ts';
import { useRedis } from '../../support/use-redis.ts';

/* One answer of Redis, and one timer, end the reads of many requests: each callback runs in the context of its own. */

const server = useRedis({ eachTest: 'kept' });
const requestOf = new AsyncLocalStorage<number>();
let proxy: RedisProxy;
let store: SessionStore;

beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
  store = new SessionStore({ redis: proxy.url, sweep: false, deadlineMs: 300 });
});
afterAll(async () => {
  await store.close();
  await proxy.close();
});

/** Reads a session for each of 20 requests at once: the contexts and errors that their callbacks got. */
function readAll(token: string): Promise<[context: number | undefined, code: unknown][]> {
  const read = (request: number): Promise<[number | undefined, unknown]> =>
    new Promise((resolve) => {
      requestOf.run(request, () => {
        store.get(token, (error) => resolve([requestOf.getStore(), (error as { code?: unknown } | null)?.code]));
      });
    });
  return Promise.all(Array.from({ length: 20 }, (_, request) => read(request)));
}

describe('a callback runs in the asynchronous context of its request', () => {
  it('where Redis answers, and for what is no token', async () => {
    const token = createToken();
    await store.set(token, { cookie: { originalMaxAge: 60_000 } } as never);
    const expected = Array.from({ length: 20 }, (_, request) => [request, undefined]);
    expect(await readAll(token)).toEqual(expected);
    expect(await readAll('')).toEqual(expected);
  });

  it('where the deadline is missed, and where operations are refused since', async () => {
    const release = proxy.hold('sessionwise-store');
    const expected = Array.from({ length: 20 }, (_, request) => [request, 'STORE_UNAVAILABLE']);
    expect(await readAll(createToken())).toEqual(expected);
    expect(await readAll(createToken())).toEqual(expected);
    release();
  });
});
