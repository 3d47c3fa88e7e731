// @ts-check
/** @import { Page } from './page-log.js' */
/** What an erasure deleted, by kind; see `ErasedSubject` of `sessionwise/service`.
 *  @typedef {{ readonly sessions: number, readonly knowledge: number }} Erased */
/** @typedef {(subject: { session: string } | { user: string }) => Promise<Erased>} Forget */

/** Forgets whoever asked for these pages: the visitor, the session with the cart, and the person behind a login.
 *  @param {readonly Page[]} pages @param {Forget} forget */
export async function forgetVisitor(pages, forget) {
  // A person's id ends in an underscore, and is erased by the user's name.
  const visitors = pages.map(({ subject }) => subject).filter((id) => id !== undefined && !id.endsWith('_'));
  const sessions = new Set([...visitors, ...pages.map(({ session }) => session)]);
  const users = new Set(pages.map(({ user }) => user));
  const erased = { sessions: 0, knowledge: 0 };
  const add = (/** @type {Erased} */ { sessions, knowledge }) => {
    erased.sessions += sessions;
    erased.knowledge += knowledge;
  };
  for (const session of sessions) if (session !== undefined) add(await forget({ session }));
  for (const user of users) if (user !== undefined) add(await forget({ user }));
  return erased;
}
