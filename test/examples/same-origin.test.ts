import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openShop, type Shop } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';

const server = useRedis({ eachTest: 'kept' });
let shop: Shop;
let behindProxy: Shop;

beforeAll(async () => {
  shop = await openShop({ redis: server.url, deadlineMs: 20_000 });
  behindProxy = await openShop({ redis: server.url, deadlineMs: 20_000, origin: 'https://shop.example/' });
});
afterAll(async () => {
  await shop?.close();
  await behindProxy?.close();
});

/** Sends the form of the cart, with any Host. */
async function post({ url }: Shop, headers: Record<string, string>): Promise<IncomingMessage> {
  const request = httpRequest(`${url}/cart`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  }).end('product=tv');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.resume();
  return response;
}

describe('a form of the shop, at the address on which it listens', () => {
  it.each([
    [
      'of a name that leads here',
      (port: string) => ({ host: `evil.example:${port}`, origin: `http://evil.example:${port}` }),
    ],
    ['of another port', () => ({ origin: 'http://127.0.0.1:1' })],
    ['over https', (port: string) => ({ origin: `https://127.0.0.1:${port}` })],
    ['of no origin', () => ({ origin: 'null' })],
    ['without an origin, of a browser', () => ({ 'sec-fetch-site': 'same-origin' })],
  ])('is refused: %s', async (_, headersFor) => {
    const headers = headersFor(new URL(shop.url).port);
    expect((await post(shop, { 'sec-fetch-site': 'same-origin', ...headers })).statusCode).toBe(403);
    expect((await post(shop, headers)).statusCode).toBe(403);
  });

  it.each(['127.0.0.1', 'localhost'])('is taken where its page came from %s', async (name) => {
    const host = `${name}:${new URL(shop.url).port}`;
    const headers = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    expect((await post(shop, headers)).statusCode).toBe(303);
    expect((await post(shop, { ...headers, host: 'anything.example' })).statusCode).toBe(303);
    expect((await post(shop, { ...headers, 'sec-fetch-site': 'same-site' })).statusCode).toBe(403);
  });

  it('is taken of what is no browser', async () => {
    expect((await post(shop, {})).statusCode).toBe(303);
  });
});

describe('a form of the shop, behind a proxy', () => {
  it('is taken of the origin that was configured, and sets a secure cookie', async () => {
    const headers = { origin: 'https://shop.example', 'sec-fetch-site': 'same-origin', 'x-forwarded-proto': 'https' };
    const response = await post(behindProxy, headers);
    expect(response.statusCode).toBe(303);
    const cookies = (response.headers['set-cookie'] ?? []).sort();
    expect(cookies).toEqual([
      expect.stringMatching(/^sessionwise=.*; HttpOnly; SameSite=Lax; Secure; Max-Age=\d+$/),
      expect.stringMatching(/^shop.sid=.*; HttpOnly; Secure; SameSite=Lax$/),
    ]);
    expect(response.headers['cache-control']).toBe('private, no-cache');
  });

  it('is refused of the address behind it', async () => {
    expect((await post(behindProxy, { origin: behindProxy.url })).statusCode).toBe(403);
  });
});
