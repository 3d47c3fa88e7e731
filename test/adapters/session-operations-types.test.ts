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
      typed.increment('count');
      // @ts-expect-error: a misspelt name
      typed.increment('cuont');
      // @ts-expect-error: no number
      typed.increment('name');
      expectTypeOf(typed.append('cart', 'lamp')).resolves.toEqualTypeOf<string[]>();
      // @ts-expect-error: the cart holds texts
      typed.append('cart', 7);
      // @ts-expect-error: no list
      typed.append('count', 7);
      typed.setIf(1, { name: 'Ada', count: undefined });
      // @ts-expect-error: no text
      typed.setIf(1, { name: 7 });
      // @ts-expect-error: a misspelt name
      typed.setIf(1, { nmae: 'Ada' });
    });
  });

  it('take any name where a site declares none', () => {
    neverRuns(() => {
      for (const session of [undeclared, any]) {
        session.increment('anything');
        session.append('anything', 1, 'two');
        session.setIf(1, { anything: 1 });
      }
    });
  });
});
