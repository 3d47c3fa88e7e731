import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionStore } from '../../../src/adapters/express/index.ts';
import { SessionClient } from '../../../src/index.ts';
import { createToken } from '../../../src/protocol/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

const server = useRedis();
const { redis } = server;
const cookie = { originalMaxAge: 60_000 } as never;

function begin(options: { readonly ownConnection?: boolean } = {}): { store: SessionStore; client: SessionClient } {
  const store = new SessionStore({ redis: server.url, sweep: false, deadlineMs: 5_000, ...options });
  const client = new SessionClient({ redis: server.url, deadlineMs: 5_000, ...options });
  onTestFinished(async () => {
    await Promise.all([store.close(), client.close()]);
  });
  return { store, client };
}

async function names(): Promise<string[]> {
  const list = await redis.command<string>('CLIENT', 'LIST');
  return Array.from(list.matchAll(/ name=(sessionwise\S*)/g), ([, name]) => name!).toSorted();
}

describe('a store and a client of one process', () => {
  it('have two connections together: one for commands, and the inbox', async () => {
    const { store, client } = begin();
    await client.ready();
    await store.set(createToken(), { cookie });
    expect(await names()).toEqual(['sessionwise-inbox', 'sessionwise-store']);
  });

  it('have three where they are to have their own', async () => {
    const { store, client } = begin({ ownConnection: true });
    await client.ready();
    await store.set(createToken(), { cookie });
    expect(await names()).toEqual(['sessionwise-client', 'sessionwise-inbox', 'sessionwise-store']);
  });

  it('go on without each other, and come back together', async () => {
    const { store, client } = begin();
    const token = createToken();
    await store.set(token, { cookie, name: 'Ada' } as never);
    await client.ready();
    const events: string[] = [];
    store.on('store:down', () => events.push('store down'));
    store.on('store:up', () => events.push('store up'));
    client.on('down', () => events.push('client down'));
    client.on('up', () => events.push('client up'));
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waitUntil('both are back', () => events.includes('store up') && events.includes('client up'));
    expect(events.filter((event) => event === 'store down')).toHaveLength(1);
    expect(await store.get(token)).toMatchObject({ name: 'Ada' });
    await store.close();
    expect(await client.ready()).toBe(true);
    expect(await client.session('a').unseen(['/a'])).toBeUndefined();
    expect(client.counters.degraded).toEqual({ 'nobody-listens': 1 });
    await client.close();
    await waitUntil('nothing is left', async () => (await names()).length === 0);
  });

  it('leave the store its connection where the client is closed', async () => {
    const { store, client } = begin();
    await client.ready();
    await client.close();
    const token = createToken();
    await store.set(token, { cookie, name: 'Ada' } as never);
    expect(await store.get(token)).toMatchObject({ name: 'Ada' });
    expect(await names()).toEqual(['sessionwise-store']);
  });
});
