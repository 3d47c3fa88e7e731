// @ts-check
import { PRODUCTS } from './catalogue.js';
import { writeNow } from './write-now.js';

/* cart.js: what somebody wants to buy, as fields of the session: one a product, `cart:<slug>`, counted in Redis and not
 * in this process, so that two clicks at once count as two. */

/** @import { Product } from './catalogue.js' */
/** @typedef {import('express').Request['session'] | undefined} Session
 *  @typedef {{ product: Product, count: number }} Line */

/** How many of a product are in the cart. @param {Session} session @param {Product | undefined} product */
export function countOf(session, product) {
  const fields = /** @type {Record<string, unknown> | undefined} */ (/** @type {unknown} */ (session));
  const count = product && fields?.[fieldOf(product)];
  return typeof count === 'number' && count > 0 ? count : 0;
}

/** What is in the cart, in the order of the shelves. @param {Session} session @returns {Line[]} */
export function cartOf(session) {
  return PRODUCTS.map((product) => ({ product, count: countOf(session, product) })).filter(({ count }) => count > 0);
}

/** @param {readonly Line[]} lines */
export function totalOf(lines) {
  return lines.reduce((sum, { product, count }) => sum + count * product.price, 0);
}

/** @param {NonNullable<Session>} session @param {Product} product @throws where Redis is away */
export async function putIn(session, product) {
  await session.increment(fieldOf(product));
}

/** Takes all of a product out. @param {NonNullable<Session>} session @param {Product} product @throws where Redis is away */
export async function takeOut(session, product) {
  if (countOf(session, product) > 0) await writeNow(session, { [fieldOf(product)]: undefined });
}

/** @param {Product} product @returns {`cart:${string}`} */
function fieldOf({ slug }) {
  return `cart:${slug}`;
}
