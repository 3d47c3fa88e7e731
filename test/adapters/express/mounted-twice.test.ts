import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import express4 from 'express4';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { sessionwise } from '../../../src/adapters/express/index.ts';
import { SessionClient } from '../../../src/index.ts';
import { type Service, startService } from '../../../src/service/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { USER_AGENT } from '../suite/adapter-site.ts';

const server = useRedis({ eachTest: 'kept' });
const services: Service[] = [];
const clients: SessionClient[] = [];

beforeAll(async () => {
  for (const namespace of ['one', 'other']) {
    const options = { redis: server.url, namespace };
    services.push(await startService({ ...options, secret: 'a secret of the tests, long enough' }));
    clients.push(new SessionClient({ ...options, deadlineMs: 20_000 }));
    expect(await clients.at(-1)!.ready()).toBe(true);
  }
});
afterAll(async () => {
  for (const client of clients) await client.close();
  for (const service of services) await service.stop();
});

/** Returns how many views each client sent for one page behind `middlewares`. */
async function viewsOf(
  make: () => ReturnType<typeof express>,
  middlewares: readonly ReturnType<typeof sessionwise>[],
): Promise<number[]> {
  const app = make();
  for (const middleware of middlewares) app.use(middleware as never);
  app.get('/page', (_, response) => void response.send('a page'));
  const listening = app.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  onTestFinished(() => void listening.close());
  const before = clients.map(({ counters }) => counters.publishes + counters.requests);
  const { port } = listening.address() as AddressInfo;
  await (await fetch(`http://127.0.0.1:${port}/page`, { headers: { 'user-agent': USER_AGENT } })).text();
  return clients.map(({ counters }, i) => counters.publishes + counters.requests - before[i]!);
}

const frameworks = { 'Express 5': express, 'Express 4': express4 as unknown as typeof express };

it.each(Object.entries(frameworks))('%s: a page behind two middlewares of one client counts once', async (_, make) => {
  for (const countWhen of ['end', 'start'] as const) {
    const mount = () => sessionwise({ client: clients[0]!, countWhen });
    expect(await viewsOf(make, [mount(), mount()])).toEqual([1, 0]);
  }
  const [first, second] = clients.map((client) => sessionwise({ client }));
  expect(await viewsOf(make, [first!, second!])).toEqual([1, 1]);
  const notCounting = sessionwise({ client: clients[0]!, track: () => false });
  expect(await viewsOf(make, [notCounting, first!])).toEqual([1, 0]);
});
