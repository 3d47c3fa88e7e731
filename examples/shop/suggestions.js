// @ts-check
import { money, nameOf, pathOf, productOf } from './catalogue.js';
import { html } from './html.js';
import { icon } from './icon.js';
import { addButton, picture } from './products.js';

/* suggestions.js: what the checkout suggests, why, and why nothing else. The rules stand in sessionwise.json. */

/** @import { ExplainedSuggestions, Explanation, Suggestion } from 'sessionwise' */

/** What has another name for customers than for the rules. @type {Record<string, string>} */
const CAUSES = {
  'added-to-cart': 'put something into your cart',
  'screens and sound': 'looked around among screens and sound',
};

/** All suggestions, and what stands in their place where there are none, or nobody knows.
 *  @param {ExplainedSuggestions | undefined} asked */
export function suggestionList(asked) {
  if (!asked) {
    return html`<p class="empty" data-suggestions="unknown">${icon('rest')}<span>We cannot suggest anything right now.
            You have not missed anything: our tips will be back soon.</span></p>`;
  }
  const { suggestions } = asked;
  return html`${
    suggestions.length > 0
      ? html`<ul class="suggestions">${suggestions.map(card)}</ul>`
      : html`<p class="empty" data-suggestions="none">${icon('bulb')}<span>No tips right now. (Look at a
              <a href="${pathOf('tv')}">television</a> and at a <a href="${pathOf('tv-mount')}">wall mount</a>, and
              there is one.)</span></p>`
  }
    ${why(asked)}`;
}

/** @param {Suggestion} suggestion */
function card({ rule, suggest, because, reason }) {
  // A rule that was found in data names the page, one that was written the slug.
  const product = productOf(rule) ?? productOf(suggest);
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

/** Of each rule what held and what did not. @param {ExplainedSuggestions} asked */
function why({ rules, segments }) {
  return html`<details class="why" data-why>
      <summary>Why these tips, and no others?</summary>
      <ul>${rules.map(
        ({ rule, shown, hidden, explanation }) => html`
        <li data-rule="${rule}" data-shown="${String(shown)}">
          <h3>${productOf(rule)?.name ?? rule}</h3>
          <p>${shown ? 'Suggested.' : hidden ? `Not suggested: it ${hidden}.` : 'Not suggested yet.'}</p>
          <ul class="tree">${branch(explanation)}</ul>
        </li>`,
      )}
      </ul>
      ${Object.entries(segments).map(
        ([name, explanation]) => html`<h3>What “${name}” means</h3>
      <ul class="tree">${branch(explanation)}</ul>`,
      )}
    </details>`;
}

/** A condition, and those within it. @param {Explanation} explanation @returns {import('./html.js').Html} */
function branch({ holds, text, all, any, not }) {
  const within = [...(all ?? []), ...(any ?? []), ...(not ? [not] : [])];
  return html`<li data-holds="${String(holds)}">${icon(holds ? 'check' : 'no')}<span><span class="sr">${holds ? 'Yes: ' : 'No: '}</span>${text}</span>
            ${within.length > 0 && html`<ul>${within.map(branch)}</ul>`}</li>`;
}
