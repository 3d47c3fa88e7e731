import type { SeenKind } from '../../redis/index.ts';
import type { ItemHash } from '../item-hash.ts';
import type { ReadingContext } from '../subject-reading.ts';

/* beside-filters.ts: a session that has outgrown its record cannot be merged item by item: a filter cannot be listed. Its
 * filter and its unique count are kept whole beside the person's, still encrypted for the session. */

/** The most filters of a kind that are kept beside a person's own. Then the oldest goes. */
export const MOST_BESIDE = 8;

/** A filter beside a person's own. */
export interface BesideFilter {
  readonly kind: SeenKind;
  readonly place: number;
  /** Names the session of which it was taken, as `merged` does. */
  readonly source: string;
  /** The subject for which its items are encrypted. */
  readonly subject: string;
}

/** Lists the filters that were merged into a person whole. */
export async function listBeside({ redis, keys }: ReadingContext, person: string): Promise<BesideFilter[]> {
  const found = await redis.command<Record<string, string> | string[]>('HGETALL', keys.beside(person));
  return Object.entries(found).map(([field, value]) => {
    const [source, subject] = String(value).split(' ');
    return {
      kind: field[0] === 'p' ? 'page' : 'item',
      place: Number(field.slice(1)),
      source: source!,
      subject: subject!,
    };
  });
}

/** Per item, whether one of a person's further filters holds it. */
export async function besideHas(
  context: ReadingContext,
  person: string,
  kind: SeenKind,
  items: readonly ItemHash[],
): Promise<boolean[]> {
  const filters = (await listBeside(context, person)).filter((filter) => filter.kind === kind);
  const answers = await Promise.all(
    filters.map(async ({ place, subject }) =>
      context.filter.has(
        context.keys.besideFilter(person, kind, place),
        await context.encryption.encrypt(subject, items),
      ),
    ),
  );
  return items.map((_, i) => answers.some((answer) => answer[i]));
}

/** How many items a person's further filters hold: the sum, because the same item may stand in several. */
export async function countBeside(context: ReadingContext, person: string, kind: SeenKind): Promise<number> {
  const filters = (await listBeside(context, person)).filter((filter) => filter.kind === kind);
  const counts = await Promise.all(
    filters.map(({ place }) =>
      context.redis.command<number>('PFCOUNT', context.keys.besideFilter(person, kind, place, true)),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
