import { type Keys, PARTITION_TAGS, type RedisConnection } from '../../redis/index.ts';
import { clearOutbox } from './scripts/clear-outbox.ts';
import { moveEvents } from './scripts/move-events.ts';
import type { UserIndex } from './user-index.ts';

const AT_ONCE = 100;

/** Field for the mover only: the user whose index may need cleaning. It does not reach the stream. */
const USER = '@user';

/* outbox.ts: lifecycle events in a Cluster.
 *
 * A step that ends a session reaches the session's slot only, and the stream `<ns>:lifecycle` lies in another. So the
 * step writes the event into a stream beside the record: it survives a crash of the process. The process moves the event
 * right afterwards; the sweepers move the rest. Several processes may move the same events: the step that appends to the
 * stream skips those that are there. It can forget that (10,000 events later, or by a failover), and then an event stands
 * there twice, with the same `id`. The events of a partition keep their order. */

/** Moves the lifecycle events of a Cluster's partitions into the namespace's stream. */
export class Outbox {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #index: UserIndex;
  readonly #lifecycleLength: number;
  /** Partitions whose events are being moved in the background, and whether more have come since. */
  readonly #moving = new Map<number, { hasMore: boolean; readonly done: Promise<void> }>();

  constructor(redis: RedisConnection, keys: Keys, index: UserIndex, lifecycleLength: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#index = index;
    this.#lifecycleLength = lifecycleLength;
  }

  /** Moves a partition's events in the background; the sweepers move those that fail. */
  moveSoon(partition: number): void {
    const moving = this.#moving.get(partition);
    if (moving) {
      moving.hasMore = true;
      return;
    }
    const done = this.move(partition).then(
      () => this.#moved(partition),
      () => this.#moving.delete(partition),
    );
    this.#moving.set(partition, { hasMore: false, done: done.then(() => undefined) });
  }

  /** Resolves when no move in the background is running. */
  async idle(): Promise<void> {
    while (this.#moving.size > 0) await Promise.all([...this.#moving.values()].map(({ done }) => done));
  }

  /** Moves a partition's events. Returns how many entries stay: those whose user's index cannot be reached.
   *  @throws the error of Redis or of the connection. */
  async move(partition: number): Promise<number> {
    const outbox = this.#keys.outbox(partition);
    let left = 0;
    for (let after = '-', count = AT_ONCE; count === AT_ONCE; ) {
      const entries = await this.#redis.command<[string, string[]][]>(
        ...['XRANGE', outbox, after, '+', 'COUNT', String(AT_ONCE)],
      );
      count = entries.length;
      after = `(${entries.at(-1)?.[0]}`;
      const events = entries.map(([id, fields]) => readEvent(`${PARTITION_TAGS[partition]}-${id}`, fields));
      if (count > 0) await this.#appendToLifecycle(events);
      const areSettled = await Promise.all(events.map((event) => this.#settleIndex(event)));
      const settled = entries.map(([id]) => id).filter((_, i) => areSettled[i]);
      left = await clearOutbox.run(this.#redis, { outbox }, {}, { args: settled });
    }
    return left;
  }

  #moved(partition: number): void {
    const hasMore = this.#moving.get(partition)?.hasMore;
    this.#moving.delete(partition);
    if (hasMore) this.moveSoon(partition);
  }

  async #appendToLifecycle(events: readonly OutboxEvent[]): Promise<void> {
    const args = events.flatMap(({ id, fields }) => [id, fields.length, ...fields]);
    const keys = { lifecycle: this.#keys.lifecycle(), moved: this.#keys.moved() };
    await moveEvents.run(this.#redis, keys, { lifecycleLength: this.#lifecycleLength }, { args });
  }

  async #settleIndex({ user, session }: OutboxEvent): Promise<boolean> {
    if (user === undefined) return true;
    return this.#index.removeStrangers(this.#redis, user, [this.#index.memberOf(session)]).then(
      () => true,
      () => false,
    );
  }
}

interface OutboxEvent {
  /** `<tag>-<id of the outbox entry>` */
  readonly id: string;
  readonly session: string;
  readonly user: string | undefined;
  /** Fields and values, as read from the stream. */
  readonly fields: readonly string[];
}

function readEvent(id: string, flat: readonly string[]): OutboxEvent {
  const fields: string[] = [];
  let [user, session] = [undefined as string | undefined, ''];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [name, value] = [flat[i]!, flat[i + 1]!];
    if (name === USER) {
      user = value;
      continue;
    }
    if (name === 'session') session = value;
    fields.push(name, value);
  }
  return { id, session, user, fields: [...fields, 'id', id] };
}
