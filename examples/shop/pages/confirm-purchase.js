// @ts-check
import { cartOf, totalOf } from '../cart.js';
import { money, nameOf, pathOf, productOf } from '../catalogue.js';
import { html } from '../html.js';
import { icon } from '../layout.js';
import { unreadFor } from '../notices.js';
import { addButton, picture } from '../products.js';
import { sendPage } from '../respond.js';
import { fromView } from '../statistics.js';

/** @import { Request, Response } from 'express' */

/** `/confirm-purchase`: the last moment to say what is missing, and why. @param {Request} request @param {Response} response */
export async function confirmPurchase(request, response) {
  const handle = request.sessionwise;
  const [view, suggestions, unread] = await Promise.all([handle.visit(), handle.suggestions(), unreadFor(handle)]);
  const lines = cartOf(request.session);
  const main = html`
    <div class="lead">
      <h1>Before you go to the till</h1>
      <p>${
        suggestions === undefined
          ? 'Your order is as you left it.'
          : suggestions.length > 0
            ? 'One look at what goes together, so that nothing is missing at home.'
            : 'Nothing is missing, as far as we can see.'
      }</p>
    </div>
    ${lines.length > 0 && order(lines)}
    ${
      suggestions === undefined
        ? html`<p class="empty" data-suggestions="unknown">${icon('rest')}<span>We cannot suggest anything right now.
            You have not missed anything: our tips will be back soon.</span></p>`
        : suggestions.length > 0
          ? html`<ul class="suggestions">${suggestions.map(suggestion)}</ul>`
          : html`<p class="empty" data-suggestions="none">${icon('bulb')}<span>No tips right now. (Look at a
              <a href="${pathOf('tv')}">television</a> and at a <a href="${pathOf('tv-mount')}">wall mount</a>, and
              there is one.)</span></p>`
    }
    <p class="till">${lines.length > 0 && html`<a class="button quiet" href="/cart">Change the cart</a>`}<a class="button quiet" href="/">Keep browsing</a>
      <span>This shop is a demonstration: nothing can be bought here, and nothing costs anything.</span></p>`;
  sendPage(request, response, {
    title: 'Checkout',
    current: '/confirm-purchase',
    unread,
    statistics: fromView(view),
    main,
  });
}

/** What would be bought. @param {import('../cart.js').Line[]} lines */
function order(lines) {
  return html`<section class="order" aria-labelledby="order">
      <h2 id="order">Your order</h2>
      <ul>${lines.map(
        ({ product, count }) => html`
        <li data-order="${product.slug}" data-count="${count}"><span>${count} × ${product.name}</span> <span class="price">${money(count * product.price)}</span></li>`,
      )}
      </ul>
      <p class="total"><span>Together</span> <span class="price" data-total="${totalOf(lines)}">${money(totalOf(lines))}</span></p>
    </section>`;
}

/** @param {import('sessionwise').Suggestion} suggestion */
function suggestion({ combo, suggest, because, reason }) {
  const product = productOf(combo);
  const causes = because.map(
    (path, i) => html`${i > 0 && (i === because.length - 1 ? ' and ' : ', ')}<a href="${path}">${labelOf(path)}</a>`,
  );
  return html`
      <li class="card suggestion" data-suggestion="${combo}">
        ${picture(product)}
        <div>
          <p class="eyebrow">${icon('bulb')} Goes with it</p>
          <h2>${suggest}</h2>
          <p data-reason>${reason}</p>
          <p class="because" data-because>Because you looked at ${causes}.</p>
          ${product && html`<div class="buy"><span class="price">${money(product.price)}</span> ${addButton(product)}</div>`}
        </div>
      </li>`;
}

/** @param {string} path */
function labelOf(path) {
  return productOf(path)?.name ?? nameOf(path);
}
