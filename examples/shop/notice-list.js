// @ts-check
import { ago } from './ago.js';
import { html } from './html.js';
import { icon } from './icon.js';

/** @typedef {import('./notices.js').Notice} Notice
 *  @typedef {import('./notices.js').NoticeSeverity} NoticeSeverity */

/** How much a notice matters, in words; its picture in public/icons.svg has the name of the severity.
 *  @type {Record<NoticeSeverity, string>} */
export const SEVERITY_WORDS = {
  info: 'Good to know',
  success: 'Good news',
  warning: 'Please note',
  error: 'Important',
};

/** What the page shows of a notice, and public/notices.js puts into it.
 *  @param {Notice} notice @param {number} now */
export function shownNotice({ id, title, text, severity, read, isOwn, at }, now) {
  return {
    id,
    title,
    text,
    severity,
    word: SEVERITY_WORDS[severity],
    read,
    isOwn,
    ...(at !== undefined && { time: new Date(at).toISOString(), ago: ago(at, now) }),
  };
}

/** @typedef {ReturnType<typeof shownNotice>} ShownNotice */

/** The list, and beside it what public/notices.js makes further ones of. `unread`: how many of all; `isFixed`:
 *  where nothing can be changed now.
 *  @param {ShownNotice[]} notices @param {{ unreadOnly: boolean, isFixed: boolean, unread: number }} how */
export function noticeList(notices, { unread, ...how }) {
  /** @type {ShownNotice} */
  const blank = { id: '', title: '', text: '', severity: 'info', word: '', read: false, isOwn: false };
  return html`<ul class="notices" data-notices data-unread="${unread}">${notices.map((notice) => entry(notice, how))}
      </ul>
      <template data-notice-form>${entry({ ...blank, time: '', ago: '' }, { ...how, isFixed: false })}</template>`;
}

/** @param {ShownNotice} notice @param {{ unreadOnly: boolean, isFixed: boolean }} how */
function entry(notice, { unreadOnly, isFixed }) {
  const { id, title, text, severity, word, read, isOwn, time, ago: sinceThen } = notice;
  return html`
        <li class="notice" data-notification="${id}" data-read="${String(read)}" data-severity="${severity}">
          <div>
            <p class="kind"><span class="severity">${icon(severity)} <span data-word>${word}</span></span>
              <span data-own${!isOwn && html` hidden`}>For you alone</span>
              ${time !== undefined && html`<time datetime="${time}">${sinceThen}</time>`}</p>
            <h2><span class="sr" data-status>${read ? 'Read' : 'Unread'}: </span><span data-title>${title}</span></h2>
            <p data-text>${text}</p>
          </div>
          ${
            !isFixed &&
            html`<form class="buttons" method="post" action="/notifications"><input type="hidden" name="id" value="${id}">${showField(unreadOnly)}
            <button class="button quiet" name="do" value="${read ? 'unread' : 'read'}" aria-label="Mark as ${read ? 'unread' : 'read'}: ${title}" data-mark>Mark as ${read ? 'unread' : 'read'}</button>
            <button class="button quiet" name="do" value="dismiss" aria-label="Remove: ${title}" data-dismiss>Remove</button></form>`
          }
        </li>`;
}

/** Goes back to the list that somebody looked at. @param {boolean} unreadOnly */
export function showField(unreadOnly) {
  return unreadOnly && html`<input type="hidden" name="show" value="unread">`;
}
