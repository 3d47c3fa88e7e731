import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Answer, loggedIn, openSite, tokenIn, watchForCrashes } from './session-store-stage.ts';

/* The connection to Redis is cut, again and again, while users read and write. An answer is the user's own or says that
 * it is not; nobody becomes a stranger, and nobody's cookie is replaced. */

const USERS = 16;
const CUTS = 10;
const DEADLINE_MS = 5_000;

const server = useRedis({ eachTest: 'kept' });
let proxy: RedisProxy;

beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
});
afterAll(async () => {
  await proxy?.close();
});

describe.each([
  { fail: 'closed', unset: 'keep' },
  { fail: 'open', unset: 'keep' },
  // express-session ends a session whose request has none at its end, as one has whose load failed.
  { fail: 'closed', unset: 'destroy' },
  { fail: 'open', unset: 'destroy' },
] as const)('fail: $fail, unset: $unset', ({ fail, unset }) => {
  it('a connection that is cut logs nobody out', { timeout: 60_000 }, async () => {
    const crashes = watchForCrashes();
    const namespace = `cut-${fail}-${unset}`;
    const options = { namespace, fail, deadlineMs: DEADLINE_MS, sweep: false };
    const site = await openSite({ redis: proxy.url, ...options }, { unset });
    onTestFinished(() => site.close());
    // By a way that nobody cuts.
    const calm = await openSite({ redis: server.url, ...options });
    onTestFinished(() => calm.close());
    const users = await Promise.all(Array.from({ length: USERS }, (_, i) => loggedIn(site, `user-${i}`)));
    const before = users.map(({ cookie }) => tokenIn(cookie));
    const answers: { name: string; answer: Answer }[] = [];
    const added = new Map<string, string[]>();
    let running = true;
    const loads = users.map(async (user, i) => {
      const name = `user-${i}`;
      added.set(name, []);
      for (let turn = 0; running; turn += 1) {
        const item = `item-${turn}`;
        const answer = await (turn % 10 === 0 ? user.post(`/saved-cart/${item}`) : user.get());
        if (turn % 10 === 0 && fail === 'closed' && answer.status === 200) added.get(name)!.push(item);
        answers.push({ name, answer });
      }
    });
    for (let cut = 0; cut < CUTS; cut += 1) {
      const then = answers.length;
      await waitUntil('more was answered', () => answers.length >= then + 100);
      expect(proxy.cut('sessionwise-store')).toBeGreaterThan(0);
    }
    running = false;
    await Promise.all(loads);
    expect(crashes()).toEqual([]);

    const failed = answers.filter(({ answer: { status, body } }) => status !== 200 || body.degraded);
    expect(failed.length).toBeGreaterThan(0);
    for (const { name, answer } of answers) {
      expect(answer.cookies).toEqual([]);
      if (answer.status !== 200) expect(answer.body).toEqual({ code: 'STORE_UNAVAILABLE' });
      else if (answer.body.degraded) expect(fail).toBe('open');
      else expect(answer.body.user).toBe(name);
    }
    for (const [i, user] of users.entries()) {
      user.goTo(calm);
      const { body, cookies } = await user.get();
      expect({ user: body.user, cookies, token: tokenIn(user.cookie) }).toEqual({
        user: `user-${i}`,
        cookies: [],
        token: before[i],
      });
      // What was acknowledged is in the cart.
      expect(body.cart).toEqual(expect.arrayContaining(added.get(`user-${i}`)!));
    }
    expect(await calm.store.length()).toBe(USERS);
    expect(site.told.filter((event) => event.endsWith('connect'))).toEqual([]);
  });
});
