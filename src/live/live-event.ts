import type { Notice } from '../protocol/index.ts';

/** A notice was published. */
export interface PublishedEvent {
  readonly event: 'published';
  readonly id: string;
  readonly topics: readonly string[];
  /** Without the name of its list. */
  readonly notice: Notice;
  /** Whether its id stands in other lists too. */
  readonly isElsewhere: boolean;
}

/** What the streams of a namespace tell. */
export type LiveEvent =
  | PublishedEvent
  | {
      readonly event: 'edited' | 'withdrawn';
      readonly id: string;
      readonly topics: readonly string[];
      readonly notice: string;
    }
  | { readonly event: 'changed'; readonly id: string; readonly topics: readonly string[] }
  /** What was known of a visitor is a person's: `of` is the visitor's topic. */
  | { readonly event: 'merged'; readonly id: string; readonly topics: readonly string[]; readonly of: string }
  | {
      readonly event: 'suggested';
      readonly id: string;
      readonly topics: readonly string[];
      /** The name of what begins to hold. */
      readonly rule: string;
    };

/** An entry of a stream, as Redis answers it. */
export type RawEntry = readonly [id: string, fields: readonly string[] | Readonly<Record<string, string>>];

/** Reads an entry of the stream of notices; undefined for one that is not of its form. */
export function readLiveEvent([id, given]: RawEntry): LiveEvent | undefined {
  const { event, to, ...rest } = fieldsOf(given);
  if (event === undefined || to === undefined) return undefined;
  const topics = to.split(' ');
  try {
    if (event === 'published') {
      const notice: unknown = JSON.parse(rest.notice!);
      return isNotice(notice) ? { event, id, topics, notice, isElsewhere: rest.elsewhere === '1' } : undefined;
    }
    if (event === 'edited' || event === 'withdrawn') return { event, id, topics, notice: rest.id! };
    if (event === 'suggested') return { event, id, topics, rule: rest.rule! };
    if (event === 'merged') return { event, id, topics, of: rest.of! };
    return { event: 'changed', id, topics };
  } catch {
    return undefined;
  }
}

function isNotice(value: unknown): value is Notice {
  if (typeof value !== 'object' || value === null) return false;
  const { id, at } = value as Partial<Notice>;
  return typeof id === 'string' && typeof at === 'number';
}

/** What a lifecycle event says of whose a session is. */
export interface SessionChange {
  readonly session: string;
  /** Whether it is nobody's any more; else it was given to a user. */
  readonly hasEnded: boolean;
}

/** Reads a lifecycle event; undefined for one after which a session is whose it was. */
export function readSessionChange([, given]: RawEntry): SessionChange | undefined {
  const { event, session } = fieldsOf(given);
  const hasEnded = event === 'ended' || event === 'expired';
  return session !== undefined && (hasEnded || event === 'identified') ? { session, hasEnded } : undefined;
}

/** The characters of an entry. */
export function lengthOf([, given]: RawEntry): number {
  return (Array.isArray(given) ? given : Object.values(given)).reduce((sum, field) => sum + field.length, 0);
}

function fieldsOf(given: RawEntry[1]): Record<string, string> {
  if (!Array.isArray(given)) return given as Record<string, string>;
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < given.length; i += 2) fields[given[i]!] = given[i + 1]!;
  return fields;
}

/** Whether an id of a stream is below another one. */
export function isBefore(one: string, other: string): boolean {
  const [[a, b = 0], [c, d = 0]] = [one.split('-').map(Number), other.split('-').map(Number)] as [number[], number[]];
  return a! < c! || (a === c && b < d);
}

/** Returns when an event was written, in milliseconds of the epoch by Redis's clock. */
export function timeOf(id: string): number {
  return Number(id.split('-', 1)[0]);
}

/** Where a browser was before a cut. */
export interface ResumePoint {
  /** The last event. */
  readonly id: string;
  /** What began to be shown behind this time, by its time alone, was not told. */
  readonly time: number;
}

/** What begins to be shown is told within so many milliseconds. */
const TOLD_WITHIN_MS = 1_000;

/** Writes the place of a notice in the stream of events that began to be shown without one: behind an event, at a time. */
export function placeOf(id: string, time: number): string {
  return `${id}.${time}`;
}

/** Reads the id of the last message that a browser got; undefined for anything else. */
export function readResumePoint(text: string | undefined): ResumePoint | undefined {
  const [, id, time] = /^(\d{1,15}-\d{1,15})(?:\.(\d{1,15}))?$/.exec(text ?? '') ?? [];
  if (id === undefined) return undefined;
  // Behind an event, what began a moment before it may be on its way still.
  return { id, time: time === undefined ? timeOf(id) - TOLD_WITHIN_MS : Number(time) };
}

/** What is withdrawn (`placeInList`), and at which place of the events last. */
export function withdrawals(events: readonly LiveEvent[]): ReadonlyMap<string, number> {
  return new Map(
    events.flatMap((event, i) =>
      event.event === 'withdrawn' ? event.topics.map((topic): [string, number] => [`${topic} ${event.notice}`, i]) : [],
    ),
  );
}

/** Names a published notice with its list; empty for another event. */
export function placeInList(event: LiveEvent): string {
  return event.event === 'published' ? `${event.topics[0]} ${event.notice.id}` : '';
}
