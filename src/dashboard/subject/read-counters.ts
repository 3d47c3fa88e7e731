import type { ItemHash, ItemHasher, SubjectReading } from '../../knowledge/index.ts';
import { SUGGESTION_MARKS } from '../../protocol/index.ts';
import { type CheckedRules, nameOfMark } from '../../rules/index.ts';
import type { ServedRules } from '../../service/internal/index.ts';
import type { Counter } from './subject-data.ts';

type Name = Pick<Counter, 'kind' | 'name'>;

/** Reads how often events and views of clusters happened, the last first. Their names stand encrypted in the store: those that
 *  the rules name are found by their hashes, the others stay unnamed. */
export async function readCounters(
  subject: SubjectReading,
  items: ItemHasher,
  known: { readonly rules: CheckedRules; readonly served: ServedRules } | undefined,
): Promise<Counter[]> {
  const names = known ? namesOf(known.rules, known.served, items) : new Map<ItemHash, Name>();
  return [...(await subject.facts())]
    .map(([hash, { count, first, last }]) => ({
      ...(names.get(hash) ?? { kind: 'event' as const, name: null }),
      count,
      first: 1_000 * first,
      last: 1_000 * last,
    }))
    .sort((one, other) => other.last - one.last);
}

function namesOf({ clusters, suggestions }: CheckedRules, served: ServedRules, items: ItemHasher): Map<ItemHash, Name> {
  const names = new Map<ItemHash, Name>();
  for (const cluster of Object.keys(clusters))
    names.set(items.of('cluster', cluster), { kind: 'cluster', name: cluster });
  for (const { kind, name } of served.compiled.facts) {
    names.set(items.of(kind, name), { kind, name: name.replace('\0', ' with ') });
  }
  for (const { name } of suggestions) {
    for (const mark of SUGGESTION_MARKS) {
      names.set(items.of('event', nameOfMark(mark, name)), { kind: 'suggestion', name: `${name}: ${mark}` });
    }
  }
  return names;
}
