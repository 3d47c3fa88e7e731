// @ts-check
import { PRODUCTS, pathOf } from './catalogue.js';
import { html } from './html.js';
import { icon } from './layout.js';

/** @import { Product } from './catalogue.js' */

/** A product's picture; a parcel for what we do not sell. @param {Product | undefined} product */
export function picture(product) {
  return html`<div class="art ${product?.tint ?? 'sea'}">${icon(product?.slug ?? 'box')}</div>`;
}

/** @param {string} slug @param {string} name */
export function addButton(slug, name) {
  return html`<a class="button" href="${pathOf(slug)}" aria-label="Add to basket: ${name}">Add to basket</a>`;
}

/** All that we have, in short. @param {string} title @param {Product} [except] */
export function shelf(title, except) {
  return html`<section class="shelf" aria-labelledby="shelf">
      <h2 id="shelf">${title}</h2>
      <ul>${PRODUCTS.filter((product) => product !== except).map(
        ({ slug, name, price }) => html`
        <li><a href="${pathOf(slug)}">${icon(slug)}<span>${name}</span></a> <span class="price">${price}</span></li>`,
      )}
      </ul>
    </section>`;
}
