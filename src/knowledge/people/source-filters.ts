import { createHash } from 'node:crypto';
import { type SeenKind, SUBJECT_FLAGS } from '../../redis/index.ts';
import type { ReadingContext } from '../subject-reading.ts';
import { type BesideFilter, listBeside, MOST_BESIDE } from './beside-filters.ts';

const NO_COUNT = Buffer.alloc(0);

/** A filter of a session that has outgrown its record, and its unique count, as the push script takes them. */
export interface SourceFilter {
  readonly kind: SeenKind;
  readonly filter: Buffer;
  /** Empty where it was lost. */
  readonly count: Buffer;
}

/** Reads the filters of a session, by the flags of its record. A filter of the server's own is dumped. */
export async function readSourceFilters(
  { redis, keys }: ReadingContext,
  session: string,
  flags: number,
  isNative: boolean,
): Promise<SourceFilter[]> {
  const kinds: [SeenKind, number][] = [
    ['page', SUBJECT_FLAGS.largePages],
    ['item', SUBJECT_FLAGS.largeItems],
  ];
  const dumped = kinds
    .filter(([, flag]) => (flags & flag) !== 0)
    .map(async ([kind]) => {
      const [filter, count] = await Promise.all([
        isNative
          ? redis.commandForBuffers<Buffer | null>('DUMP', keys.seenFilter(session, kind))
          : redis.commandForBuffers<Buffer | null>('GET', keys.seenFilter(session, kind)),
        redis.commandForBuffers<Buffer | null>('GET', keys.uniqueCount(session, kind)),
      ]);
      // A filter without its count still tells what was seen; a count alone tells nothing.
      return filter ? [{ kind, filter, count: count ?? NO_COUNT }] : [];
    });
  return (await Promise.all(dumped)).flat();
}

/** Writes filters as arguments of the push script. The same source has the same place each time. */
export async function placeSourceFilters(
  context: ReadingContext,
  person: string,
  { source, session }: { readonly source: string; readonly session: string },
  filters: readonly SourceFilter[],
): Promise<(string | Buffer)[]> {
  if (filters.length === 0) return [];
  const beside = await listBeside(context, person);
  return filters.flatMap(({ kind, filter, count }) => {
    const place = placeOf(
      beside.filter((each) => each.kind === kind),
      source,
    );
    return [`${kind === 'page' ? 'p' : 'i'}${place}`, `${source} ${session}`, filter, count];
  });
}

// Its own, else a free one, else any: above so many visitors with long histories of their own some of what was seen may be
// fresh again.
function placeOf(beside: readonly BesideFilter[], source: string): number {
  const own = beside.find((each) => each.source === source);
  if (own) return own.place;
  const taken = new Set(beside.map(({ place }) => place));
  for (let place = 0; place < MOST_BESIDE; place += 1) if (!taken.has(place)) return place;
  return createHash('sha256').update(source).digest()[0]! % MOST_BESIDE;
}
