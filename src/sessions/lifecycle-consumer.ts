import {
  type ConsumedEvent,
  type ConsumeOptions,
  checkConsumeOptions,
  type EventGap,
  StreamConsumer,
  type StreamEntry,
} from '../consumers/index.ts';
import type { Keys, RedisConnection } from '../redis/index.ts';
import type { EndReason } from './users/user-sessions.ts';

/** An event of a session's life, as a consumer gets it. No event names a user: `userOf` does, of a living session. */
export type LifecycleEvent = PlainSessionEvent | SessionEndedEvent | EventGap;

/** A session was saved first, given to a user, or got another token; its time was over; or the archive has it. */
export interface PlainSessionEvent extends ConsumedEvent {
  readonly event: 'created' | 'identified' | 'rotated' | 'expired' | 'archived';
  /** The session's public id. */
  readonly session: string;
}

/** A session was ended. */
export interface SessionEndedEvent extends ConsumedEvent {
  readonly event: 'ended';
  /** The session's public id. */
  readonly session: string;
  /** `erased`: by an erasure, which deletes the event a moment later. */
  readonly reason: EndReason | 'erased';
}

const WITHOUT_REASON = ['created', 'identified', 'rotated', 'expired', 'archived'] as const;
const WANTED = [...WITHOUT_REASON, 'ended'];

/** Makes a loop over lifecycle events; it begins with the first event that is asked for.
 *  @throws RangeError for options that cannot be used. */
export function consumeLifecycle(
  redis: RedisConnection,
  keys: Keys,
  options: ConsumeOptions,
): StreamConsumer<Exclude<LifecycleEvent, EventGap>> {
  return new StreamConsumer(
    {
      what: 'lifecycle events',
      stream: keys.lifecycle(),
      redis: () => redis,
      ownsRedis: false,
      wanted: WANTED,
      read: readEvent,
    },
    checkConsumeOptions('lifecycle()', options),
  );
}

// In a Cluster events come from the outboxes of partitions, and have the ids that they had there.
function readEvent({ id, fields, tries }: StreamEntry): Exclude<LifecycleEvent, EventGap> | undefined {
  const { event, session, reason, id: idOfOutbox = id } = fields;
  if (session === undefined) return undefined;
  const common = { id: idOfOutbox, session, at: Number.parseInt(id, 10), tries };
  if (event === 'ended') return { event, reason: (reason ?? 'destroyed') as SessionEndedEvent['reason'], ...common };
  const plain = WITHOUT_REASON.find((each) => each === event);
  return plain && { event: plain, ...common };
}
