// @ts-check
import { nameOf, pathOf, productOf } from '../catalogue.js';
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
  const [view, suggestions, unread] = await Promise.all([handle?.view, handle?.suggestions(), unreadFor(handle)]);
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
    ${
      suggestions === undefined
        ? html`<p class="empty" data-suggestions="unknown">${icon('rest')}<span>We cannot suggest anything right now.
            You have not missed anything: our tips will be back soon.</span></p>`
        : suggestions.length > 0
          ? html`<ul class="suggestions">${suggestions.map(suggestion)}</ul>`
          : html`<p class="empty" data-suggestions="none">${icon('bulb')}<span>No tips for this basket. (Look at a
              <a href="${pathOf('tv')}">television</a> and at a <a href="${pathOf('tv-mount')}">wall mount</a>, and
              there is one.)</span></p>`
    }
    <p class="till"><a class="button quiet" href="/">Keep browsing</a>
      <span>This shop is a demonstration: nothing can be bought here, and nothing costs anything.</span></p>`;
  sendPage(request, response, {
    title: 'Checkout',
    current: '/confirm-purchase',
    unread,
    statistics: fromView(view),
    main,
  });
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
          <p class="buy">${product && html`<span class="price">${product.price}</span>`}
            ${addButton(combo, suggest)}</p>
        </div>
      </li>`;
}

/** @param {string} path */
function labelOf(path) {
  return productOf(path)?.name ?? nameOf(path);
}
