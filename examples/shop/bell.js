// @ts-check
import { html } from './html.js';
import { icon } from './icon.js';

const MOST_SHOWN = 99;

/**
 * The bell: how many notices have come since somebody last looked at the list. Where nobody knows, it shows no number;
 * public/shop.js moves it while the page is open, and tells screen readers now and then.
 * @param {number | undefined} unseen
 * @param {import('./html.js').Html | false} current
 */
export function bell(unseen, current) {
  const count = unseen ?? 0;
  return html`<p class="bell"><a href="/notifications"${current} data-bell${unseen !== undefined && html` data-unseen="${unseen}"`}>${icon('bell')}<span class="sr">Notices</span>
        <span class="badge" data-badge${count === 0 && html` hidden`}><span data-number>${count > MOST_SHOWN ? `${MOST_SHOWN}+` : count}</span><span class="sr"> new</span></span></a></p>
      <p class="sr" role="status" data-announce></p>`;
}
