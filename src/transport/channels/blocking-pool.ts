import { setTimeout as pause } from 'node:timers/promises';
import type { RedisConnection } from '../../redis/index.ts';

/** A connection that waits for one list at a time, and its id for CLIENT UNBLOCK. */
interface Lane {
  readonly connection: RedisConnection;
  id: string | undefined;
  /** Whether it was never offered to a request. */
  isNew: boolean;
}

// BLPOP's own timeout is too coarse for a deadline (measured: 102 to 200 ms for 0.1 s). It only ends a wait whose
// UNBLOCK was lost.
const BLPOP_SLACK_SECONDS = 1;
const IDENTIFY_RETRY_MS = 50;

/** A wait for one list that can be cancelled. */
export interface ListWait {
  /** The element; undefined if the wait was cancelled or the connection was lost. */
  readonly element: Promise<string | undefined>;
  /** Cancels the wait. Safe at any time. */
  cancel(): void;
}

/** Connections for BLPOP: one request holds one of them while it waits, and the next request gets it only after both
 *  replies came, the BLPOP's and the CLIENT UNBLOCK's; else a late UNBLOCK would end the wait of the next request. */
export class BlockingPool {
  readonly #control: RedisConnection;
  readonly #size: number;
  readonly #lanes: Lane[] = [];
  readonly #free: Lane[] = [];
  readonly #queue: ((lane: Lane | undefined) => void)[] = [];
  #closed = false;

  /** `control` sends CLIENT UNBLOCK, and the pool's connections share its options. They are made when needed. */
  constructor(control: RedisConnection, size: number) {
    this.#control = control;
    this.#size = size;
  }

  /** Connections made so far. */
  get size(): number {
    return this.#lanes.length;
  }

  /** A free connection within `deadlineMs`, or undefined. */
  acquire(deadlineMs: number): Promise<Lane | undefined> {
    const lane = this.#takeFree();
    if (lane) return Promise.resolve(lane);
    if (this.#lanes.length < this.#size) this.#addLane();
    return new Promise((resolve) => {
      const waiter = (granted: Lane | undefined): void => {
        clearTimeout(timer);
        resolve(granted);
      };
      const timer = setTimeout(() => {
        const at = this.#queue.indexOf(waiter);
        if (at >= 0) this.#queue.splice(at, 1);
        resolve(undefined);
      }, deadlineMs);
      this.#queue.push(waiter);
    });
  }

  /** Waits on `key` over an acquired connection and gives the connection back by itself. */
  wait(lane: Lane, key: string, deadlineMs: number): ListWait {
    const seconds = Math.ceil(deadlineMs / 1000) + BLPOP_SLACK_SECONDS;
    let unblocked: Promise<unknown> | undefined;
    let settled = false;
    const popped = lane.connection.command<[string, string] | null>('BLPOP', key, String(seconds));
    const element = popped.then(
      (reply) => reply?.[1],
      () => undefined,
    );
    void element.then(async () => {
      settled = true;
      await unblocked?.catch(() => undefined);
      this.#release(lane);
    });
    return {
      element,
      cancel: () => {
        if (settled || unblocked || lane.id === undefined) return;
        unblocked = this.#control.command('CLIENT', 'UNBLOCK', lane.id);
        unblocked.catch(() => undefined);
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiter of this.#queue.splice(0)) waiter(undefined);
    for (const { connection } of this.#lanes) connection.destroy();
  }

  #addLane(): void {
    const lane: Lane = { connection: this.#control.duplicate('sessionwise-blpop'), id: undefined, isNew: true };
    this.#lanes.push(lane);
    lane.connection.on('lost', () => {
      lane.id = undefined;
    });
    lane.connection.on('ready', () => void this.#identify(lane));
    lane.connection.open();
  }

  // Redis may refuse it for a while (BUSY). Where the connection is lost meanwhile, its next `ready` asks again.
  async #identify(lane: Lane): Promise<void> {
    while (!this.#closed && lane.connection.isReady && lane.id === undefined) {
      const id = await lane.connection.command<number>('CLIENT', 'ID').catch(() => undefined);
      if (id === undefined) await pause(IDENTIFY_RETRY_MS);
      else if (lane.id === undefined) {
        lane.id = String(id);
        // Later, a lane that was lost while it waited has been released by that wait's own rejection.
        if (lane.isNew) this.#release(lane);
        else this.#serveQueue();
        lane.isNew = false;
      }
    }
  }

  #takeFree(): Lane | undefined {
    const at = this.#free.findLastIndex(({ connection, id }) => connection.isReady && id !== undefined);
    return at < 0 ? undefined : this.#free.splice(at, 1)[0];
  }

  #release(lane: Lane): void {
    if (this.#closed) return;
    this.#free.push(lane);
    this.#serveQueue();
  }

  #serveQueue(): void {
    while (this.#queue.length > 0) {
      const lane = this.#takeFree();
      if (!lane) return;
      this.#queue.shift()!(lane);
    }
  }
}
