// @ts-check
import { money, nameOf, productOf } from './catalogue.js';
import { html } from './html.js';
import { icon } from './icon.js';
import { addButton, picture } from './products.js';

/* suggestions.js: what the checkout suggests, and why. The rules stand in sessionwise.json. */

/** @import { Suggestion } from 'sessionwise' */

/** What has another name for customers than for the rules. @type {Record<string, string>} */
const CAUSES = {
  'added-to-cart': 'put something into your cart',
  'screens and sound': 'looked around among screens and sound',
};

/** All suggestions, and what stands in their place where there are none, or nobody knows.
 *  @param {readonly Suggestion[] | undefined} suggestions */
export function suggestionList(suggestions) {
  if (!suggestions) {
    return html`<p class="empty" data-suggestions="unknown">${icon('rest')}<span>We cannot suggest anything right now.
            You have not missed anything: our tips will be back soon.</span></p>`;
  }
  if (suggestions.length === 0) {
    return html`<p class="empty" data-suggestions="none">${icon('bulb')}<span>No tips right now: whatever goes together with
            what you look at will be here.</span></p>`;
  }
  return html`<ul class="suggestions">${suggestions.map(card)}</ul>`;
}

/** What it is that is suggested: a rule that was found in data names the page, one that was written the slug.
 *  @param {Suggestion} suggestion */
export function suggestedProduct({ rule, suggest }) {
  return productOf(rule) ?? productOf(suggest);
}

/** @param {Suggestion} suggestion */
function card(suggestion) {
  const { rule, suggest, because, reason } = suggestion;
  const product = suggestedProduct(suggestion);
  const title = productOf(suggest)?.name ?? suggest;
  return html`
      <li class="card suggestion" data-suggestion="${rule}">
        ${picture(product)}
        <div>
          <p class="eyebrow">${icon('bulb')} Goes with it</p>
          <h2>${title}</h2>
          <p data-reason>${reason}</p>
          <p class="because" data-because>Because you ${causesOf(because)}.</p>
          <div class="buy">${product && html`<span class="price">${money(product.price)}</span> ${addButton(product, { tip: rule })}`}
            <form method="post" action="/tips/dismiss"><input type="hidden" name="rule" value="${rule}"><button class="button quiet" aria-label="No, thank you: ${title}">No, thank you</button></form></div>
        </div>
      </li>`;
}

/** What led to it, in words: the pages with links, and what else was done. @param {readonly string[]} because */
function causesOf(because) {
  const pages = because.filter((name) => name.startsWith('/'));
  const looked = pages.map(
    (path, i) => html`${i > 0 && (i === pages.length - 1 ? ' and ' : ', ')}<a href="${path}">${nameOf(path)}</a>`,
  );
  const others = because.filter((name) => !name.startsWith('/')).map((name) => html`${CAUSES[name] ?? name}`);
  const causes = pages.length > 0 ? [html`looked at ${looked}`, ...others] : others;
  return causes.map((cause, i) => html`${i > 0 && (i === causes.length - 1 ? ', and ' : ', ')}${cause}`);
}
