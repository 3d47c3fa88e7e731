import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { sessionwise as expressMiddleware } from '../../src/adapters/express/index.ts';
import { sessionwise as fastifyPlugin } from '../../src/adapters/fastify/index.ts';
import { NotKeptError, SessionClient, type SessionClientOptions } from '../../src/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What becomes of a command that must be kept and cannot be: who looks at the promise hears of it, and nobody else is
 * harmed. Redis is away in these tests. */

const server = useRedis();
let unhandled: unknown[] = [];
const note = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeEach(async () => {
  unhandled = [];
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  process.off('unhandledRejection', note);
});

async function openThenLose(options: Partial<SessionClientOptions> = {}): Promise<SessionClient> {
  const client = new SessionClient({ redis: server.url, transport: 'streams', keepDeadlineMs: 100, ...options });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  const lost = once(client, 'down');
  server.kill('SIGKILL');
  await lost;
  return client;
}

// What nobody handles is told when the turn is over.
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('a client that publishes', () => {
  it('over streams rejects where what must be kept was not certainly taken, and only then', async () => {
    const client = await openThenLose();
    const marked = client.publish('mark-notification-seen', 'abc', 'n');
    await expect(marked).rejects.toBeInstanceOf(NotKeptError);
    await expect(marked).rejects.toMatchObject({ code: 'NOT_KEPT', cause: expect.any(Error) });
    expect(await client.publish('pageview', 'abc', '/a')).toBe(false);
    expect(await client.request('mark-item-seen', 'abc', 'x')).toBeUndefined();
    expect(client.counters).toMatchObject({ publishes: 2, unheard: 2, degraded: { disconnected: 1 } });
  });

  it('over streams rejects at once after the client was closed', async () => {
    const client = new SessionClient({ redis: server.url, transport: 'streams', keepDeadlineMs: 60_000 });
    expect(await client.ready()).toBe(true);
    await client.close();
    await expect(client.publish('mark-item-seen', 'abc', 'x')).rejects.toMatchObject({
      code: 'NOT_KEPT',
      message: 'mark-item-seen was not taken: the client is closed.',
    });
  });

  it('over streams rejects at once what cannot travel', async () => {
    const client = await openThenLose();
    // @ts-expect-error no payload
    await expect(client.publish('mark-item-seen', 'abc', 1n)).rejects.toMatchObject({ code: 'BAD_PAYLOAD' });
    const refused = client.publish('mark-item-seen', 'a token, perhaps', 'x');
    await expect(refused).rejects.toMatchObject({
      code: 'BAD_PAYLOAD',
      message: expect.not.stringContaining('token,'),
    });
  });

  it('over channels never rejects: nothing is kept there', async () => {
    const client = await openThenLose({ transport: 'channels' });
    expect(await client.publish('mark-item-seen', 'abc', 'x')).toBe(false);
    // @ts-expect-error no payload
    expect(await client.publish('mark-item-seen', 'abc', 1n)).toBe(false);
    expect(client.counters).toMatchObject({ publishes: 2, unheard: 2 });
  });

  it('is no unhandled rejection where nobody looks', async () => {
    const client = await openThenLose();
    void client.publish('mark-item-seen', 'abc', 'x');
    void client.session('abc').publish('mark-notification-seen', 'n');
    // @ts-expect-error no payload
    void client.publish('mark-item-seen', 'abc', 1n);
    await waitUntil('all have failed', () => client.counters.unheard === 3);
    await turns();
    expect(unhandled).toEqual([]);
  });
});

describe('a page that must keep something', () => {
  const visit = async (port: number): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/a`, { headers: { authorization: 'Bearer some-token' } });
    return `${response.status} ${await response.text()}`;
  };

  it.each(['server', 'off'] as const)('of Express is not harmed, with pageview %s', async (pageview) => {
    const client = await openThenLose();
    const app = express();
    app.use(expressMiddleware({ client, pageview }));
    app.get('/a', (request, response) => {
      void request.sessionwise.publish('mark-item-seen', 'x');
      response.send('page');
    });
    const site = app.listen(0, '127.0.0.1');
    onTestFinished(() => {
      site.closeAllConnections();
      site.close();
    });
    await once(site, 'listening');
    expect(await visit((site.address() as AddressInfo).port)).toBe('200 page');
    await waitUntil('it has failed', () => client.counters.unheard === (pageview === 'server' ? 2 : 1));
    await turns();
    expect(unhandled).toEqual([]);
  });

  it.each(['server', 'off'] as const)('of Fastify is not harmed, with pageview %s', async (pageview) => {
    const client = await openThenLose();
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(fastifyPlugin, { client, pageview });
    app.get('/a', async (request) => {
      void request.sessionwise.publish('mark-item-seen', 'x');
      return 'page';
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    expect(await visit((app.server.address() as AddressInfo).port)).toBe('200 page');
    await waitUntil('it has failed', () => client.counters.unheard === (pageview === 'server' ? 2 : 1));
    await turns();
    expect(unhandled).toEqual([]);
  });
});
