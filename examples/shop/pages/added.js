// @ts-check
import { countOf } from '../cart.js';
import { money, nameOf, productOf } from '../catalogue.js';
import { html } from '../html.js';
import { icon } from '../icon.js';
import { bottom, greeting, top } from '../layout.js';
import { unseenFor } from '../notices.js';
import { addButton, picture, shelf } from '../products.js';
import { sendPage } from '../respond.js';
import { fromView } from '../statistics.js';
import { visitorOf } from '../visitor.js';

/** @import { Request, Response } from 'express' */

/** `/added/:item`: waits for nothing. Its content goes out at once, and only then does it ask for the footer's figures; the
 *  bell gets its number by public/shop.js. Its view counts when all of it has been sent.
 *  @param {Request<{ item: string }>} request @param {Response} response */
export async function added(request, response) {
  const { item } = request.params;
  response.type('html').write(
    `${top({
      title: nameOf(item),
      visitor: visitorOf(request),
      main: confirmation(request),
    })}`,
  );
  const statistics = fromView(await request.sessionwise.visit());
  response.end(`${html`<div class="wrap">${greeting(statistics?.welcome)}</div>`}${bottom(statistics)}`);
}

/** `/added-sync/:item`: waits for the answer, and so can tell whether this page was seen before. What was added is the
 *  same as on `/added/:item`, so that page counts as seen too: for the suggestions, and for what is featured.
 *  @param {Request<{ item: string }>} request @param {Response} response */
export async function addedSync(request, response) {
  const { item } = request.params;
  void request.sessionwise.publish('mark-item-seen', `/added/${encodeURIComponent(item)}`);
  const [view, unseen] = await Promise.all([request.sessionwise.visit(), unseenFor(request.sessionwise)]);
  const seenBefore = view ? String(view.previouslyVisited) : 'unknown';
  const words = {
    true: 'You have been on this page before: is it one more, or the same one again?',
    false: 'This is the first time that you see this page.',
    unknown: 'Whether you have been here before nobody can tell right now.',
  }[seenBefore];
  sendPage(request, response, {
    title: nameOf(item),
    unseen,
    statistics: fromView(view),
    main: confirmation(request, html`<p class="aside" data-seen-before="${seenBefore}">${words}</p>`),
  });
}

/** @param {Request<{ item: string }>} request @param {import('../html.js').Html} [aside] */
function confirmation({ params: { item }, session }, aside) {
  const product = productOf(item);
  const count = countOf(session, product);
  return html`
    <article class="added">
      ${picture(product)}
      <div>
        ${
          count > 0 &&
          html`<p class="eyebrow" data-in-cart="${count}">${icon('check')} ${count === 1 ? 'In your cart' : `${count} in your cart`}</p>`
        }
        <h1><bdi>${nameOf(item)}</bdi></h1>
        <p>${product?.blurb ?? 'We have never heard of it, but we will find it for you.'}</p>
        ${product && html`<p class="price">${money(product.price)}</p>`}
        <div class="actions">${count > 0 && html`<a class="button" href="/cart">To the cart</a>`}
          ${product && addButton(product, { again: count > 0 })}
          <a class="button quiet" href="/">Keep browsing</a></div>
        ${aside}
      </div>
    </article>
    ${shelf('Also in the shop', product)}`;
}
