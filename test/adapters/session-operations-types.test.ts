import { describe, expectTypeOf, it } from 'vitest';
import type { SessionOperations } from '../../src/adapters/index.ts';

// Checked by `npm run typecheck`: nothing here runs.
interface Fields {
  cookie: { path: string };
  count?: number;
  cart?: string[];
  name?: string;
}
declare const typed: SessionOperations<Fields>;
declare const undeclared: SessionOperations<{ cookie: { path: string } }>;
declare const any: SessionOperations;

function neverRuns(_: () => unknown): void {}

describe('the types of the operations on a session', () => {
  it('know the fields that a site declares', () => {
    neverRuns(() => {
      void typed.increment('count');
      // @ts-expect-error: a misspelt name
      void typed.increment('cuont');
      // @ts-expect-error: no number
      void typed.increment('name');
      expectTypeOf(typed.append('cart', 'lamp')).resolves.toEqualTypeOf<string[]>();
      // @ts-expect-error: the cart holds texts
      void typed.append('cart', 7);
      // @ts-expect-error: no list
      void typed.append('count', 7);
      void typed.setIf(1, { name: 'Ada', count: undefined });
      // @ts-expect-error: no text
      void typed.setIf(1, { name: 7 });
      // @ts-expect-error: a misspelt name
      void typed.setIf(1, { nmae: 'Ada' });
    });
  });

  it('take any name where a site declares none', () => {
    neverRuns(() => {
      for (const session of [undeclared, any]) {
        void session.increment('anything');
        void session.append('anything', 1, 'two');
        void session.setIf(1, { anything: 1 });
      }
    });
  });
});
