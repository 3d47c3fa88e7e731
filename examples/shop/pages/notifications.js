// @ts-check
import { CUSTOMERS } from '../catalogue.js';
import { html } from '../html.js';
import { icon } from '../icon.js';
import { noticeList, showField, shownNotice } from '../notice-list.js';
import { noticesFor } from '../notices.js';
import { sendPage } from '../respond.js';
import { fromView } from '../statistics.js';

/** @import { Request, Response } from 'express' */
/** @typedef {import('../notices.js').NoticesPage} NoticesPage
 *  @typedef {import('../notices.js').NoticesQuery} NoticesQuery
 *  @typedef {import('sessionwise').SessionHandle['notices']} Notices */

const MOST_IDS = 100;
const LONGEST_ID = 2_048; // bytes, as the service says

/** What the forms can do; undefined or false: it was not done.
 *  @type {Record<string, (notices: Notices, ids: string[]) => Promise<number | boolean | undefined>>} */
const CHANGES = {
  read: (notices, ids) => notices.markRead(ids),
  unread: (notices, ids) => notices.markUnread(ids),
  dismiss: (notices, ids) => notices.dismiss(ids),
  'all-read': (notices) => notices.markAllRead(),
  'all-seen': (notices) => notices.markAllSeen(),
  mute: (notices) => notices.mute([CUSTOMERS]),
  unmute: (notices) => notices.unmute([CUSTOMERS]),
};
const OF_ALL = ['all-read', 'all-seen', 'mute', 'unmute'];

/** `/notifications`: all notices, or with `?show=unread` those. Whoever looks at them has seen them, and the bell has no
 *  number any more; read is what was marked as read. `?seen=<id>` marks one, as a link in a letter would.
 *  @param {Request} request @param {Response} response */
export async function notifications(request, response) {
  const handle = request.sessionwise;
  const query = queryOf(request.query);
  const toMark = idsOf(request.query.seen);
  const marked = toMark.length > 0 ? await handle.notices.markRead(toMark) : 0;
  const [view, page] = await Promise.all([handle.visit(), noticesFor(handle, query), handle.notices.markAllSeen()]);
  const failed = marked === undefined || request.query.failed === 'yes';
  sendPage(request, response, {
    title: 'Notices',
    current: '/notifications',
    unseen: page.known ? 0 : undefined,
    statistics: fromView(view),
    main: html`${lead(page, failed)}
    ${controls(page, query)}
    ${noticeList(shownOf(page), { unreadOnly: query.unreadOnly, isFixed: !page.known, unread: page.unread })}
    <p class="empty" data-none${page.notices.length > 0 && html` hidden`}>${icon('bell')}<span>${query.unreadOnly ? 'You have read them all.' : 'There are no notices for you.'} New ones will be here.</span></p>
    <p class="actions"><a class="button quiet" href="${olderPath(page, query)}" data-older${!page.before && html` hidden`}>Older notices</a></p>
    ${muting(page, query)}
    ${request.app.locals.demo && html`<p class="aside">Do you work here? <a href="/write-a-notice">Write a notice</a></p>`}
    <script src="/notices.js" defer></script>`,
  });
}

/** GET `/notifications.json`: what the open list shows anew (public/notices.js).
 *  @param {Request} request @param {Response} response */
export async function listNotices(request, response) {
  const query = queryOf(request.query);
  const page = await noticesFor(request.sessionwise, query);
  const { known, unread, isMuted } = page;
  const older = page.before ? olderPath(page, query) : null;
  response.json({ known, unread, summary: summary(unread), isMuted, notices: shownOf(page), older });
}

/** POST `/notifications`: does what the form says, and goes back to the list.
 *  @param {Request} request @param {Response} response */
export async function changeNotices(request, response) {
  const isDone = await change(request);
  response.redirect(303, pathOf({ show: request.body?.show === 'unread' && 'unread', failed: !isDone && 'yes' }));
}

/** POST `/notifications.json`: the same for a list that stays open. @param {Request} request @param {Response} response */
export async function changeNoticesInPlace(request, response) {
  response.sendStatus((await change(request)) ? 204 : 503);
}

/** Whether it was done. What names nothing changes nothing. @param {Request} request */
async function change({ body, sessionwise }) {
  const name = String(body?.do ?? '');
  const ids = idsOf(body?.id);
  if (!Object.hasOwn(CHANGES, name) || (ids.length === 0 && !OF_ALL.includes(name))) return true;
  const result = await CHANGES[name]?.(sessionwise.notices, ids);
  return result !== undefined && result !== false;
}

/** @param {NoticesPage} page @param {boolean} failed */
function lead({ known, unread }, failed) {
  return html`
    <div class="lead">
      <h1 tabindex="-1">Notices</h1>
      <p data-summary>${known ? summary(unread) : 'What is new in the shop.'}</p>
    </div>
    ${!known && html`<p class="empty" data-read-state="unknown">${icon('rest')}<span>Which of them you have read nobody can tell right now, so all are shown as unread.</span></p>`}
    <p class="empty" role="status" data-failed${!failed && html` hidden`}>${icon('rest')}<span>That did not work right now. Please try again in a moment.</span></p>`;
}

/** @param {number} unread */
function summary(unread) {
  if (unread === 0) return 'You have read them all.';
  return unread === 1 ? 'You have one unread notice.' : `You have ${unread} unread notices.`;
}

/** @param {NoticesPage} page @param {NoticesQuery} query */
function controls({ known, unread }, { unreadOnly }) {
  const current = html` aria-current="page"`;
  return html`<div class="bar">
      <nav class="filter" aria-label="Which notices"><ul>
        <li><a href="/notifications"${!unreadOnly && current}>All</a></li>
        <li><a href="/notifications?show=unread"${unreadOnly && current}>Unread</a></li>
      </ul></nav>
      <form method="post" action="/notifications" data-all-read${(!known || unread === 0) && html` hidden`}>${showField(unreadOnly)}<button class="button quiet" name="do" value="all-read">Mark all as read</button></form>
    </div>`;
}

/** Both forms, of which one is shown. @param {NoticesPage} page @param {NoticesQuery} query */
function muting({ known, isMuted }, { unreadOnly }) {
  return html`<form class="muting" method="post" action="/notifications" data-mute${(!known || isMuted) && html` hidden`}>${showField(unreadOnly)}
      <p>Too many? Then only what is for you alone will be shown.</p> <button class="button quiet" name="do" value="mute">Mute what goes to all customers</button></form>
    <form class="muting" method="post" action="/notifications" data-unmute${(!known || !isMuted) && html` hidden`}>${showField(unreadOnly)}
      <p>What goes to all customers is muted.</p> <button class="button quiet" name="do" value="unmute">Show it again</button></form>`;
}

/** @param {NoticesPage} page */
function shownOf({ notices }) {
  const now = Date.now();
  return notices.map((notice) => shownNotice(notice, now));
}

/** @param {NoticesPage} page @param {NoticesQuery} query */
function olderPath({ before }, { unreadOnly }) {
  return pathOf({ show: unreadOnly && 'unread', before: before ?? false });
}

/** @param {Record<string, string | false>} query Those that are false are left out. */
function pathOf(query) {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== false) given.set(name, value);
  return given.size > 0 ? `/notifications?${given}` : '/notifications';
}

/** @param {Request['query']} query @returns {NoticesQuery} */
function queryOf({ show, before }) {
  const isPlace = typeof before === 'string' && /^\d{1,16} ./su.test(before) && Buffer.byteLength(before) < LONGEST_ID;
  return { unreadOnly: show === 'unread', before: isPlace ? before : undefined };
}

/** @param {unknown} given @returns {string[]} */
function idsOf(given) {
  const ids = Array.isArray(given) ? given : [given];
  return ids
    .filter((id) => typeof id === 'string' && id !== '' && Buffer.byteLength(id) <= LONGEST_ID)
    .slice(0, MOST_IDS);
}
