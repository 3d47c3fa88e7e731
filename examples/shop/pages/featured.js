// @ts-check
import { FEATURED, money, pathOf, productOf } from '../catalogue.js';
import { html } from '../html.js';
import { icon } from '../icon.js';
import { unseenFor } from '../notices.js';
import { addButton, picture, shelf } from '../products.js';
import { sendPage } from '../respond.js';
import { fromView } from '../statistics.js';

/** @import { Request, Response } from 'express' */

/** `/`: the featured pages that this visitor has not seen. @param {Request} request @param {Response} response */
export async function featured(request, response) {
  const handle = request.sessionwise;
  const [view, fresh = FEATURED, unseen] = await Promise.all([
    handle.visit(),
    handle.unseen(FEATURED),
    unseenFor(handle),
  ]);
  const statistics = fromView(view);
  const main = html`
    ${lead(fresh)}
    ${
      fresh.length > 0
        ? html`<ul class="cards">${fresh.map(card)}</ul>`
        : html`<p class="done" data-featured-done>${icon('check', 'icon big')}<span>All ${FEATURED.length} featured
            things seen.</span> <a class="button quiet" href="/confirm-purchase">To the checkout</a></p>`
    }
    ${shelf('Everything we have')}`;
  sendPage(request, response, { title: 'Featured', current: '/', unseen, statistics, main });
}

/** @param {readonly string[]} fresh */
function lead(fresh) {
  const [title, words] =
    fresh.length === 0
      ? ['You have seen it all', 'Nothing that we feature is left to discover. Something new is on its way.']
      : fresh.length < FEATURED.length
        ? ['Still new to you', 'What you have looked at makes room for what you have not.']
        : [
            'Picked for your living room',
            'A few good things, well made. What you have looked at steps aside next time.',
          ];
  return html`<div class="lead">
      <h1>${title}</h1>
      <p>${words}</p>
    </div>`;
}

/** @param {string} path */
function card(path) {
  const product = productOf(path);
  return (
    product &&
    html`
      <li class="card" data-featured="${path}">
        ${picture(product)}
        <div>
          <h2><a class="plain" href="${pathOf(product.slug)}">${product.name}</a></h2>
          <p>${product.blurb}</p>
          <div class="buy"><span class="price">${money(product.price)}</span> ${addButton(product)}</div>
        </div>
      </li>`
  );
}
