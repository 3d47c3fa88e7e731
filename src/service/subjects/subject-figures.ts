import { MINUTE_MS, type SubjectReading } from '../../knowledge/index.ts';
import { normalizeItem } from '../../protocol/index.ts';
import type { Namespace } from '../open-namespace.ts';

/** What is known of a subject, as figures: what it saw is encrypted, so it can be counted, and asked about by name, and
 *  not listed. Times are ISO 8601. */
export interface SubjectFigures {
  /** `person`, or the public id of a session. */
  readonly of: string;
  readonly views: number;
  readonly uniquePages: number;
  readonly uniquePagesExact: boolean;
  readonly items: number;
  readonly itemsExact: boolean;
  readonly noticesRead: number;
  /** Events, clusters of pages and marks of suggestions, each without its name: the one that began first stands first. */
  readonly events: readonly { readonly count: number; readonly first: string; readonly last: string }[];
  readonly activeMinutes: number;
  readonly firstActiveMinute: string | null;
  readonly lastActiveMinute: string | null;
  /** The active minutes that are still known one by one. */
  readonly minutes: readonly string[];
  readonly expiresInSeconds: number | null;
  /** Per candidate whether it was seen; in the large form of many items a few are said to be that were not. */
  readonly seen: Readonly<Record<string, boolean>>;
}

/** Reads the figures of a session or a person; undefined where nothing is known. `of`: how they are called. */
export async function subjectFigures(
  namespace: Namespace,
  session: string,
  of: string,
  candidates: readonly string[],
): Promise<SubjectFigures | undefined> {
  const { redis, keys, knowledge } = namespace;
  const reading = knowledge.read(session);
  const { subject } = reading;
  if (!(await reading.isKnown())) return undefined;
  const [visit, items, foreign, ofLists, ttl, last, facts] = await Promise.all([
    reading.visit(Date.now()),
    reading.count('item'),
    redis.command<number>('ZCARD', keys.foreignNotices(subject)),
    knowledge.notices.states.countRead(subject),
    redis.command<number>('TTL', keys.subject(subject)),
    reading.lastActiveMinute(),
    reading.facts(),
  ]);
  const seen = await Promise.all(candidates.map(async (item) => [item, await wasSeen(namespace, reading, item)]));
  return {
    of,
    views: visit.totalPages,
    uniquePages: visit.uniquePages,
    uniquePagesExact: visit.uniquePagesExact,
    items: items.count,
    itemsExact: items.exact,
    noticesRead: foreign + ofLists,
    events: [...facts.values()]
      .sort((one, other) => one.first - other.first)
      .map(({ count, first, last }) => ({ count, first: isoOf(1_000 * first)!, last: isoOf(1_000 * last)! })),
    activeMinutes: visit.activeMinutes,
    firstActiveMinute: isoOf(visit.firstActiveMinute),
    lastActiveMinute: isoOf(last),
    minutes: await minutesOf(reading, visit.firstActiveMinute, last),
    expiresInSeconds: ttl < 0 ? null : ttl,
    seen: Object.fromEntries(seen) as Record<string, boolean>,
  };
}

async function minutesOf(
  reading: SubjectReading,
  first: number | undefined,
  last: number | undefined,
): Promise<string[]> {
  if (first === undefined || last === undefined) return [];
  const active = await reading.minutes(first, last);
  return active.flatMap((isActive, i) => (isActive ? [isoOf(first + i * MINUTE_MS)!] : []));
}

async function wasSeen({ knowledge }: Namespace, reading: SubjectReading, given: string): Promise<boolean> {
  const item = normalizeItem(given);
  const kinds = ['page', 'item'] as const;
  const answers = await Promise.all(kinds.map((kind) => reading.hasSeen(kind, [knowledge.items.of(kind, item)])));
  return answers.flat().includes(true);
}

function isoOf(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
