import { Hono } from 'hono';
import Koa, { type DefaultState } from 'koa';
import { expect, expectTypeOf, it } from 'vitest';
import type { SessionwiseEnv } from '../../../src/adapters/hono/index.ts';
import type { SessionwiseContext } from '../../../src/adapters/koa/index.ts';
import type { Sessionwise } from '../../../src/adapters/next/index.ts';

interface Fields {
  cart?: string[];
  n?: number;
}

it('sessions have the fields that the site declares, and no others', () => {
  const koa = new Koa<DefaultState, SessionwiseContext<Fields>>();
  koa.use(async ({ session }) => {
    expectTypeOf(session.cart).toEqualTypeOf<string[] | undefined>();
    expectTypeOf(session.append('cart', 'lamp')).toEqualTypeOf<Promise<string[]>>();
    // @ts-expect-error: no such field
    await session.increment('m');
  });
  const hono = new Hono<SessionwiseEnv<Fields>>();
  hono.get('/', async (c) => {
    expectTypeOf(c.var.session.n).toEqualTypeOf<number | undefined>();
    // @ts-expect-error: a list, and no number
    await c.var.session.increment('cart');
    return c.text('');
  });
  const next = {} as Sessionwise<Fields>;
  expectTypeOf<Awaited<ReturnType<ReturnType<typeof next.session>>>['cart']>().toEqualTypeOf<string[] | undefined>();
  const work = (): unknown =>
    next.action(async ({ session }, form: FormData) => session.append('cart', String(form.get('product'))));
  const read = (session: Awaited<ReturnType<ReturnType<typeof next.session>>>): unknown => {
    // @ts-expect-error: a page only reads
    session.cart = [];
    return session;
  };
  expect([work, read]).toHaveLength(2);
});
