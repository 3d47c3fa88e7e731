// @ts-check
import { liveScript } from 'sessionwise/express';
import { bell } from './bell.js';
import { Html, html } from './html.js';
import { icon } from './icon.js';

/** @typedef {import('./statistics.js').Statistics} Statistics
 *  @typedef {import('./visitor.js').Visitor} Visitor */

const NAVIGATION = [
  { path: '/', label: 'Shop' },
  { path: '/cart', label: 'Cart' },
  { path: '/confirm-purchase', label: 'Checkout' },
];
/** Lets public/shop.js listen (`sessionwise.on`): it stands before that. */
const LISTENING = new Html(liveScript().tag);

/**
 * A page up to the end of its content: all that does not need to know the visit.
 * @param {{ title: string, current?: string, unseen?: number | undefined, visitor: Visitor, main: Html }} page
 */
export function top({ title, current, unseen, visitor, main }) {
  const links = NAVIGATION.map(
    ({ path, label }) => html`
        <li><a href="${path}"${currentIf(path === current)}>${label}${path === '/cart' && cartBadge(visitor)}</a></li>`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>${title} · Corner Shop</title>
  <link rel="icon" href="/favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="/shop.css">
  <link rel="stylesheet" href="/notices.css">
  ${LISTENING}
  <script src="/shop.js" defer></script>
</head>
<body>
  <a class="skip" href="#content">Skip to the content</a>
  <header class="masthead">
    <div class="wrap">
      <a class="brand" href="/">${icon('shop')}<span>Corner Shop</span></a>
      <nav aria-label="Main">
        <ul>${links}
        </ul>
      </nav>
      ${bell(unseen, currentIf(current === '/notifications'))}
      ${account(visitor, current)}
    </div>
  </header>
  <main id="content" class="wrap" tabindex="-1">
${visitor.away && awayNote()}
${main}
  </main>
`;
}

/** @param {boolean} isCurrent */
function currentIf(isCurrent) {
  return isCurrent && html` aria-current="page"`;
}

/** @param {Visitor} visitor */
function cartBadge({ items }) {
  if (items === 0) return undefined;
  return html` <span class="badge" data-items="${items}">${items}<span class="sr"> ${items === 1 ? 'thing' : 'things'}</span></span>`;
}

/** Who is here. While nobody can tell, it does not claim that somebody is logged out.
 *  @param {Visitor} visitor @param {string} [current] */
function account({ name, away }, current) {
  if (away) return html`<p class="account" data-account="unknown">${icon('person')}<span>Resting</span></p>`;
  if (name === undefined) {
    return html`<p class="account" data-account="out"><a href="/login"${currentIf(current === '/login')}>${icon('person')}<span>Log in</span></a></p>`;
  }
  return html`<p class="account" data-account="in"><a href="/devices"${currentIf(current === '/devices')}>${icon('person')}<span><span class="sr">Your devices, logged in as </span><bdi>${name}</bdi></span></a></p>`;
}

function awayNote() {
  return html`<p class="empty" data-away role="status">${icon('rest')}<span>Your cart and your login are taking a short
      break. Nothing is lost: they will be back here by themselves.</span></p>`;
}

/**
 * The footer: what the service knows of this visit, or that it does not answer now.
 * @param {Statistics | undefined} statistics
 */
export function bottom(statistics) {
  return html`${statistics ? liveFooter(statistics) : degradedFooter()}
</body>
</html>
`;
}

/** @param {Statistics} statistics */
function liveFooter({ totalPages, uniquePages, minutes }) {
  return html`<footer id="session-stats" data-state="live" data-total-pages="${totalPages}" data-unique-pages="${uniquePages}">
    <div class="wrap">
      <section aria-label="Your visit">
        <h2>Your visit</h2>
        <div class="figures">
          <p class="figure"><strong>${totalPages}</strong> ${totalPages === 1 ? 'page' : 'pages'} viewed</p>
          <p class="figure"><strong>${uniquePages}</strong> different ${uniquePages === 1 ? 'page' : 'pages'}</p>
          <div class="figure">
            ${strip(minutes)}
          </div>
        </div>
      </section>
    </div>
  </footer>`;
}

/** The last minutes as bars, and in words for who cannot see them. @param {boolean[]} minutes */
function strip(minutes) {
  const labels = minutes.map((_, i) => (i === minutes.length - 1 ? 'now' : `−${minutes.length - 1 - i}`));
  const active = minutes.flatMap((isActive, i) =>
    isActive ? (i === minutes.length - 1 ? 'this minute' : `${minutes.length - 1 - i} min ago`) : [],
  );
  const words = active.length > 0 ? `Active ${active.join(', ')}.` : 'Not active in the last minutes.';
  const bars = minutes.map((isActive, i) => html`<li data-active="${String(isActive)}"><span>${labels[i]}</span></li>`);
  return html`<p class="sr">${words}</p>
            <ol class="strip" aria-hidden="true">${bars}</ol>
            <p aria-hidden="true">active minutes</p>`;
}

function degradedFooter() {
  return html`<footer id="session-stats" data-state="degraded">
    <div class="wrap">
      <section aria-label="Your visit">
        <h2>Your visit</h2>
        <p class="resting">${icon('rest')}<span>Our page counter is taking a short break. Your figures will be
          back here by themselves.</span></p>
      </section>
    </div>
  </footer>`;
}

/** Who comes for the first time, or again after a while, is greeted. @param {Statistics['welcome']} welcome */
export function greeting(welcome) {
  if (welcome === 'new') {
    return html`<p class="greeting" data-welcome="new" role="status">${icon('spark')}<span><strong>Welcome!</strong>
      It is your first time here: have a look around.</span></p>`;
  }
  if (welcome === 'back') {
    return html`<p class="greeting" data-welcome="back" role="status">${icon('spark')}<span><strong>Welcome back!</strong>
      Everything is as you left it.</span></p>`;
  }
  return html``;
}
