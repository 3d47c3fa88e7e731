import { Keys } from '../../redis/index.ts';

/* key-patterns.ts: which keys are which, as patterns of Redis.
 *
 * A `*` of Redis runs across colons, and a notice's group may be called nearly anything: `sw:{*}:*:a*` would also match
 * `sw:{...}:@group:abc:l`. So a tag is given its length, and a session a beginning that no `@group` and no `@due` has. */

const TAG = '{???}';
const SESSION = 'session';
const ANY_SESSION = '[^@]*';

/** The keys of one namespace, by what they hold. */
export interface KeyPatterns {
  /** Every key of the namespace. */
  readonly everything: string;
  /** Session data. */
  readonly records: string;
  /** Session data as they were before a rotation with a grace. */
  readonly recordsBefore: string;
  /** Where a session's facts are: how many views, and the names of its days. */
  readonly facts: string;
  /** All that is calculated about sessions, the facts included. */
  readonly calculated: readonly string[];
  readonly seenPages: string;
  readonly pageCounts: string;
  readonly days: string;
  readonly due: string;
  readonly ended: string;
  /** Ended sessions that could not be archived yet. */
  readonly failed: string;
  readonly archiving: string;
  /** The sessions of users. */
  readonly users: string;
  readonly lifecycle: string;
  /** In a Cluster: lifecycle events on their way. */
  readonly outboxes: string;
  readonly moved: string;
  readonly absent: string;
  readonly sweepLease: string;
  readonly archiveLease: string;
  /** The streams of requests. */
  readonly requests: string;
}

/** @throws RangeError for a namespace that cannot be used. */
export function keyPatternsOf(namespace: string): KeyPatterns {
  const keys = new Keys(namespace);
  const ofAnySession = (key: string): string => ofAnyTag(key).replace(`:${SESSION}:`, `:${ANY_SESSION}:`);
  const ended = ofAnyTag(keys.ended(0));
  const days = `${ofAnySession(keys.activity(SESSION))}[0-9]*`;
  return {
    everything: keys.everything(),
    records: ofAnySession(keys.record(SESSION)),
    recordsBefore: ofAnySession(keys.recordBefore(SESSION)),
    facts: ofAnySession(keys.counters(SESSION)),
    calculated: [...keys.all(SESSION).map(ofAnySession), days],
    seenPages: ofAnySession(keys.seenItems(SESSION, 'page')),
    pageCounts: ofAnySession(keys.uniqueCount(SESSION, 'page')),
    days,
    due: ofAnyTag(keys.due(0)),
    ended,
    failed: ended.replace('@ended', '@failed'),
    archiving: ofAnyTag(keys.archiving(0)),
    users: `${ofAnyTag(keys.userSessions('tag'))}*`,
    lifecycle: keys.lifecycle(),
    outboxes: ofAnyTag(keys.outbox(0)),
    moved: keys.moved(),
    absent: ofAnyTag(keys.absent(0)),
    sweepLease: keys.lease('sweep'),
    archiveLease: keys.lease('archive'),
    requests: ofAnyTag(keys.requests(0)),
  };
}

function ofAnyTag(key: string): string {
  return key.replace(/\{\w+\}/, TAG);
}
