/* tries.ts: what is known against an entry: how often a try of it failed, and which tries are under way or ended with
 * their process. Kept as text, `<failed> <token> <token> ...`, in one field of the partition's hash.
 *
 * A mark is set before the try is made and taken back by its own process when the try has ended in any way, whoever owns
 * the partition by then. So a mark that stays says that its process died, or that it still tries; which of the two, the
 * heartbeats tell. */

/** What is known against an entry. */
export interface Tries {
  /** Tries that failed, or did not end, while their process lived. */
  readonly failed: number;
  /** Tokens of the ownerships whose tries are under way or ended with their process. */
  readonly underWay: readonly string[];
}

/** Nothing is known. */
export const NO_TRIES: Tries = { failed: 0, underWay: [] };

/** Reads the text of a field. Of another form, it says nothing. */
export function parseTries(text: string): Tries {
  const [failed, ...underWay] = text.split(' ');
  return /^\d{1,9}$/.test(failed!) ? { failed: Number(failed), underWay } : NO_TRIES;
}

/** The instance that a token belongs to. */
export function instanceOf(token: string): string {
  return token.slice(0, token.indexOf(':'));
}
