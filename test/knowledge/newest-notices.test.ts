import { describe, expect, it } from 'vitest';
import { type ListedNotice, newestNotices } from '../../src/knowledge/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';

function notice(group: number, sequence: number, at: number): ListedNotice {
  const id = `${group}-${sequence}`;
  return { id, text: '', at, group: `g${group}`, position: { group, sequence }, isElsewhere: false };
}

/** A list whose elements are counted when they are looked at. */
function watched(list: readonly ListedNotice[], seen: Set<string>): readonly ListedNotice[] {
  return new Proxy(list, {
    get: (target, name) => {
      if (typeof name === 'string' && /^\d+$/.test(name) && target[Number(name)]) seen.add(target[Number(name)]!.id);
      return Reflect.get(target, name);
    },
  });
}

describe('the newest notices of several lists', () => {
  it('are those that sorting all of them gives', () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 300; round += 1) {
      const lists = Array.from({ length: random.below(6) }, (_, group) => {
        let at = 1_000;
        const list = Array.from({ length: random.below(8) }, (_, i) => {
          at += random.below(3);
          return notice(group, 100 * group + i, at);
        });
        return list.reverse();
      });
      const limit = 1 + random.below(12);
      const sorted = lists
        .flat()
        .sort((a, b) => b.at - a.at || b.position.sequence - a.position.sequence)
        .slice(0, limit);
      expect(newestNotices(lists, limit)).toEqual(sorted);
    }
  });

  it('are found without a look at the others: 100 lists of 1,000 keep no process busy', () => {
    const seen = new Set<string>();
    const lists = Array.from({ length: 100 }, (_, group) =>
      watched(
        Array.from({ length: 1_000 }, (_, i) => notice(group, 1_000 - i, 100_000 - 100 * i - group)),
        seen,
      ),
    );
    expect(newestNotices(lists, 1_000)).toHaveLength(1_000);
    expect(seen.size).toBeLessThanOrEqual(1_000 + lists.length);
  });
});
