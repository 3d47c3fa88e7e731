// @ts-check
import { money, PRODUCTS, pathOf } from './catalogue.js';
import { html } from './html.js';
import { icon } from './icon.js';

/** @import { Product } from './catalogue.js' */

/** A product's picture; a parcel for what we do not sell. @param {Product | undefined} product */
export function picture(product) {
  return html`<div class="art ${product?.tint ?? 'sea'}">${icon(product?.slug ?? 'box')}</div>`;
}

/** A form, because it changes something. `again`: for what is in the cart already; `tip`: the rule that suggested it.
 *  @param {Product} product @param {{ again?: boolean, tip?: string }} [how] */
export function addButton({ slug, name }, { again = false, tip } = {}) {
  const label = again ? 'One more' : 'Add to cart';
  const from = tip !== undefined && html`<input type="hidden" name="tip" value="${tip}">`;
  return html`<form method="post" action="/cart"><input type="hidden" name="product" value="${slug}">${from}<button class="${again ? 'button quiet' : 'button'}" aria-label="${label}: ${name}">${label}</button></form>`;
}

/** All that we have, in short. @param {string} title @param {Product} [except] */
export function shelf(title, except) {
  return html`<section class="shelf" aria-labelledby="shelf">
      <h2 id="shelf">${title}</h2>
      <ul>${PRODUCTS.filter((product) => product !== except).map(
        ({ slug, name, price }) => html`
        <li><a href="${pathOf(slug)}">${icon(slug)}<span>${name}</span></a> <span class="price">${money(price)}</span></li>`,
      )}
      </ul>
    </section>`;
}
