// @ts-check
import { NOTICES } from './catalogue.js';

/** @typedef {import('sessionwise').SessionHandle} SessionHandle
 *  @typedef {import('sessionwise').NoticeSeverity} NoticeSeverity */
/** A notice as somebody sees it.
 *  @typedef {object} Notice
 *  @property {string} id
 *  @property {string} title
 *  @property {string} text
 *  @property {NoticeSeverity} severity
 *  @property {boolean} read
 *  @property {boolean} isOwn Whether it is for this customer alone.
 *  @property {number | undefined} at Since when it is shown. */
/** A part of somebody's notices.
 *  @typedef {object} NoticesPage
 *  @property {Notice[]} notices
 *  @property {boolean} known Whether the service answered. Else these are the shop's own, all as unread, for nobody knows
 *    which were read.
 *  @property {number} unread How many of all are unread.
 *  @property {boolean} isMuted Whether those to all customers are muted.
 *  @property {string | undefined} before Asks for those before. */
/** @typedef {object} NoticesQuery
 *  @property {boolean} unreadOnly
 *  @property {string | undefined} before */

const MOST_ON_A_PAGE = 20;

/** @param {SessionHandle} handle @param {NoticesQuery} query @returns {Promise<NoticesPage>} */
export async function noticesFor(handle, { unreadOnly, before }) {
  const reply = await handle.notices.list({ unreadOnly, limit: MOST_ON_A_PAGE, ...(before && { before }) });
  if (!reply) {
    const notices = NOTICES.map((notice) => ({ ...notice, read: false, isOwn: false, at: undefined }));
    return { notices, known: false, unread: notices.length, isMuted: false, before: undefined };
  }
  return {
    notices: reply.notices.map(({ id, title, text, severity = 'info', read, group, segment, at }) => {
      const isOwn = group === undefined && segment === undefined;
      return { id, title: title ?? (isOwn ? 'For you' : 'For our customers'), text, severity, read, isOwn, at };
    }),
    known: true,
    unread: reply.unread,
    isMuted: reply.muted.length > 0,
    before: reply.before ?? undefined,
  };
}

/** How many have come since somebody last looked at the list; undefined where nobody knows.
 *  @param {SessionHandle | undefined} handle */
export async function unseenFor(handle) {
  return (await handle?.notices.counts())?.unseen;
}
