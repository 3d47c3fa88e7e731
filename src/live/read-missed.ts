import type { Clock } from '../redis/index.ts';
import { isBefore, type LiveEvent } from './live-event.ts';
import type { LiveFeed } from './live-feed.ts';
import type { RecentEvents } from './recent-events.ts';
import type { VisitorStream } from './visitor-stream.ts';

/** A page listens so long behind its view at most, in milliseconds. */
const PAGE_MS = 10_000;

/** What happened to a visitor while the browser was away, or while its page was on its way. */
export interface Missed {
  /** The oldest first. */
  readonly events: readonly LiveEvent[];
  /** The last event that was looked at, whomever it concerned; undefined where the feed has no position yet. */
  readonly reached: string | undefined;
  /** Whether nothing is missing: Redis still kept all of it, and could be asked. */
  readonly isComplete: boolean;
}

/** Reads what a stream has missed, once its topics are known. Takes what the stream holds; what is held afterwards stands
 *  behind `reached`. `now`: the time by Redis's clock. Never throws. */
export async function readMissed(
  stream: VisitorStream,
  recent: RecentEvents,
  feed: LiveFeed,
  now: Clock,
): Promise<Missed> {
  const { resumesFrom } = stream;
  const from = resumesFrom?.id ?? stream.beganAt;
  const missed = from === undefined ? [] : (recent.since(from) ?? (await feed.since(from).catch(() => undefined)));
  // What came while it was asked stands behind it, or in it.
  const last = missed?.at(-1)?.id ?? from;
  const later = stream.held.splice(0).filter(({ id }) => last === undefined || isBefore(last, id));
  // A page's own view counts before the page listens.
  const before = resumesFrom || !from ? [] : recent.suggestedSince(now() - PAGE_MS, from);
  const topics = new Set(stream.topics);
  return {
    events: [...before, ...(missed ?? []), ...later].filter((event) => event.topics.some((topic) => topics.has(topic))),
    reached: later.at(-1)?.id ?? missed?.at(-1)?.id ?? feed.position,
    isComplete: missed !== undefined,
  };
}
