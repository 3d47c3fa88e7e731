/* tries.ts: the tries of an entry: how many failed, and which are in flight or were in flight when their process crashed.
 * Kept as text, `<failed> <token> <token> ...`, in one field of the partition's hash.
 *
 * A mark is set before the try is made. Its own process takes it back when the try has ended in any way, whichever
 * instance owns the partition by then. So a mark stays only while its process tries, or after that process crashed; the
 * heartbeats show which of the two. */

/** The tries of an entry. */
export interface Tries {
  /** Tries that failed, or did not end, while their process lived. */
  readonly failed: number;
  /** Tokens of the ownerships whose tries are in flight, or were when their process crashed. */
  readonly inFlight: readonly string[];
}

/** Of an entry that was not tried. */
export const NO_TRIES: Tries = { failed: 0, inFlight: [] };

/** Reads the text of a field. A malformed text counts as no tries. */
export function parseTries(text: string): Tries {
  const [failed, ...inFlight] = text.split(' ');
  return /^\d{1,9}$/.test(failed!) ? { failed: Number(failed), inFlight } : NO_TRIES;
}

/** Reads the instance off a token. */
export function instanceOf(token: string): string {
  return token.slice(0, token.indexOf(':'));
}
