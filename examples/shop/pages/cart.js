// @ts-check
import { cartOf, putIn, takeOut, totalOf } from '../cart.js';
import { money, pathOf, productOf } from '../catalogue.js';
import { html } from '../html.js';
import { icon } from '../icon.js';
import { unseenFor } from '../notices.js';
import { picture, shelf } from '../products.js';
import { sendPage } from '../respond.js';
import { fromView } from '../statistics.js';
import { visitorOf } from '../visitor.js';

/** @import { NextFunction, Request, Response } from 'express' */

/** `/cart`: what was put into the cart, from the session alone. @param {Request} request @param {Response} response */
export async function cart(request, response) {
  const handle = request.sessionwise;
  const [view, unseen] = await Promise.all([handle.visit(), unseenFor(handle)]);
  const { away, items, name } = visitorOf(request);
  const lines = cartOf(request.session);
  const main = html`
    <div class="lead">
      <h1>Your cart</h1>
      <p>${
        away
          ? 'We cannot look into it right now.'
          : items === 0
            ? 'Nothing is in it yet.'
            : `${items} ${items === 1 ? 'thing' : 'things'}.${name === undefined ? ' Log in whenever you like: the cart comes with you.' : ''}`
      }</p>
    </div>
    ${
      lines.length > 0 &&
      html`<ul class="lines">${lines.map(line)}
      </ul>
      <p class="total"><span>Together</span> <span class="price" data-total="${totalOf(lines)}">${money(totalOf(lines))}</span></p>
      <p class="actions"><a class="button" href="/confirm-purchase">To the checkout</a>
        <a class="button quiet" href="/">Keep browsing</a></p>`
    }
    ${lines.length === 0 && !away && html`<p class="empty" data-cart="empty">${icon('cart')}<span>Whatever you add will wait here for you.</span></p>`}
    ${lines.length === 0 && shelf('Everything we have')}`;
  sendPage(request, response, { title: 'Cart', current: '/cart', unseen, statistics: fromView(view), main });
}

/** POST `/cart`: one more of a product. What was put in, and whether a tip led to it, is noted for the rules; that may fail.
 *  @param {Request} request @param {Response} response @param {NextFunction} next */
export async function addToCart(request, response, next) {
  const product = productOf(String(request.body?.product));
  if (!product) return next(unknownProduct());
  await putIn(request.session, product);
  const { sessionwise, body } = request;
  await Promise.all([
    sessionwise.track('added-to-cart', { items: [pathOf(product.slug)] }),
    typeof body.tip === 'string' && productOf(body.tip) === product && sessionwise.taken(body.tip),
  ]);
  response.redirect(303, body.back === 'cart' ? '/cart' : pathOf(product.slug));
}

/** POST `/cart/remove`: none of a product. @param {Request} request @param {Response} response @param {NextFunction} next */
export async function removeFromCart(request, response, next) {
  const product = productOf(String(request.body?.product));
  if (!product) return next(unknownProduct());
  await takeOut(request.session, product);
  response.redirect(303, '/cart');
}

function unknownProduct() {
  return Object.assign(new Error('We do not sell this.'), { status: 400 });
}

/** @param {import('../cart.js').Line} line */
function line({ product, count }) {
  const { slug, name, price } = product;
  return html`
        <li class="line" data-line="${slug}" data-count="${count}">
          ${picture(product)}
          <div>
            <h2><a class="plain" href="${pathOf(slug)}">${name}</a></h2>
            <p>${count} × ${money(price)}</p>
          </div>
          <p class="price">${money(count * price)}</p>
          <div class="buttons">
            <form method="post" action="/cart"><input type="hidden" name="product" value="${slug}"><input type="hidden" name="back" value="cart"><button class="button quiet" aria-label="One more: ${name}">One more</button></form>
            <form method="post" action="/cart/remove"><input type="hidden" name="product" value="${slug}"><button class="button quiet" aria-label="Remove: ${name}">Remove</button></form>
          </div>
        </li>`;
}
