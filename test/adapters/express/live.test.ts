import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import compression from 'compression';
import express, { type RequestHandler } from 'express';
import express4 from 'express4';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSessionwise, type Sessionwise } from '../../../src/adapters/express/index.ts';
import { EventListener } from '../../support/event-listener.ts';
import { useRedis } from '../../support/use-redis.ts';
import { type LivePageRequest, type LiveSite, type LiveUnderTest, testLive } from '../live.suite.ts';
import { Visitor } from '../suite/adapter-site.ts';

const SITE_SECRET = 'a secret for tests, and only for them';

function under(
  name: string,
  make: () => ReturnType<typeof express>,
  ...before: RequestHandler[]
): LiveUnderTest<Sessionwise> {
  return {
    name,
    cookieName: 'connect.sid',
    create: createSessionwise,
    async open(sw, pages, { live, knowledge = {} }): Promise<LiveSite> {
      const app = make();
      for (const handler of before) app.use(handler);
      app.use(sw.session({ secret: SITE_SECRET }));
      app.use(sw.knowledge(knowledge as object));
      app.use('/live', sw.live(live));
      app.get('/:name', (request, response, next) => {
        const { session } = request;
        const verb = (name: 'destroy' | 'regenerate'): Promise<void> =>
          new Promise((done, failed) => session[name]((error: unknown) => (error ? failed(error) : done())));
        const page = Object.assign(request, { end: () => verb('destroy'), regenerate: () => verb('regenerate') });
        const result = pages[request.params.name as string]!(page as unknown as LivePageRequest);
        Promise.resolve(result).then((value) => response.json(value ?? null), next);
      });
      const server = createServer(app).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        async closeServer() {
          if (!server.listening) return;
          server.close();
          await once(server, 'close');
        },
      };
    },
  };
}

testLive(under('Express', express));
testLive(under('Express 4', express4 as unknown as typeof express));
testLive(under('Express behind compression', express, compression({ threshold: 0 })));

describe('sw.live() of Express', () => {
  const server = useRedis({ eachTest: 'kept' });
  const make = (): Sessionwise => {
    const sw = createSessionwise({ redis: server.url });
    onTestFinished(() => sw.close());
    return sw;
  };

  it.each<[string, object, RegExp]>([
    ['a misspelt name', { maxStream: 1 }, /sw\.live\(\) knows no option "maxStream": did you mean "maxStreams"/],
    ['a wrong type', { retryMs: '2s' }, /retryMs .* cannot be used: give a whole number from 1/],
    ['nothing', { heartbeatMs: 0 }, /heartbeatMs 0 cannot be used/],
    ['an option of knowledge', { groups: () => [] }, /"groups": it belongs to sw\.knowledge: \{ groups \}/],
  ])('refuses %s', (_, options, sentence) => {
    expect(() => make().live(options)).toThrow(RangeError);
    expect(() => make().live(options)).toThrow(sentence);
  });

  it('may be mounted twice, with the same options', () => {
    const sw = make();
    const { live } = sw;
    expect(live({ maxStreams: 7 })).toBeTypeOf('function');
    expect(live({ maxStreams: 7 })).toBeTypeOf('function');
    expect(() => live({ maxStreams: 8 })).toThrow(/has other options here than where it was mounted before/);
  });

  it('says what is missing where nothing before it has found the visitor', async () => {
    const app = express();
    app.use('/live', make().live());
    const failed: string[] = [];
    const tell: express.ErrorRequestHandler = (error, _request, response, _next) => {
      failed.push(String(error));
      response.sendStatus(500);
    };
    app.use(tell);
    const http = app.listen(0, '127.0.0.1');
    await once(http, 'listening');
    onTestFinished(() => void http.close());
    const site = { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
    const { headers } = new Visitor(site, { name: '', tokenIn: () => '', sign: () => '' });
    expect((await new EventListener().open(`${site.url}/live`, headers)).status).toBe(500);
    expect(failed[0]).toMatch(/mount sw\.knowledge before it/);
  });
});
