// @ts-check
import { html } from '../html.js';
import { icon } from '../layout.js';
import { noticesFor } from '../notices.js';
import { sendPage } from '../respond.js';
import { fromView } from '../statistics.js';

/** @import { Request, Response } from 'express' */

const MOST_IDS = 100;
const LONGEST_ID = 2_048; // bytes, as the service says

/** `/notifications`: what is unread and what was read. `?seen=<id>` marks one, as a link in a letter would.
 *  @param {Request} request @param {Response} response */
export async function notifications(request, response) {
  const handle = request.sessionwise;
  const toMark = idsOf(request.query.seen);
  const [view, { notices, known }, marked] = await Promise.all([
    handle.visit(),
    noticesFor(handle),
    toMark.length > 0 ? handle.notices.markRead(toMark) : [],
  ]);
  // Both were asked at once, so the list may be from before the mark: the mark's own answer tells.
  const now = new Set(marked?.map(String));
  const shown = notices.map((notice) => ({ ...notice, seen: notice.seen || (known && now.has(notice.id)) }));
  const failed = marked === undefined || request.query.marked === 'no';
  const unread = shown.filter(({ seen }) => !seen);
  const read = shown.filter(({ seen }) => seen);
  const main = html`
    <div class="lead">
      <h1>Notices</h1>
      <p>${
        known
          ? unread.length > 0
            ? `${unread.length} of ${shown.length} you have not read yet.`
            : 'You have read them all.'
          : 'What is new in the shop.'
      }</p>
    </div>
    ${!known && html`<p class="empty" data-read-state="unknown">${icon('rest')}<span>Which of them you have read nobody can tell right now, so all are shown as unread.</span></p>`}
    ${failed && html`<p class="empty" role="status">${icon('rest')}<span>That could not be marked as read right now. Please try again in a moment.</span></p>`}
    ${
      unread.length > 0 &&
      html`<section aria-labelledby="unread">
      <div class="bar"><h2 id="unread">${known ? 'Unread' : 'All notices'}</h2>
        ${
          known &&
          html`<form method="post" action="/notifications">${unread.map(
            ({ id }) => html`<input type="hidden" name="seen" value="${id}">`,
          )}<button class="button quiet">Mark all as read</button></form>`
        }</div>
      <ul class="notices">${unread.map((notice) => entry(notice, known))}</ul>
    </section>`
    }
    ${
      read.length > 0 &&
      html`<section aria-labelledby="read">
      <div class="bar"><h2 id="read">Read</h2></div>
      <ul class="notices">${read.map((notice) => entry(notice, known))}</ul>
    </section>`
    }`;
  sendPage(request, response, {
    title: 'Notices',
    current: '/notifications',
    unread: known ? unread.length : undefined,
    statistics: fromView(view),
    main,
  });
}

/** POST `/notifications`: marks what the form names, and goes back to the list.
 *  @param {Request} request @param {Response} response */
export async function markNotifications(request, response) {
  const ids = idsOf(request.body?.seen);
  const marked = ids.length === 0 ? [] : await request.sessionwise.notices.markRead(ids);
  response.redirect(303, marked ? '/notifications' : '/notifications?marked=no');
}

/** @param {unknown} given @returns {string[]} */
function idsOf(given) {
  const ids = Array.isArray(given) ? given : [given];
  return ids
    .filter((id) => typeof id === 'string' && id !== '' && Buffer.byteLength(id) <= LONGEST_ID)
    .slice(0, MOST_IDS);
}

/** @param {import('../notices.js').Notice} notice @param {boolean} known */
function entry({ id, title, text, seen }, known) {
  return html`
        <li class="notice" data-notification="${id}" data-seen="${String(seen)}">
          <div>
            <h3>${title}</h3>
            <p>${text}</p>
          </div>
          ${
            seen
              ? html`<p class="state">${icon('check')} Read</p>`
              : known &&
                html`<form method="post" action="/notifications"><input type="hidden" name="seen" value="${id}"><button class="button quiet" aria-label="Mark as read: ${title}">Mark as read</button></form>`
          }
        </li>`;
}
