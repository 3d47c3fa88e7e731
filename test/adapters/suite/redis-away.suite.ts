import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DegradedOperation } from '../../../src/adapters/index.ts';
import { SessionClient } from '../../../src/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import { fieldsOf, type Pages, type Site, type Visitor } from './adapter-site.ts';

const pages: Pages = {
  begin: ({ session }) => {
    session.cart = ['lamp'];
  },
  unawaited: ({ session }) => {
    session.cart = ['tv'];
    return { ordered: true };
  },
  awaited: async ({ session, save }) => {
    session.cart = ['tv'];
    await save();
    return { ordered: true };
  },
  operation: async ({ session }) => {
    await session.append('cart', 'tv');
  },
  rotate: ({ session, query }) => session.rotate({ grace: query.has('grace') }),
  me: ({ session, handle }) => ({ ...fieldsOf(session), handle: handle?.id, degraded: session.isDegraded() }),
};

/** What requests get while Redis refuses writes, or is away. */
export function testRedisAway(stage: AdapterStage): void {
  describe.each(['closed', 'open'] as const)('while Redis refuses writes (fail: %s)', (fail) => {
    let site: Site;
    let visitor: Visitor;
    let degraded: DegradedOperation[];

    beforeEach(async () => {
      site = await stage.open({ pages, store: { fail } });
      degraded = [];
      site.store.on('degraded', (operation) => degraded.push(operation));
      visitor = stage.visitor(site);
      await visitor.page('/begin');
      await stage.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    });
    afterEach(async () => {
      await stage.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
      // Whatever was answered, nothing was saved.
      const loaded = await site.store.data.load(visitor.token);
      expect(fieldsOf(site.store.data.valuesOf(loaded!))).toEqual({ cart: ['lamp'] });
    });

    it('a save at the end of a request answers 503 where the answer is not on its way', async () => {
      const isTold = fail === 'closed' && stage.adapter.savesBeforeAnswer;
      expect((await visitor.get('/unawaited')).status).toBe(isTold ? 503 : 200);
      if (fail === 'open') expect(degraded).toMatchObject([{ operation: 'set' }]);
      else await expect.poll(() => site.errors).toEqual(['STORE_UNAVAILABLE']);
    });

    it('a save that is waited for answers 503, but in a store that fails open', async () => {
      expect((await visitor.get('/awaited')).status).toBe(fail === 'open' ? 200 : 503);
    });

    it('an operation answers 503', async () => {
      expect((await visitor.get('/operation')).status).toBe(503);
    });
  });

  // Whether somebody is logged in is known only where the session could be read, by its current secret: a visitor must not
  // be asked about on a person's page.
  describe('a handle', () => {
    let client: SessionClient;
    let visitor: Visitor;
    let old: Visitor;

    beforeEach(async () => {
      client = new SessionClient({ redis: 'unix:///nowhere/redis.sock' });
      const store = { fail: 'open', deadlineMs: 1_000 };
      visitor = stage.visitor(await stage.open({ pages, client, store }));
      await visitor.page('/begin');
      old = visitor.twin();
      expect(await old.twin().page('/me')).toMatchObject({ handle: visitor.visitorId });
    });
    afterEach(() => client.close());

    it('is not given to the previous secret within a grace, but to the current one', async () => {
      await visitor.page('/rotate?grace');
      expect(await old.page('/me')).toEqual({ cart: ['lamp'], degraded: false });
      expect(await visitor.page('/me')).toMatchObject({ cart: ['lamp'], handle: visitor.visitorId });
    });

    it('is not given to a secret that could not be checked, while the store is away', async () => {
      await visitor.page('/rotate');
      stage.server.kill('SIGSTOP');
      for (const one of [old, visitor]) {
        expect(await one.get('/me')).toMatchObject({ status: 200, setCookies: [], body: { degraded: true } });
        expect(await one.page('/me')).toEqual({ degraded: true });
      }
    });
  });
}
