import Fastify from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSessionwise, type Sessionwise } from '../../../src/adapters/fastify/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { type LivePageRequest, type LiveSite, testLive } from '../live.suite.ts';

const SITE_SECRET = 'a secret of the tests, and long enough';

testLive<Sessionwise>({
  name: 'Fastify',
  cookieName: 'sessionId',
  create: createSessionwise,
  async open(sw, pages, { live, knowledge = {} }): Promise<LiveSite> {
    const app = Fastify();
    app.register(sw.session, { secret: SITE_SECRET });
    app.register(sw.knowledge, knowledge as object);
    app.register(sw.live, { prefix: '/live', ...live });
    app.get<{ Params: { name: string } }>('/:name', async (request, reply) => {
      const page = Object.assign(request, {
        end: () => request.session.destroy(),
        regenerate: () => request.session.regenerate(),
      });
      const result = await pages[request.params.name]!(page as unknown as LivePageRequest);
      return reply.type('application/json').send(JSON.stringify(result ?? null));
    });
    let closed: Promise<unknown> | undefined;
    return {
      url: await app.listen({ port: 0, host: '127.0.0.1' }),
      async closeServer() {
        closed ??= app.close();
        await closed;
      },
    };
  },
});

describe('sw.live of Fastify', () => {
  const server = useRedis({ eachTest: 'kept' });
  it.each<[string, object, RegExp]>([
    ['no prefix', {}, /sw\.live needs a path of its own: app\.register\(sw\.live, \{ prefix/],
    ['a misspelt name', { prefix: '/live', maxStream: 1 }, /did you mean "maxStreams"/],
    ['a wrong type', { prefix: '/live', retryMs: '2s' }, /retryMs .* cannot be used: give a whole number from 1/],
    ['an option of knowledge', { prefix: '/live', user: () => 'a' }, /"user": it belongs to sw\.knowledge/],
  ])('refuses %s', async (_, options, sentence) => {
    const sw = createSessionwise({ redis: server.url });
    const app = Fastify();
    onTestFinished(async () => {
      await app.close();
      await sw.close();
    });
    app.register(sw.knowledge);
    app.register(sw.live, options);
    await expect(app.ready()).rejects.toThrow(sentence);
  });
});
