// @ts-check
import { GROUPS, NOTICES } from './catalogue.js';

/** @typedef {{ id: string, title: string, text: string, seen: boolean }} Notice
 *  @typedef {import('sessionwise').SessionHandle} SessionHandle */

const MOST_FROM_GROUPS = 20;

/**
 * The shop's own notices and those of the groups' lists, with what this session has read. `known` is false where the
 * service did not answer: then the shop's own are still there, all as unread, for nobody knows which were read.
 * @param {SessionHandle | undefined} handle
 * @returns {Promise<{ notices: Notice[], known: boolean }>}
 */
export async function noticesFor(handle) {
  const [own, ofGroups] = await Promise.all([
    handle?.notices.list(NOTICES),
    handle?.notices.list({ groups: GROUPS, limit: MOST_FROM_GROUPS }),
  ]);
  const known = own !== undefined && ofGroups !== undefined;
  /** @type {Map<string, Notice>} */
  const notices = new Map();
  for (const { id, title, text, seen } of [...(ofGroups ?? []), ...(own ?? NOTICES.map(unread))]) {
    const key = String(id);
    if (notices.has(key)) continue;
    notices.set(key, {
      id: key,
      title: String(title ?? 'For our customers'),
      text: String(text ?? ''),
      seen: known && seen,
    });
  }
  return { notices: [...notices.values()], known };
}

/** How many are unread; undefined where nobody knows. @param {SessionHandle | undefined} handle */
export async function unreadFor(handle) {
  const { notices, known } = await noticesFor(handle);
  return known ? notices.filter(({ seen }) => !seen).length : undefined;
}

/** @param {{ id: string, title: string, text: string }} notice @returns {import('sessionwise').Notification} */
function unread(notice) {
  return { ...notice, seen: false };
}
