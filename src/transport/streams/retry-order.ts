import { SerialQueue } from '../../async/index.ts';

/* retry-order.ts: what follows a mark that is sent again must not overtake it.
 *
 * One connection sends in order; but where it is lost, what must be kept is sent again a while later, and what the
 * session asks meanwhile would come before it. So from a first failure on, all that follows for the session stands in
 * line until the retry is settled. Where nothing failed, nothing waits. */

/** Keeps requests of a session in line behind one that is sent again. */
export class RetryOrder {
  readonly #queue = new SerialQueue();

  /** Sessions with a line. */
  get size(): number {
    return this.#queue.size;
  }

  /** Whether something of this session is being sent again. */
  isHeld(session: string): boolean {
    return this.#queue.last(session) !== undefined;
  }

  /** Joins the session's line. `before` settles when it is this request's turn; undefined if the line is empty. `leave` lets
   *  the next request go; it may be called at any time, and a turn that ends early keeps the order. */
  join(session: string): { readonly before: Promise<unknown> | undefined; leave(): void } {
    const before = this.#queue.last(session);
    let leave!: () => void;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    void this.#queue.run(session, () => left);
    return { before, leave };
  }
}
