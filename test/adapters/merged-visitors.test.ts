import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { EXPRESS, EXPRESS_4 } from './express/express-under-test.ts';
import { FASTIFY } from './fastify/fastify-under-test.ts';
import { NODE_HTTP } from './node-http/node-http-under-test.ts';
import { type Page, type Pages, Visitor } from './suite/adapter-site.ts';

/* What was known of a visitor is the person's from the login on: through the adapters and a real service, which merges. */

const ITEMS = ['/a', '/b', '/c'];
const tell: Page = async ({ handle }) => {
  const [figures, fresh] = await Promise.all([
    handle?.request('session-analytics', ''),
    handle?.request('surface', ITEMS),
  ]);
  return { views: figures?.totalPages, isNew: figures?.newToSite, fresh };
};
const pages: Pages = {
  a: tell,
  b: tell,
  c: tell,
  look: tell,
  login: async (context, user) => {
    await context.regenerate();
    await context.session.identify(user!);
    return tell(context);
  },
  logout: ({ regenerate }) => regenerate(),
};
const isPageview = ({ url }: { url?: string | undefined }): boolean => ITEMS.includes(url ?? '');

const server = useRedis({ eachTest: 'kept' });
let service: Service;
let client: SessionClient;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough' });
  client = new SessionClient({ redis: server.url, deadlineMs: 20_000 });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
});

describe.each([EXPRESS, EXPRESS_4, FASTIFY, NODE_HTTP])('$name', (adapter) => {
  const open = async (): Promise<() => Visitor> => {
    const [[, settings]] = adapter.settings as [readonly [string, object]];
    const site = await adapter.open({ store: { redis: server.url }, settings, pages, client, handle: { isPageview } });
    onTestFinished(() => site.close());
    return () => new Visitor(site, adapter.cookies);
  };

  it('views and items of before the login are the person’s, once, on both devices', async () => {
    const arrive = await open();
    const [desk, phone, user] = [arrive(), arrive(), `${adapter.name} one`.replace(/\W/g, '-')];
    await desk.page('/a');
    await desk.page('/a');
    expect(await desk.page(`/login/${user}`)).toEqual({ views: 2, isNew: false, fresh: ['/b', '/c'] });
    expect(desk.visitorCookie).toBeUndefined();
    await phone.page('/b');
    await phone.page(`/login/${user}`);
    for (const device of [desk, phone]) {
      expect(await device.page('/look')).toEqual({ views: 3, isNew: false, fresh: ['/c'] });
    }
    await phone.page('/c');
    expect(await desk.page('/look')).toEqual({ views: 4, isNew: false, fresh: [] });
  });

  it('behind a logout the browser is new to the site, and so is the next user at it', async () => {
    const arrive = await open();
    const [browser, user] = [arrive(), `${adapter.name} two`.replace(/\W/g, '-')];
    await browser.page('/a');
    await browser.page(`/login/${user}`);
    await browser.page('/b');
    await browser.page('/logout');
    expect(await browser.page('/look')).toEqual({ views: 0, isNew: true, fresh: ITEMS });
    await browser.page(`/login/${user}-other`);
    expect(await browser.page('/look')).toEqual({ views: 0, isNew: true, fresh: ITEMS });
  });

  it('cookies that somebody planted before the login show nothing of the person', async () => {
    const arrive = await open();
    const [browser, user] = [arrive(), `${adapter.name} three`.replace(/\W/g, '-')];
    await browser.page('/a');
    const attacker = browser.twin();
    await browser.page(`/login/${user}`);
    await browser.page('/b');
    await browser.page('/c');
    const shown = (await attacker.page('/look')) as { views: number; fresh: string[] };
    expect(shown.views).toBeLessThanOrEqual(1);
    expect(shown.fresh).toEqual(expect.arrayContaining(['/b', '/c']));
  });
});
