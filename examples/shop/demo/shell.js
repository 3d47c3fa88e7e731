// @ts-check
import { html } from '../html.js';
import { STEPS } from './steps.js';

/* shell.js: the page of the demo: the panel, and the shop in a frame beside it. public/panel.js fills it. */

/** @typedef {import('../html.js').Html} Html
 *  @typedef {import('./steps.js').Step} Step
 *  @typedef {import('./steps.js').Action} Action */
/** @typedef {{ second: string, hasService: boolean, hasForget: boolean }} ShellParts */

/** @param {ShellParts} parts */
export function shell({ second, hasService, hasForget }) {
  const steps = STEPS.filter(({ name }) => hasService || name !== 'off');
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Sessionwise, at work in a shop</title>
  <link rel="icon" href="/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/demo/panel.css">
  <script src="/demo/panel.js" type="module"></script>
</head>
<body>
  <a class="skip" href="#shop">Skip to the shop</a>
  <header class="panel" data-panel>
    <button class="bar" type="button" aria-expanded="false" aria-controls="sheet" data-bar><span data-bar-text>What Sessionwise knows</span></button>
    <div class="sheet" id="sheet" data-sheet>
      <div class="intro">
        <h1>What a shop can know while you shop</h1>
        <p>Each page of this shop asks <strong>Sessionwise</strong> what its visitor has seen and done, and has the
          answer before it is sent.</p>
        <noscript><p class="said">The panel needs scripts. The shop does not.</p></noscript>
        ${hasService && html`<p class="service" data-service="unknown"><span class="dot" aria-hidden="true"></span> <span data-service-text>…</span></p>`}
      </div>
      ${path(steps)}
      <section class="knew" aria-labelledby="knew">
        <h2 id="knew">What Sessionwise knew for this page</h2>
        <p class="about" data-about>Open a page of the shop.</p>
        <div data-calls></div>
      </section>
      ${more(hasService, hasForget)}
      <p class="sr" role="status" data-announce></p>
    </div>
  </header>
  <main class="stage" id="shop" tabindex="-1" data-stage="one">
    <section class="visitor" aria-labelledby="first">
      <h2 id="first">You <span data-knows="first"></span></h2>
      <iframe name="shop" src="/" title="The shop, as you see it" data-frame="first"></iframe>
    </section>
    <section class="visitor" aria-labelledby="second" data-second hidden>
      <h2 id="second">Somebody else <span data-knows="second"></span></h2>
      <iframe name="second" title="The shop, as a second visitor sees it" data-frame="second" data-src="${second}/"></iframe>
    </section>
  </main>
</body>
</html>
`;
}

/** @param {readonly Step[]} steps */
function path(steps) {
  return html`<section class="path" aria-labelledby="path">
        <h2 id="path" tabindex="-1">${steps.length} steps, one minute <span class="count" data-progress></span></h2>
        <ol>${steps.map(
          ({ name, title }) => html`
          <li data-step="${name}" data-done="false"><span class="sr">${title}<span data-step-state></span></span></li>`,
        )}
        </ol>
        <p class="learnt" data-learnt hidden></p>
        ${steps.map(
          ({ name, title, text, actions, learnt }) => html`
        <div class="card" data-card="${name}" data-learnt-words="${learnt}" hidden>
          <h3>${title}</h3>
          <p>${text}</p>
          <div class="buttons">${actions.map(control)}</div>
        </div>`,
        )}
      </section>`;
}

/** @param {Action} action */
function control({ label, open, add, press }) {
  if (open !== undefined) return html`<a class="button" href="${open}" target="shop">${label}</a> `;
  if (add !== undefined) {
    return html`<form method="post" action="/cart" target="shop"><input type="hidden" name="product" value="${add}"><input type="hidden" name="tip" value="${add}"><button class="button">${label}</button></form> `;
  }
  return html`<button class="button" type="button" data-press="${press}">${label}</button> `;
}

/** @param {boolean} hasService @param {boolean} hasForget */
function more(hasService, hasForget) {
  return html`<section class="more" aria-labelledby="more" data-more>
        <h2 id="more">Try more</h2>
        <div class="buttons">
          ${hasService && html`<button class="button" type="button" data-press="service" data-service-switch>Switch the service off</button>`}
          <button class="button" type="button" data-press="second" aria-expanded="false" data-second-switch>Show the second visitor</button>
          <button class="button" type="button" data-press="notice">Write to all customers</button>
          <button class="button" type="button" data-press="robot">Send a robot</button>
          ${hasForget && html`<button class="button" type="button" data-press="reset">Forget me</button>`}
        </div>
        <p class="said" role="status" data-said hidden></p>
        <p class="aside">The shop by itself: <a href="/" target="_blank" rel="noopener">its own page</a>. Its code: <code>examples/shop</code>.</p>
      </section>`;
}
