// @ts-check
import { cartOf, countOf, totalOf } from '../cart.js';
import { money } from '../catalogue.js';
import { html } from '../html.js';
import { unseenFor } from '../notices.js';
import { sendPage } from '../respond.js';
import { fromView } from '../statistics.js';
import { suggestedProduct, suggestionList } from '../suggestions.js';

/** @import { Request, Response } from 'express' */

/** `/confirm-purchase`: the last moment to say what is missing, and why. @param {Request} request @param {Response} response */
export async function confirmPurchase(request, response) {
  const handle = request.sessionwise;
  const [view, asked, unseen] = await Promise.all([handle.visit(), handle.suggestions(), unseenFor(handle)]);
  // The rules of this shop know what was put into the cart; ones that were found in data (`discover`) do not.
  const suggestions = asked?.filter((suggestion) => countOf(request.session, suggestedProduct(suggestion)) === 0);
  // How often each may be shown ("show", "cooldown") counts from it; the page does not wait.
  if (suggestions) void handle.shown(suggestions.map(({ rule }) => rule));
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
    ${suggestionList(suggestions)}
    <p class="till">${lines.length > 0 && html`<a class="button quiet" href="/cart">Change the cart</a>`}<a class="button quiet" href="/">Keep browsing</a>
      <span>This shop is a demonstration: nothing can be bought here, and nothing costs anything.</span></p>`;
  sendPage(request, response, {
    title: 'Checkout',
    current: '/confirm-purchase',
    unseen,
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
