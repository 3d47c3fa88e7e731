import { SerialQueue } from '../../async/index.ts';

/* retry-order.ts: keeps the order of a session's requests while one of them is sent again.
 *
 * One connection sends in order. If it is lost, a must-keep command is sent again a while later, and newer requests of
 * the session would come before it. So after a first failure all further requests of the session wait until the retry
 * has ended. Without a failure no request waits. */

/** Keeps requests of a session in line behind one that is sent again. */
export class RetryOrder {
  readonly #queue = new SerialQueue();

  /** Sessions with a line. */
  get size(): number {
    return this.#queue.size;
  }

  /** Whether a request of this session is being sent again. */
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
