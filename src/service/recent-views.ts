const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 10_000;

/** Remembers the views that named themselves (`once`), for a minute and at most 10,000. So a message that a browser or a
 *  proxy sends again counts once, as long as the same instance serves the subject. */
export class RecentViews {
  // In the order in which they came.
  readonly #cameAt = new Map<string, number>();

  /** Notes a view of a subject. Returns false where it was noted before. */
  begin(subject: string, once: string): boolean {
    const now = performance.now();
    for (const [view, cameAt] of this.#cameAt) {
      if (now - cameAt < REMEMBERED_MS && this.#cameAt.size < MOST_REMEMBERED) break;
      this.#cameAt.delete(view);
    }
    const view = viewOf(subject, once);
    if (this.#cameAt.has(view)) return false;
    this.#cameAt.set(view, now);
    return true;
  }

  /** Forgets a view that was not recorded: it may come again. */
  forget(subject: string, once: string): void {
    this.#cameAt.delete(viewOf(subject, once));
  }
}

// No subject has a blank.
function viewOf(subject: string, once: string): string {
  return `${subject} ${once}`;
}
