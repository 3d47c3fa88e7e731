import { Keys } from '../../redis/index.ts';

/* key-patterns.ts: patterns for each kind of key.
 *
 * A `*` in a pattern also matches colons, and a notice's group can have nearly any name: `sw:{*}:*:a*` would also match
 * `sw:{...}:@group:abc:l`. So the pattern of a tag has the tag's length, and that of a session excludes a leading
 * `@`. */

const TAG = '{???}';
const SESSION = 'session';
const ANY_SESSION = '[^@]*';

/** Key patterns of one namespace, by the data under the keys. */
export interface KeyPatterns {
  /** Every key of the namespace. */
  readonly everything: string;
  /** Session data. */
  readonly records: string;
  /** Copies of session data from before a rotation with a grace. */
  readonly recordsBefore: string;
  /** Last copies of sessions for connect-redis. */
  readonly mirrorBases: string;
  /** The records of subjects. */
  readonly subjects: string;
  /** All calculated data of sessions, the records of subjects included. */
  readonly calculated: readonly string[];
  readonly pageCounts: string;
  readonly due: string;
  readonly ended: string;
  /** Ended sessions that could not be archived yet. */
  readonly failed: string;
  readonly archiving: string;
  /** The indexes of users' sessions. */
  readonly users: string;
  readonly lifecycle: string;
  /** What happens with notices. */
  readonly live: string;
  /** In a Cluster: lifecycle events that are not yet in the stream. */
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
  return {
    everything: keys.everything(),
    records: ofAnySession(keys.record(SESSION)),
    recordsBefore: ofAnySession(keys.recordBefore(SESSION)),
    mirrorBases: ofAnySession(keys.mirrorBase(SESSION)),
    subjects: ofAnySession(keys.subject(SESSION)),
    calculated: keys.all(SESSION).map(ofAnySession),
    pageCounts: ofAnySession(keys.uniqueCount(SESSION, 'page')),
    due: ofAnyTag(keys.due(0)),
    ended,
    failed: ended.replace('@ended', '@failed'),
    archiving: ofAnyTag(keys.archiving(0)),
    users: `${ofAnyTag(keys.userSessions('tag'))}*`,
    lifecycle: keys.lifecycle(),
    live: keys.live(),
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

/** Escapes the special characters of patterns: in a prefix they stand for themselves. */
export function escapedPrefix(prefix: string): string {
  return prefix.replace(/[\\*?[\]^]/g, '\\$&');
}
