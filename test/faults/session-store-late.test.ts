import { describe, expect, it, onTestFinished } from 'vitest';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { loggedIn, openSite, type Site, tokenIn, type Visitor, watchForCrashes } from './session-store-stage.ts';

/* Redis goes away between the load of a session and what its request does with it. What fails says so, to the handler
 * that waits or to the application's error handler; no cookie is replaced, nothing crashes, and the session is there
 * afterwards. */

const DEADLINE_MS = 500;
const GRACE_MS = 300;

const server = useRedis({ persistence: true });

const endings = [
  { outage: 'frozen', signal: 'SIGSTOP', end: async () => server.kill('SIGCONT') },
  { outage: 'killed', signal: 'SIGKILL', end: () => server.restart() },
] as const;
const cases = (['closed', 'open'] as const).flatMap((fail) => endings.map((ending) => ({ fail, ...ending })));
let namespaces = 0;

interface Stage {
  readonly site: Site;
  /** The same shop, with a deadline that no busy machine can miss. */
  readonly calm: Site;
  readonly user: Visitor;
}

describe.each(cases)('a session store with fail: $fail, Redis $outage after the load', ({ fail, signal, end }) => {
  async function stage(more: Parameters<typeof openSite>[1] = {}): Promise<Stage> {
    namespaces += 1;
    const options = { redis: server.url, namespace: `late${namespaces}`, fail, graceMs: GRACE_MS, sweep: false };
    const calm = await openSite({ ...options, deadlineMs: 20_000 }, more);
    onTestFinished(() => calm.close());
    const user = await loggedIn(calm, 'ada');
    const site = await openSite({ ...options, deadlineMs: DEADLINE_MS }, more);
    onTestFinished(() => site.close());
    await waitUntil('the store is up', () => site.store.data.isUp);
    user.goTo(site);
    return { site, calm, user };
  }

  /** Asks while Redis goes away behind the load, and lets it come back afterwards. */
  async function askMeanwhile({ site, calm, user }: Stage, path: string) {
    const crashes = watchForCrashes();
    site.meanwhile = async () => {
      server.kill(signal);
      if (signal === 'SIGKILL') await waitUntil('the store knows', () => !site.store.data.isUp);
    };
    const answer = await user.post(path);
    // express-session tells it behind the answer.
    if (fail === 'closed') await waitUntil('the error is told', () => site.errors.length > 0);
    const errors = [...site.errors];
    site.meanwhile = () => undefined;
    await end();
    await waitUntil('the store is up', async () => {
      const { status, body } = await user.get('/');
      return status === 200 && body.degraded === false;
    });
    expect(crashes()).toEqual([]);
    expect(site.told.slice(0, 2)).toEqual(['store:down', 'store:up']);
    user.goTo(calm);
    return { ...answer, errors };
  }

  it('a save at the end of the request: the answer is sent, and the error told', async () => {
    const staged = await stage();
    const { user } = staged;
    const token = tokenIn(user.cookie);
    const { status, body, cookies, errors } = await askMeanwhile(staged, '/cart/late');
    // express-session has written the headers by then: the status cannot tell it any more.
    expect({ status, body, cookies }).toEqual({
      status: 200,
      body: { user: 'ada', cart: ['first-of-ada', 'late'], degraded: false },
      cookies: [],
    });
    expect(errors).toEqual(fail === 'closed' ? ['STORE_UNAVAILABLE'] : []);
    if (fail === 'open') expect(staged.site.degraded[0]).toBe('set');
    expect(tokenIn(user.cookie)).toBe(token);
    const after = (await user.get()).body;
    expect(after.user).toBe('ada');
    expect(after.cart?.[0]).toBe('first-of-ada');
  });

  it('a save that the handler waits for: it gets the error, or goes on', async () => {
    const staged = await stage();
    const { user } = staged;
    const token = tokenIn(user.cookie);
    const { status, body, cookies } = await askMeanwhile(staged, '/saved-cart/late');
    expect(cookies).toEqual([]);
    if (fail === 'closed') expect({ status, body }).toEqual({ status: 503, body: { code: 'STORE_UNAVAILABLE' } });
    else expect(status).toBe(200);
    expect(tokenIn(user.cookie)).toBe(token);
    expect((await user.get()).body.user).toBe('ada');
  });

  it.each([
    { name: 'with a cookie of an age', more: { cookie: { maxAge: 60_000 } } },
    { name: 'with rolling cookies', more: { cookie: { maxAge: 60_000 }, rolling: true } },
  ])('$name, the cookie keeps its token', async ({ more }) => {
    const staged = await stage(more);
    const { user } = staged;
    const token = tokenIn(user.cookie);
    const { cookies } = await askMeanwhile(staged, '/cart/late');
    for (const cookie of cookies) expect(tokenIn(cookie.split(';')[0])).toBe(token);
    expect(tokenIn(user.cookie)).toBe(token);
    expect((await user.get()).body.user).toBe('ada');
  });

  it.each(['/logout', '/login/bob', '/rotated-login/bob'])('%s fails loudly, and changes nothing', async (path) => {
    const staged = await stage();
    const { user } = staged;
    const token = tokenIn(user.cookie);
    const { status, body, cookies } = await askMeanwhile(staged, path);
    expect({ status, code: body.code, cookies }).toEqual({ status: 503, code: 'STORE_UNAVAILABLE', cookies: [] });
    // What a rotation has left behind would have been honoured until now.
    const later = performance.now() + 2 * GRACE_MS;
    await waitUntil('a previous secret would be over', () => performance.now() > later);
    expect(tokenIn(user.cookie)).toBe(token);
    const { user: name, cart } = (await user.get()).body;
    expect({ name, cart }).toEqual({ name: 'ada', cart: ['first-of-ada'] });
  });
});

describe('a session store with fail: open, Redis back between a failed load and the handler', () => {
  it.each(['/cart/late', '/saved-cart/late', '/login/bob', '/rotated-login/bob'])(
    '%s changes nothing',
    async (path) => {
      namespaces += 1;
      const options = { redis: server.url, namespace: `late${namespaces}`, fail: 'open', sweep: false } as const;
      const calm = await openSite({ ...options, deadlineMs: 20_000 });
      onTestFinished(() => calm.close());
      const user = await loggedIn(calm, 'ada');
      const token = tokenIn(user.cookie);
      const rolling = { rolling: true, cookie: { maxAge: 60_000 } };
      const site = await openSite({ ...options, deadlineMs: DEADLINE_MS }, rolling);
      onTestFinished(() => site.close());
      await waitUntil('the store is up', () => site.store.data.isUp);
      user.goTo(site);
      server.kill('SIGSTOP');
      site.meanwhile = async () => {
        server.kill('SIGCONT');
        await waitUntil('the store is up', () => site.store.data.isUp);
      };
      const { status, body, cookies } = await user.post(path);
      expect(cookies).toEqual([]);
      // A login takes over what is in the session, and there is nothing in one that stands in for it.
      if (path.includes('login')) expect({ status, ...body }).toEqual({ status: 503, code: 'STORE_UNAVAILABLE' });
      else expect({ status, ...body }).toEqual({ status: 200, cart: ['late'], degraded: true });
      user.goTo(calm);
      expect(tokenIn(user.cookie)).toBe(token);
      expect((await user.get()).body).toEqual({ user: 'ada', cart: ['first-of-ada'], degraded: false });
    },
  );
});
