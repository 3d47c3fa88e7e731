import { checkNamespace } from '../protocol/index.ts';
import { PARTITION_TAGS, partitionOf } from './partition.ts';

/** What can be seen, kept apart: the same string as a page and as a notice are two things. */
export type ItemKind = 'page' | 'item' | 'notice';

/** Names all keys of one namespace; no other place builds a key. `<ns>:{<tag>}:<session>:<what>`.
 *  The last part is short because every session pays for it. */
export class Keys {
  readonly namespace: string;

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
  facts(session: string): string {
    return `${this.#of(session)}:v`;
  }

  /** What of a kind was seen: a set while it is small, a seen filter when it is large. */
  seenItems(session: string, kind: 'page' | 'item'): string {
    return `${this.#of(session)}:${kind === 'page' ? 'p' : 'i'}`;
  }

  /** How many different ones of a kind: a HyperLogLog, beside a seen filter only. */
  uniqueCount(session: string, kind: 'page' | 'item'): string {
    return `${this.#of(session)}:${kind === 'page' ? 'pu' : 'iu'}`;
  }

  /** The bitmap of one UTC day (days since the epoch); without a day, the beginning that all of them share. */
  activity(session: string, day: number | '' = ''): string {
    return `${this.#of(session)}:a${day}`;
  }

  /** Notices marked as seen whose list somebody else keeps: a sorted set, the oldest first. */
  foreignNotices(session: string): string {
    return `${this.#of(session)}:n`;
  }

  /** Read state of the groups' lists: a hash, group -> ring. */
  noticeRings(session: string): string {
    return `${this.#of(session)}:g`;
  }

  /** All that may exist of a session beside its day keys. */
  all(session: string): string[] {
    return [
      this.facts(session),
      this.seenItems(session, 'page'),
      this.uniqueCount(session, 'page'),
      this.seenItems(session, 'item'),
      this.uniqueCount(session, 'item'),
      this.foreignNotices(session),
      this.noticeRings(session),
    ];
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

  // No session begins with `@`.
  #group(group: string): string {
    return `${this.namespace}:{${PARTITION_TAGS[partitionOf(group)]}}:@group:${group}`;
  }

  #of(session: string): string {
    return `${this.namespace}:{${PARTITION_TAGS[partitionOf(session)]}}:${session}`;
  }
}

/** A key in the slot of `neighbour`, for one script's passing use. */
export function scratchKey(neighbour: string): string {
  return `${neighbour}:scratch`;
}
