import { checkNamespace } from '../protocol/index.ts';
import { CALCULATED_PARTS, PARTS, PERSON_PARTS, TAG_LENGTH } from './key-parts.ts';
import { PARTITION_TAGS, partitionOf } from './partition.ts';

// All in one slot, so that one script reads an hour; another one than that of the pairs.
const SITE_PARTITION = 1;

/** The kinds of items that a subject can have seen. */
export type SeenKind = 'page' | 'item';

/** Builds all keys of one namespace; only `keys-lua.ts` does the same, for scripts. `<ns>:{<tag>}:<session>:<part>`. The
 *  last part is short because every session stores it. */
export class Keys {
  readonly namespace: string;
  #session: string | undefined;
  #prefix = '';

  constructor(namespace: string) {
    this.namespace = checkNamespace(namespace);
  }

  /** The meta record: format, partitions, filter engine and fingerprint of the item key, as at the first start. */
  meta(): string {
    return `${this.namespace}:meta`;
  }

  /** The pattern of all keys of this namespace. */
  everything(): string {
    return `${this.namespace}:*`;
  }

  /** The record of a subject: one string with all small knowledge (docs/adr/0020). */
  subject(session: string): string {
    return `${this.#of(session)}:${PARTS.subject}`;
  }

  /** The seen filter of a kind, where the items have outgrown the record. */
  seenFilter(session: string, kind: SeenKind): string {
    return `${this.#of(session)}:${PARTS[kind]}`;
  }

  /** The number of different items of a kind: a HyperLogLog, beside a seen filter. */
  uniqueCount(session: string, kind: SeenKind): string {
    return `${this.#of(session)}:${PARTS[`${kind}Count`]}`;
  }

  /** Active minutes that have outgrown the record: a hash, UTC day (days since the epoch) -> bitmap. */
  days(session: string): string {
    return `${this.#of(session)}:${PARTS.days}`;
  }

  /** Seen notices of lists that are not stored here: a sorted set, the oldest first. */
  foreignNotices(session: string): string {
    return `${this.#of(session)}:${PARTS.foreignNotices}`;
  }

  /** What was done with the notices of lists: a hash, encrypted list -> states. */
  noticeStates(session: string): string {
    return `${this.#of(session)}:${PARTS.noticeStates}`;
  }

  /** The notices to this subject alone: a hash, see knowledge/notices/scripts/subject-scripts.ts. */
  ownNotices(session: string): string {
    return `${this.#of(session)}:${PARTS.ownNotices}`;
  }

  /** The claim of a session whose knowledge is a person's: a hash, "to" -> name of the person, "at" -> microseconds of the
   *  epoch, "dirty" -> a number that grows with each write (these microseconds, or one more), "clean" -> the number that was
   *  merged. */
  claim(session: string): string {
    return `${this.#of(session)}:${PARTS.claim}`;
  }

  /** What was merged into a person: a hash, source -> its views that were taken, and the day of its claim. */
  merged(person: string): string {
    return `${this.#of(person)}:${PERSON_PARTS.merged}`;
  }

  /** The filters that were merged into a person whole: a hash, kind and place -> source, a blank, and the subject for which
   *  its items are encrypted. */
  beside(person: string): string {
    return `${this.#of(person)}:${PERSON_PARTS.beside}`;
  }

  /** A filter that was merged into a person whole; with `count`, the unique count beside it. */
  besideFilter(person: string, kind: SeenKind, place: number, count = false): string {
    return `${this.#of(person)}:x${PARTS[kind]}${place}${count ? 'u' : ''}`;
  }

  /** When a person was erased: microseconds of the epoch. */
  erased(person: string): string {
    return `${this.#of(person)}:${PERSON_PARTS.erased}`;
  }

  /** The claimed sessions of a partition: a sorted set, session -> milliseconds of the epoch at which to look at it. */
  merging(partition: number): string {
    return `${this.#partition(partition)}:@merging`;
  }

  /** All keys of calculated data that a session may have. */
  all(session: string): string[] {
    return CALCULATED_PARTS.map((part) => `${this.#of(session)}:${part}`);
  }

  /** The session record: one string, a header and the fields. */
  record(session: string): string {
    return `${this.#of(session)}:${PARTS.record}`;
  }

  /** The record as it was before a rotation with a grace period: the previous secret can read it until it expires. */
  recordBefore(session: string): string {
    return `${this.#of(session)}:${PARTS.recordBefore}`;
  }

  /** The last copy of a session that was written for connect-redis, while a store has `mirrorTo`: a hash, see
   *  sessions/mirror/scripts/copy-to-mirror.ts. */
  mirrorBase(session: string): string {
    return `${this.#of(session)}:${PARTS.mirrorBase}`;
  }

  /** The ends of a partition's sessions: a sorted set, session -> milliseconds of the epoch. */
  due(partition: number): string {
    return `${this.#partition(partition)}:@due`;
  }

  /** The ended sessions of a partition that wait for the archive: a sorted set, session -> milliseconds of the epoch at
   *  which it ended. */
  ended(partition: number): string {
    return `${this.#partition(partition)}:@ended`;
  }

  /** The mark that ended sessions of a partition must wait for an archive: a string that expires where no archive works
   *  for long. */
  archiving(partition: number): string {
    return `${this.#partition(partition)}:@archiving`;
  }

  /** The pending requests of a partition: a stream. */
  requests(partition: number): string {
    return `${this.#partition(partition)}:@requests`;
  }

  /** The instance that processes the requests of a partition: a string that expires. */
  owner(partition: number): string {
    return `${this.#partition(partition)}:@owner`;
  }

  /** The requests of a partition that were done recently: a sorted set, `<session>:<request id>` -> milliseconds of the
   *  epoch. */
  done(partition: number): string {
    return `${this.#partition(partition)}:@done`;
  }

  /** The failed tries of entries: a hash, entry -> text of `Tries`. */
  tries(partition: number): string {
    return `${this.#partition(partition)}:@tries`;
  }

  /** The dead letters of a partition: a bounded stream. */
  deadLetters(partition: number): string {
    return `${this.#partition(partition)}:@dead`;
  }

  /** The lifecycle events of sessions: a bounded stream. */
  lifecycle(): string {
    return `${this.namespace}:lifecycle`;
  }

  /** What happens with notices: a bounded stream, in the slot of `lifecycle`, so that one read waits for both. */
  live(): string {
    return `${this.namespace}:{${this.lifecycle()}}:@live`;
  }

  /** Whether pages listened in the last minutes: a string that expires. */
  listening(): string {
    return `${this.namespace}:@listening`;
  }

  /** In a Cluster: lifecycle events of a partition that are not yet in `lifecycle`, which is in another slot: a stream,
   *  mostly empty. */
  outbox(partition: number): string {
    return `${this.#partition(partition)}:@lifecycle`;
  }

  /** In a Cluster, in the slot of `lifecycle`: the entries of outboxes that were moved there last: a sorted set, the oldest
   *  first. */
  moved(): string {
    return `${this.namespace}:{${this.lifecycle()}}:@moved`;
  }

  /** Where a stream of a partition is written anew, in one step; it exists within that step only. */
  rewritten(partition: number): string {
    return `${this.#partition(partition)}:@rewritten`;
  }

  /** As `rewritten`, of the lifecycle stream. */
  rewrittenLifecycle(): string {
    return `${this.namespace}:{${this.lifecycle()}}:@rewritten`;
  }

  /** A key that never exists. While a slot moves from one master of a Cluster to another, a script with this key among
   *  its keys is refused as a whole (TRYAGAIN) and does not fail halfway. */
  absent(partition: number): string {
    return `${this.#partition(partition)}:@absent`;
  }

  /** The instances that process streams: a sorted set, instance -> its last sign of life by Redis's clock. */
  streamInstances(): string {
    return `${this.namespace}:@instances`;
  }

  /** The holder of the lease for a task that one process at a time does: a string that expires. */
  lease(task: 'sweep' | 'archive' | 'merge'): string {
    return `${this.namespace}:@lease:${task}`;
  }

  /** The sessions of a user: a sorted set, `<tag>:<session>` -> milliseconds of the epoch at which it ends. `user`: a
   *  `userReference`. */
  userSessions(user: string): string {
    return `${this.namespace}:{${user.slice(0, TAG_LENGTH)}}:@user:${user.slice(TAG_LENGTH)}`;
  }

  /** The sessions of a user that an erasure has begun with: a set. It is there until the erasure is done, so that one that was
   *  interrupted finds them again. */
  erasing(user: string): string {
    return `${this.userSessions(user)}:erasing`;
  }

  /** The notices of a list: a hash, number -> entry. `list`: the hash of the name of its group or segment. */
  noticeList(list: number): string {
    return `${this.#list(list)}:l`;
  }

  /** When each number of a list was changed last: a sorted set, number -> revision. */
  noticeRevisions(list: number): string {
    return `${this.#list(list)}:r`;
  }

  /** A list's index: a hash with `seq`, the last number assigned, `rev`, the last revision, `run`, the server, `join`, and
   *  `i<id>` -> number per notice of the list. */
  noticeListIndex(list: number): string {
    return `${this.#list(list)}:x`;
  }

  /** The lists that contain a notice: a hash, hash of the list -> number. `notice`: the hash of its id. */
  noticeIndex(notice: number): string {
    return `${this.namespace}:{${PARTITION_TAGS[partitionOf(String(notice))]}}:@notice:${notice}`;
  }

  /** Those who saw or read a notice: a HyperLogLog. `notice`: the hash of its id. */
  noticeReach(notice: number, did: 'seen' | 'read'): string {
    return `${this.noticeIndex(notice)}:${did}`;
  }

  /** How many subjects saw and read a notice in each hour of a week: a hash, `seen` or `read` and the hour of the week ->
   *  number. `notice`: the hash of its id; `week`: weeks since the epoch. */
  noticeHours(notice: number, week: number): string {
    return `${this.noticeIndex(notice)}:hours:${week}`;
  }

  /** How many subjects saw two registered names in a week, for all pairs: a string of numbers, see
   *  knowledge/pairs/count-pairs-script.ts. `week`: weeks since the epoch. */
  pairCounts(week: number): string {
    return `${this.namespace}:{${PARTITION_TAGS[0]}}:@pairs:${week}`;
  }

  /** The rows of the names in `pairCounts`: a hash, hash of the name -> row. */
  pairNames(week: number): string {
    return `${this.pairCounts(week)}:names`;
  }

  /** How often suggestions were marked in all: a hash, keyed hash of the rule, a colon and the mark -> number. */
  ruleMarks(): string {
    return `${this.namespace}:@rules`;
  }

  /** The subjects for which a segment held on a day: a HyperLogLog. `segment`: the hash of its name; `day`: days of UTC since
   *  the epoch. */
  segmentSubjects(segment: number, day: number): string {
    return `${this.namespace}:{${PARTITION_TAGS[partitionOf(String(segment))]}}:@segment:${segment}:${day}`;
  }

  /** Counts of the whole site in a minute: a hash, see knowledge/site/site-scripts.ts. `minute`: minutes since the epoch. */
  siteMinute(minute: number): string {
    return `${this.#partition(SITE_PARTITION)}:@site:${minute}`;
  }

  /** Those who were active on the site in a minute: a HyperLogLog. */
  siteVisitors(minute: number, of: 'sessions' | 'persons'): string {
    return `${this.siteMinute(minute)}:${of[0]}`;
  }

  /** The registered names that the counts of the site have fields for: a hash, field -> sealed name. */
  siteNames(): string {
    return `${this.#partition(SITE_PARTITION)}:@site:names`;
  }

  #partition(partition: number): string {
    return `${this.namespace}:{${PARTITION_TAGS[partition]}}`;
  }

  // No session begins with `@`.
  #list(list: number): string {
    return `${this.namespace}:{${PARTITION_TAGS[partitionOf(String(list))]}}:@list:${list}`;
  }

  // Callers ask for several keys of the same session in a row.
  #of(session: string): string {
    if (session !== this.#session) {
      this.#session = session;
      this.#prefix = `${this.namespace}:{${PARTITION_TAGS[partitionOf(session)]}}:${session}`;
    }
    return this.#prefix;
  }
}
