import { RedisStore } from 'connect-redis';
import type session from 'express-session';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionStore } from '../../../src/adapters/express/index.ts';
import { collectStrayErrors } from '../../support/stray-errors.ts';
import { useRedis } from '../../support/use-redis.ts';

/* A callback of the application that throws must not end the process where connect-redis survives it: there, a callback
 * that throws is called again, with what it has thrown. */

type Callback = (error?: unknown) => void;
type Store = Pick<session.Store, 'get' | 'set' | 'destroy'> & {
  touch(token: string, values: session.SessionData, callback: Callback): void;
  all(callback: Callback): void;
  length(callback: Callback): void;
  ids(callback: Callback): void;
  clear(callback: Callback): void;
};

const VALUES = { cookie: { originalMaxAge: 60_000 } } as session.SessionData;
const VERBS: readonly [string, (store: Store, callback: Callback) => void][] = [
  ['get', (store, callback) => store.get('token', callback)],
  ['get of what is there', (store, callback) => store.set('other', VALUES, () => store.get('other', callback))],
  ['set', (store, callback) => store.set('token', VALUES, callback)],
  ['touch', (store, callback) => store.touch('token', VALUES, callback)],
  ['destroy', (store, callback) => store.destroy('token', callback)],
  ['all', (store, callback) => store.all(callback)],
  ['length', (store, callback) => store.length(callback)],
  ['ids', (store, callback) => store.ids(callback)],
  ['clear', (store, callback) => store.clear(callback)],
];

const server = useRedis({ eachTest: 'kept' });
let ours: SessionStore;
let client: ReturnType<typeof createClient>;
let theirs: RedisStore;

beforeAll(async () => {
  ours = new SessionStore({ redis: server.url, sweep: false, deadlineMs: 20_000 });
  client = createClient({ socket: { path: server.socketPath, tls: false } });
  await client.connect();
  theirs = new RedisStore({ client });
});
afterAll(async () => {
  await ours?.close();
  await client?.close();
});

/** What a callback is called with that throws the first time; ends at the second call. */
function callsOfThrowing(work: (callback: Callback) => void): Promise<unknown[]> {
  const calls: unknown[] = [];
  return new Promise((resolve) => {
    work((error) => {
      calls.push(error);
      if (calls.length === 1) throw new Error('of the page');
      resolve(calls);
    });
  });
}

describe.each(['ours', 'connect-redis'] as const)('a callback of the application that throws (%s)', (which) => {
  it.each(VERBS)('is told so: %s', async (_, run) => {
    const strays = collectStrayErrors();
    const store = (which === 'ours' ? ours : theirs) as unknown as Store;
    const [first, second] = await callsOfThrowing((callback) => run(store, callback));
    expect(first ?? null).toBeNull();
    expect(second).toMatchObject({ message: 'of the page' });
    expect(strays).toEqual([]);
  });
});

it.each(['ours', 'connect-redis'] as const)('is called once where the operation fails (%s)', async (which) => {
  const away = new SessionStore({ redis: 'unix:///nowhere/redis.sock', sweep: false, deadlineMs: 100 });
  const gone = client.duplicate();
  const store = (which === 'ours' ? away : new RedisStore({ client: gone })) as unknown as Store;
  const errors = await new Promise<unknown[]>((resolve) => {
    const calls: unknown[] = [];
    store.get('token', (error) => {
      calls.push(error);
      setImmediate(resolve, calls);
    });
  });
  expect(errors).toEqual([expect.any(Error)]);
  await away.close();
});
