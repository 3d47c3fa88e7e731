import { checkNamespace } from '../protocol/index.ts';
import { PARTITION_TAGS, partitionOf } from './partition.ts';

/** What can be seen, kept apart: the same string as a page and as a notice are two things. */
export type ItemKind = 'page' | 'item' | 'notice';

const TAG_LENGTH = 3;

/** What a session's keys end with, but for its day keys, which end with `a<day>`. */
const PARTS = {
  record: 's',
  recordBefore: 'sb',
  counters: 'v',
  page: 'p',
  pageCount: 'pu',
  item: 'i',
  itemCount: 'iu',
  foreignNotices: 'n',
  noticeRings: 'g',
} as const;
const CALCULATED = Object.values(PARTS).filter((part) => part !== PARTS.record && part !== PARTS.recordBefore);

/** The same names for scripts that reach keys which they learn only as they run: `tag_of(key)`, `session_key(ns, tag,
 *  session, part)`, `partition_key(ns, tag, what)` for `due`, `ended`, `failed` and `archiving`, `user_key(ns,
 *  user)`. */
export const KEYS_LUA: string = `
local function tag_of(key)
  return string.match(key, '{(%w+)}')
end

local function session_key(ns, tag, session, part)
  return ns .. ':{' .. tag .. '}:' .. session .. ':' .. part
end

local function partition_key(ns, tag, what)
  return ns .. ':{' .. tag .. '}:@' .. what
end

local function user_key(ns, user)
  return ns .. ':{' .. string.sub(user, 1, ${TAG_LENGTH}) .. '}:@user:' .. string.sub(user, ${TAG_LENGTH + 1})
end
`;

/** `calculated_keys(ns, tag, session)`, where all that was calculated about a session can be, and
 *  `forget_calculated(ns, tag, session)`, which deletes it. Needs KEYS_LUA. */
export const FORGET_LUA: string = `
local function calculated_keys(ns, tag, session)
  local keys = {}
  for _, field in ipairs(redis.call('HKEYS', session_key(ns, tag, session, '${PARTS.counters}'))) do
    if string.sub(field, 1, 1) == 'd' then
      keys[#keys + 1] = session_key(ns, tag, session, 'a' .. string.sub(field, 2))
    end
  end
  for part in string.gmatch('${CALCULATED.join(' ')}', '%w+') do
    keys[#keys + 1] = session_key(ns, tag, session, part)
  end
  return keys
end

local function forget_calculated(ns, tag, session)
  redis.call('UNLINK', unpack(calculated_keys(ns, tag, session)))
end
`;

/** Names all keys of one namespace; no other place builds a key. `<ns>:{<tag>}:<session>:<what>`.
 *  The last part is short because every session pays for it. */
export class Keys {
  readonly namespace: string;
  #session: string | undefined;
  #prefix = '';

  constructor(namespace: string) {
    this.namespace = checkNamespace(namespace);
  }

  /** What this namespace was made with: format, partitions, filter engine, fingerprint of the item key. */
  meta(): string {
    return `${this.namespace}:meta`;
  }

  /** Everything that this namespace keeps begins with it. */
  everything(): string {
    return `${this.namespace}:*`;
  }

  /** A hash: `v`, all page views, and a field `d<day>` per day key. */
  counters(session: string): string {
    return `${this.#of(session)}:${PARTS.counters}`;
  }

  /** What of a kind was seen: a set while it is small, a seen filter when it is large. */
  seenItems(session: string, kind: 'page' | 'item'): string {
    return `${this.#of(session)}:${PARTS[kind]}`;
  }

  /** How many different ones of a kind: a HyperLogLog, beside a seen filter only. */
  uniqueCount(session: string, kind: 'page' | 'item'): string {
    return `${this.#of(session)}:${PARTS[`${kind}Count`]}`;
  }

  /** The bitmap of one UTC day (days since the epoch); without a day, the beginning that all of them share. */
  activity(session: string, day: number | '' = ''): string {
    return `${this.#of(session)}:a${day}`;
  }

  /** Notices marked as seen whose list somebody else keeps: a sorted set, the oldest first. */
  foreignNotices(session: string): string {
    return `${this.#of(session)}:${PARTS.foreignNotices}`;
  }

  /** Read state of the groups' lists: a hash, group -> ring. */
  noticeRings(session: string): string {
    return `${this.#of(session)}:${PARTS.noticeRings}`;
  }

  /** All that may exist of a session beside its day keys. */
  all(session: string): string[] {
    return [
      this.counters(session),
      this.seenItems(session, 'page'),
      this.uniqueCount(session, 'page'),
      this.seenItems(session, 'item'),
      this.uniqueCount(session, 'item'),
      this.foreignNotices(session),
      this.noticeRings(session),
    ];
  }

  /** Session data: one string, a header and the fields. */
  record(session: string): string {
    return `${this.#of(session)}:${PARTS.record}`;
  }

  /** The record as it was before a rotation with a grace: what the previous secret can read until it expires. */
  recordBefore(session: string): string {
    return `${this.#of(session)}:${PARTS.recordBefore}`;
  }

  /** When the sessions of a partition end: a sorted set, session -> milliseconds of the epoch. */
  due(partition: number): string {
    return `${this.#partition(partition)}:@due`;
  }

  /** The sessions of a partition that have ended and wait for the archive: a sorted set, session -> when they ended. */
  ended(partition: number): string {
    return `${this.#partition(partition)}:@ended`;
  }

  /** Whether the ended sessions of a partition are kept for an archive: a string that expires when nobody has archived
   *  for long. */
  archiving(partition: number): string {
    return `${this.#partition(partition)}:@archiving`;
  }

  /** Requests of a partition that are not done yet: a stream. */
  requests(partition: number): string {
    return `${this.#partition(partition)}:@requests`;
  }

  /** Who works off the requests of a partition now: a string that expires. */
  owner(partition: number): string {
    return `${this.#partition(partition)}:@owner`;
  }

  /** The requests of a partition that were done lately: a sorted set, `<session>:<request id>` -> milliseconds of the
   *  epoch. */
  done(partition: number): string {
    return `${this.#partition(partition)}:@done`;
  }

  /** What is known against entries that were tried: a hash, entry -> text of `Tries`. */
  tries(partition: number): string {
    return `${this.#partition(partition)}:@tries`;
  }

  /** Requests that were given up: a bounded stream. */
  deadLetters(partition: number): string {
    return `${this.#partition(partition)}:@dead`;
  }

  /** What happened to sessions: a bounded stream. */
  lifecycle(): string {
    return `${this.namespace}:lifecycle`;
  }

  /** In a Cluster: what happened to the sessions of a partition and is not yet in `lifecycle`, which lies in another
   *  slot: a stream that is empty mostly. */
  outbox(partition: number): string {
    return `${this.#partition(partition)}:@lifecycle`;
  }

  /** In a Cluster, in the slot of `lifecycle`: which entries of outboxes came there last: a sorted set, the oldest first. */
  moved(): string {
    return `${this.namespace}:{${this.lifecycle()}}:@moved`;
  }

  /** A key that never exists. A script that is given it beside others is refused as a whole (TRYAGAIN) while its slot
   *  moves from one master of a Cluster to another, and does not fail halfway. */
  absent(partition: number): string {
    return `${this.#partition(partition)}:@absent`;
  }

  /** The instances that work off streams: a sorted set, instance -> when it last said so, by Redis's clock. */
  streamInstances(): string {
    return `${this.namespace}:@instances`;
  }

  /** Who may do a task that one at a time does: a string that expires. */
  lease(task: 'sweep' | 'archive'): string {
    return `${this.namespace}:@lease:${task}`;
  }

  /** The sessions of a user: a sorted set, `<tag>:<session>` -> when it ends. `user`: a `userReference`. */
  userSessions(user: string): string {
    return `${this.namespace}:{${user.slice(0, TAG_LENGTH)}}:@user:${user.slice(TAG_LENGTH)}`;
  }

  /** A group's list of notices, the newest first. */
  groupList(group: string): string {
    return `${this.#group(group)}:l`;
  }

  /** A group's hash: `seq`, the last number given, and `i<id>` -> number for what the list holds. */
  groupIndex(group: string): string {
    return `${this.#group(group)}:x`;
  }

  /** Which groups hold a notice: a hash, group -> number. Named by the notice's item key, not by its id. */
  noticeIndex(noticeKey: string): string {
    return `${this.namespace}:{${PARTITION_TAGS[partitionOf(noticeKey)]}}:@notice:${noticeKey}`;
  }

  #partition(partition: number): string {
    return `${this.namespace}:{${PARTITION_TAGS[partition]}}`;
  }

  // No session begins with `@`.
  #group(group: string): string {
    return `${this.namespace}:{${PARTITION_TAGS[partitionOf(group)]}}:@group:${group}`;
  }

  // The keys of a session are asked for one after another.
  #of(session: string): string {
    if (session !== this.#session) {
      this.#session = session;
      this.#prefix = `${this.namespace}:{${PARTITION_TAGS[partitionOf(session)]}}:${session}`;
    }
    return this.#prefix;
  }
}

/** A key in the slot of `neighbour`, for one script's passing use. */
export function scratchKey(neighbour: string): string {
  return `${neighbour}:scratch`;
}
