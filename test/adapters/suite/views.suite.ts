import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { browserScript } from '../../../src/adapters/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import { Gate, type Page, type PageContext, type Pages, type SiteOptions } from './adapter-site.ts';
import { asking, fail, ViewsStage } from './views-stage.ts';

const pages: Pages = {
  a: asking(({ handle }) => handle?.id),
  total: async ({ handle }) => (await handle?.request('session-analytics', ''))?.totalPages,
  page: ({ handle }) => handle?.page,
  status: asking(({ status, query }) => status(Number(query.get('code')))),
  fails: asking(fail),
  streams: asking(async ({ sendHead, handle }) => {
    sendHead();
    await handle?.request('surface', ['/c']);
  }),
  'breaks-off': asking(({ sendHead, raw }) => {
    sendHead();
    raw.destroy();
  }),
  'fails-behind-its-head': asking(({ sendHead, raw }) => {
    sendHead();
    raw.socket?.destroy();
    fail();
  }),
  'answers-first': async ({ handle, answer }) => {
    const asked = handle?.request('surface', ['/a', '/b']);
    await answer();
    await asked;
  },
  // The answer has gone by then.
  'fails-too-late': asking(({ raw }) => {
    raw.prependListener('finish', () => {
      raw.statusCode = 500;
    });
  }),
  'succeeds-too-late': asking(({ status, raw }) => {
    status(500);
    raw.prependListener('finish', () => {
      raw.statusCode = 200;
    });
  }),
  'set-cart': ({ session }) => {
    session.cart = ['lamp'];
  },
};

/** When page views count: the middleware of each adapter. */
export function testViews(stage: AdapterStage): void {
  describe('views', () => {
    const views = new ViewsStage(stage, pages);
    describe('a page view', () => testEnd(views));
    describe('a page view that counts at the start', () => testStart(views));
  });
}

function testEnd(views: ViewsStage): void {
  it.each(['/a', '/status?code=204', '/status?code=304', '/streams', '/answers-first', '/fails-too-late', '/set-cart'])(
    'counts once when the answer has ended: %s',
    async (path) => {
      const visitor = await views.begun(await views.open());
      expect(await views.sentBy(() => visitor.get(path))).toBe(1);
      expect(await views.totalOf(visitor)).toBe(1);
    },
  );

  it.each([
    '/status?code=400',
    '/status?code=404',
    '/status?code=500',
    '/status?code=503',
    '/succeeds-too-late',
    '/fails',
    '/breaks-off',
    '/fails-behind-its-head',
  ])('counts nothing: %s', async (path) => {
    const visitor = await views.begun(await views.open());
    expect(await views.sentBy(() => visitor.get(path).catch(() => undefined))).toBe(0);
    expect(await views.totalOf(visitor)).toBe(0);
  });

  it.each([301, 302, 303, 307, 308])('counts as a redirect (%i), unless the site wants none', async (code) => {
    const counting = await views.begun(await views.open());
    const not = await views.begun(await views.open({ countRedirects: false }));
    expect(await views.sentBy(() => counting.get(`/status?code=${code}`))).toBe(1);
    expect(await views.sentBy(() => not.get(`/status?code=${code}`))).toBe(0);
    expect(await views.sentBy(() => not.get('/status?code=304'))).toBe(1);
  });

  it('is sent behind the answer', async () => {
    const states: unknown[] = [];
    let raw: PageContext['raw'] | undefined;
    const noting = asking((context) => {
      raw = context.raw;
    });
    const visitor = await views.begun(await views.open({}, { a: noting }));
    const { client } = views;
    const publish = client.publish.bind(client);
    const spy = vi.spyOn(client, 'publish').mockImplementation((...sent: unknown[]) => {
      states.push(raw?.writableFinished);
      return Reflect.apply(publish, client, sent) as Promise<boolean>;
    });
    try {
      await visitor.page('/a');
    } finally {
      spy.mockRestore();
    }
    expect(states).toEqual([true]);
  });

  it('is no HEAD, unless the site says so: then it counts once', async () => {
    for (const [handle, sent] of [
      [{}, 0],
      [{ isPageview: ({ method }: { method?: string | undefined }) => method === 'HEAD' }, 1],
    ] as const) {
      const site = await views.open(handle);
      const { headers } = await views.begun(site);
      expect(await views.sentBy(() => fetch(`${site.url}/a`, { method: 'HEAD', headers }))).toBe(sent);
    }
  });

  it.each([true, false])('is seen by the next page of its visitor, keep-alive or not: %s', async (keepAlive) => {
    const site = await views.open({ isPageview: ({ url }) => url === '/a' });
    const { headers } = await views.begun(site);
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    const ask = async (path: string): Promise<string> => {
      const asked = httpRequest(site.url + path, { agent, headers }).end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      return (await answer.toArray()).join('');
    };
    for (let count = 1; count <= 20; count += 1) {
      await ask('/a');
      expect(await ask('/total')).toBe(String(count));
    }
    agent.destroy();
  });

  it.each(['before', 'behind'])('counts nothing where the visitor leaves %s its head', async (when) => {
    const [gate, closed] = [new Gate(), new Gate()];
    const slow: Page = async ({ handle, sendHead, raw }) => {
      raw.on('close', () => void closed.pass());
      await handle?.request('surface', ['/a']);
      if (when === 'behind') sendHead();
      await gate.pass();
    };
    const site = await views.open({}, { slow, a: pages.a! });
    const visitor = await views.begun(site);
    const { headers } = visitor;
    const asked = httpRequest(`${site.url}/slow`, { agent: new Agent(), headers }).end();
    asked.on('error', () => undefined);
    await gate.arrived();
    const sent = await views.sentBy(async () => {
      asked.destroy();
      await closed.arrived();
      // The page goes on to its end, and so does the next one.
      gate.open();
      await visitor.page('/a');
    });
    expect(sent).toBe(1);
    expect(await views.client.session(visitor.visitorId).request('surface', ['/slow', '/a'])).toEqual(['/slow']);
  });

  it.each<[string, SiteOptions['handle']]>([
    ['pageview "browser"', { pageview: 'browser', script: browserScript() }],
    ['pageview "off"', { pageview: 'off' }],
    ['track', { track: () => false }],
    ['bots', {}],
  ])('counts nothing where the site or the client says so: %s', async (name, handle) => {
    const visitor = await views.begun(await views.open(handle));
    const robot = { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' };
    expect(await views.sentBy(() => visitor.get('/a', name === 'bots' ? robot : {}))).toBe(0);
    expect(await views.totalOf(visitor)).toBe(0);
  });

  it('has its page on the handle, and what is none has not', async () => {
    const off = ({ url }: { url?: string | undefined }) => (url === '/page?off' ? 'off' : 'server');
    const visitor = await views.begun(await views.open({ pageview: off }));
    expect(await visitor.page('/page?a=b')).toBe('/page?a=b');
    expect(await visitor.page('/page?off')).toBeNull();
    expect((await visitor.get('/page', { 'sec-fetch-dest': 'image' })).text).toBe('null');
  });
}

function testStart(views: ViewsStage): void {
  it.each<[string, SiteOptions['handle']]>([
    ['countWhen', { countWhen: 'start' }],
    ['countWhen, and a function of pageview', { countWhen: 'start', pageview: () => 'server' }],
  ])('is sent before the page, whatever becomes of it: %s', async (_, handle) => {
    const { requests } = views.client.counters;
    let sent = 0;
    const failing: Page = () => {
      sent = views.client.counters.requests - requests;
      fail();
    };
    const visitor = await views.begun(await views.open(handle, { a: failing }));
    expect((await visitor.get('/a')).status).toBe(500);
    expect([sent, views.client.counters.requests - requests]).toEqual([1, 1]);
    expect(await views.totalOf(visitor)).toBe(1);
  });
}
