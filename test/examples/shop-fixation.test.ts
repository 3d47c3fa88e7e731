import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../dist/service/index.js';
import { pendingMarkOf } from '../../src/adapters/http/visitor-cookie.ts';
import { openService, openShop, type Shop, Visitor } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Fixation, tried on the shop: somebody knows the cookies of a browser, because they planted them there, and a customer logs
 * in at it. From the login on these cookies have nothing of the customer's. */

interface Planted {
  readonly cookie?: string | undefined;
  readonly visitorCookie?: string | undefined;
}

const redis = useRedis({ eachTest: 'kept' });
let service: Service;
let shop: Shop;

beforeAll(async () => {
  service = await openService(redis.url);
  shop = await openShop({ redis: redis.url, deadlineMs: 5_000 });
  const first = new Visitor(shop);
  await waitUntil('the service answers', async () => (await first.get('/raw-session-analytics')).status === 200);
});
afterAll(async () => {
  await shop?.close();
  await service?.stop();
});

/** A visitor with both cookies: something in the cart, and a view. */
async function prepare(): Promise<Required<Planted>> {
  const attacker = new Visitor(shop);
  await attacker.add('tv');
  await attacker.get('/');
  const { cookie, visitorCookie } = attacker;
  expect([cookie, visitorCookie]).toEqual([expect.stringContaining('='), expect.stringMatching(/^sessionwise=/)]);
  return { cookie, visitorCookie };
}

const KINDS: [string, (given: Required<Planted>, name: string) => Planted][] = [
  ['the session', ({ cookie }) => ({ cookie })],
  ['the visitor', ({ visitorCookie }) => ({ visitorCookie })],
  ['both', (given) => given],
  [
    'a pending visitor',
    ({ visitorCookie }, name) => {
      const value = visitorCookie!.split('=')[1]!.split('.')[0]!;
      return { visitorCookie: `sessionwise=${value}.p${pendingMarkOf(value, name)}` };
    },
  ],
];

describe.each(KINDS)('a cookie that was planted before the login: %s', (kind, plantedOf) => {
  it('has nothing of the customer behind it, and acts for nobody', async () => {
    const name = `Vic of ${kind}`;
    const planted = plantedOf(await prepare(), name);
    const known = (await new Visitor(shop).plant(planted).get('/cart')).totalPages;
    const victim = new Visitor(shop).plant(planted);
    await victim.get('/added/lamp');
    await victim.logIn(name);
    for (const page of ['/added/soundbar', '/', '/added/soundbar', '/cart', '/']) await victim.get(page);
    await victim.add('tv-mount');
    const before = await victim.get('/');
    expect(before.name).toBe(name);

    // The same cookies, in another browser.
    const arrive = (): Visitor => new Visitor(shop).plant(planted);
    const shown = await arrive().get('/');
    expect([shown.status, shown.name, shown.all('data-account')]).toEqual([200, undefined, ['out']]);
    expect(shown.body).not.toContain(name);
    expect(Object.keys(await arrive().cart())).not.toContain('tv-mount');
    expect((await arrive().get('/devices')).body).not.toContain(name);
    // Of views it knows those of before the login at the most, and its own two: nothing that the customer did since.
    expect(shown.totalPages).toBeLessThanOrEqual(known + 1 + 2);
    const fresh = (await new Visitor(shop).get('/')).all('data-featured');
    expect(fresh).toContain('/added/soundbar');
    expect(shown.all('data-featured')).toContain('/added/soundbar');

    await arrive().add('lamp');
    await arrive().post('/cart/remove', [['product', 'tv-mount']]);
    await arrive().post('/devices/end-all', []);
    await arrive().post('/logout', []);
    const after = await victim.get('/');
    expect(after.name).toBe(name);
    expect((await victim.cart())['tv-mount']).toBe(1);
    // Requests of a visitor of before the login come late for a minute, and are counted for whom they became: also those of
    // somebody else who has the cookie.
    const late = kind === 'the visitor' || kind === 'both' ? 3 : 0;
    expect(after.totalPages).toBe(before.totalPages + 1 + late);
  });
});
