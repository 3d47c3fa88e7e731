import type { FastifyRequest, Session } from 'fastify';
import { describe, expectTypeOf, it } from 'vitest';
import type { SessionOperations } from '../../../src/adapters/fastify/index.ts';

/* The verbs of `request.session` know the fields that a site declares. Checked by `npm run typecheck`: nothing here runs. A
 * site declares them as `declare module 'fastify' { interface Session { ... } }`; an interface of its own stands in for that
 * here, because the declaration would hold for all tests. */

interface SiteSession extends SessionOperations<SiteSession> {
  cookie: Session['cookie'];
  count?: number;
  cart?: string[];
  name?: string;
}
declare const typed: SiteSession;
declare const request: FastifyRequest;

function neverRuns(_: () => unknown): void {}

describe('the session of a request of Fastify', () => {
  it('has the verbs, for any name where a site declares no fields', () => {
    neverRuns(() => {
      expectTypeOf(request.session.increment('anything')).resolves.toEqualTypeOf<number>();
      void request.session.append('anything', 1, 'two');
      void request.session.setIf(1, { anything: 1 });
      void request.session.rotate();
      void request.session.identify('ada', { device: 'Tablet' });
      expectTypeOf(request.session.isDegraded()).toEqualTypeOf<boolean>();
      void request.session.info()?.version;
      // @ts-expect-error: info() is undefined until the session was saved
      void request.session.info().version;
    });
  });

  it('knows the fields that a site declares', () => {
    neverRuns(() => {
      void typed.increment('count');
      // @ts-expect-error: a misspelt name
      void typed.increment('cuont');
      // @ts-expect-error: no number
      void typed.increment('name');
      // @ts-expect-error: a method is no field
      void typed.increment('rotate');
      expectTypeOf(typed.append('cart', 'lamp')).resolves.toEqualTypeOf<string[]>();
      // @ts-expect-error: the cart holds texts
      void typed.append('cart', 7);
      void typed.setIf(1, { name: 'Ada', count: undefined });
      // @ts-expect-error: a misspelt name
      void typed.setIf(1, { nmae: 'Ada' });
      // @ts-expect-error: a method is no field
      void typed.setIf(1, { rotate: undefined });
    });
  });
});
