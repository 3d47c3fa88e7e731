import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { browserScript, sessionwise } from '../../../src/adapters/express/index.ts';
import { SessionClient } from '../../../src/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { USER_AGENT } from '../suite/adapter-site.ts';

/* What comes to Express in another form than the script sends it. */

const redis = useRedis();
const HEADERS = { 'user-agent': USER_AGENT, 'sec-fetch-site': 'same-origin', 'content-type': 'text/plain' };

async function open(...before: RequestHandler[]): Promise<{ url: string; client: SessionClient }> {
  const client = new SessionClient({ redis: redis.url });
  expect(await client.ready()).toBe(true);
  const app = express();
  for (const handler of before) app.use(handler);
  app.use(sessionwise({ client, script: browserScript() }));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await client.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sessionwise/view`, client };
}

it.each<[string, RequestHandler]>([
  ['text', express.text()],
  ['bytes', express.raw({ type: '*/*' })],
  ['JSON', express.json({ type: '*/*' })],
])('a message that the site has parsed counts: as %s', async (_, parser) => {
  const { url, client } = await open(parser);
  const body = JSON.stringify({ view: '/a', once: 'a' });
  expect((await fetch(url, { method: 'POST', headers: HEADERS, body })).status).toBe(204);
  expect(client.counters.publishes).toBe(1);
});

it('a message without a length is read up to 4,096 bytes, and one that breaks off is none', async () => {
  const { url, client } = await open();
  const asked = httpRequest(url, { method: 'POST', headers: HEADERS });
  asked.write('x'.repeat(3_000));
  asked.write('x'.repeat(3_000));
  const [answer] = await once(asked, 'response');
  expect(answer.statusCode).toBe(400);
  asked.destroy();
  const broken = httpRequest(url, { method: 'POST', headers: { ...HEADERS, 'content-length': 40 } });
  broken.on('error', () => undefined);
  broken.write('{"view":"/a"');
  await new Promise((resolve) => broken.once('socket', resolve));
  broken.destroy();
  expect((await fetch(url, { method: 'POST', headers: HEADERS, body: '{"view":"/a","once":"b"}' })).status).toBe(204);
  expect(client.counters.publishes).toBe(1);
});

it('other methods are told which one it is', async () => {
  const { url } = await open();
  const response = await fetch(url, { headers: HEADERS });
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
});
