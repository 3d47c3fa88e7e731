import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../dist/service/index.js';
import { AS_A_PERSON, startPanelledShop } from '../support/demo-stage.ts';
import { openService, openShop, type Shop } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';

/* Where the panel of the demo is, and where it is not; without a browser. */

const DEEDS = ['robot', 'notice', 'reset', 'service'];
const PERSON = { 'user-agent': AS_A_PERSON.userAgent!, accept: 'text/html' };

interface PanelState {
  readonly visitors: { readonly first: { readonly path: string; readonly calls: readonly unknown[] } | null };
}

describe('the panel of the demo', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let service: Service;
  let shop: Awaited<ReturnType<typeof startPanelledShop>>;

  beforeAll(async () => {
    service = await openService(redis.url);
    shop = await startPanelledShop({ redis: redis.url, deadlineMs: 5_000 });
  });
  afterAll(async () => {
    await shop?.close();
    await service?.stop();
  });

  /** A new browser's cookie of the panel. */
  const browser = async (): Promise<string> => {
    const response = await fetch(shop.demoUrl, { headers: PERSON });
    return response.headers.getSetCookie()[0]!.split(';')[0]!;
  };
  /** The first state that a panel is sent. */
  const state = async (cookie: string): Promise<PanelState> => {
    const response = await fetch(`${shop.demoUrl}/events`, { headers: { ...PERSON, cookie } });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('\n\n')) text += (await reader.read()).value;
    await reader.cancel();
    return JSON.parse(/^data: (.*)$/m.exec(text)![1]!);
  };
  const post = (deed: string, headers: Record<string, string>): Promise<Response> =>
    fetch(`${shop.demoUrl}/${deed}`, { method: 'POST', headers: { ...PERSON, ...headers }, redirect: 'manual' });

  it('each browser sees its own pages only, and none without its cookie', async () => {
    const [one, other] = [await browser(), await browser()];
    await fetch(`${shop.url}/cart`, { headers: { ...PERSON, cookie: one } });
    expect((await state(one)).visitors.first?.path).toBe('/cart');
    expect((await state(one)).visitors.first?.calls).toHaveLength(2);
    expect((await state(other)).visitors.first).toBe(null);
    expect((await fetch(`${shop.demoUrl}/events`, { headers: PERSON })).status).toBe(204);
  });

  it('takes forms of its own page only', async () => {
    const cookie = await browser();
    for (const deed of ['robot', 'notice']) {
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: shop.secondUrl },
        { origin: shop.url, 'sec-fetch-site': 'cross-site' },
        { origin: shop.url, 'sec-fetch-site': 'same-site' },
      ]) {
        expect([deed, headers, (await post(deed, { cookie, ...headers })).status]).toEqual([deed, headers, 403]);
      }
      expect((await post(deed, { cookie, origin: shop.url, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
      expect((await fetch(`${shop.demoUrl}/${deed}`, { headers: { cookie } })).status).toBe(404);
    }
  });

  it('is not held up by another site that posts as often as it can', async () => {
    const cookie = await browser();
    for (let i = 0; i < 100; i += 1) {
      expect((await post('robot', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' })).status).toBe(
        403,
      );
    }
    expect((await post('robot', { cookie, origin: shop.url, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  });

  it('has a strict policy, and is in no other site’s frame; the shop is in its frames alone', async () => {
    const policyOf = async (url: string): Promise<string> =>
      (await fetch(url, { headers: PERSON })).headers.get('content-security-policy')!;
    const second = new URL(shop.secondUrl).port;
    expect(await policyOf(shop.demoUrl)).toBe(
      `default-src 'self'; frame-src 'self' http://127.0.0.1:${second}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
    );
    const first = new URL(shop.url).port;
    for (const url of [shop.url, shop.secondUrl]) {
      expect(await policyOf(url)).toBe(
        `default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self' http://127.0.0.1:${first} http://localhost:${first}`,
      );
    }
    const page = await (await fetch(shop.demoUrl, { headers: PERSON })).text();
    expect(page).not.toMatch(/<script(?! src="\/)|<style| style=| on\w+=/);
  });

  it('has no switch and no erasure where nothing was given for them', async () => {
    const cookie = await browser();
    for (const deed of ['service', 'reset']) {
      expect((await post(deed, { cookie, origin: shop.url })).status).toBe(404);
    }
    const page = await (await fetch(shop.demoUrl, { headers: PERSON })).text();
    expect(page).not.toContain('data-press="service"');
    expect(page).not.toContain('data-press="reset"');
  });

  it('is on no port of the second visitor, and not in the shop by itself, be it one in which anybody writes', async () => {
    const shops: Shop[] = [await openShop({ redis: redis.url }), await openShop({ redis: redis.url, demo: true })];
    const urls = [shop.secondUrl, ...shops.map(({ url }) => url)];
    for (const url of urls) {
      expect([url, (await fetch(`${url}/demo`)).status]).toEqual([url, 404]);
      expect([url, (await fetch(`${url}/demo/events`)).status]).toEqual([url, 404]);
      for (const deed of DEEDS) {
        const response = await fetch(`${url}/demo/${deed}`, { method: 'POST' });
        expect([url, deed, response.status]).toEqual([url, deed, 404]);
      }
      expect(await (await fetch(url)).text()).not.toMatch(/demo\/|panel/);
    }
    for (const one of shops) await one.close();
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', '::1'])('is refused at %s, and no port is opened', async (host) => {
    await expect(startPanelledShop({ redis: redis.url, host })).rejects.toThrow(
      `The panel is for this machine alone: ${host} cannot be its address.`,
    );
  });

  it('an answer that a browser left behind breaks nothing', async () => {
    const { hostname, port } = new URL(shop.url);
    const cookie = await browser();
    const socket = connect(Number(port), hostname);
    socket.write(`GET /demo/events HTTP/1.1\r\nHost: ${hostname}\r\nCookie: ${cookie}\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    await fetch(`${shop.url}/`, { headers: { ...PERSON, cookie } });
    expect((await state(cookie)).visitors.first?.path).toBe('/');
  });
});
