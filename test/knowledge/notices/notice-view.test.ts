import { describe, expect, it } from 'vitest';
import type { ListedNotice } from '../../../src/knowledge/index.ts';
import { byAge } from '../../../src/knowledge/notices/notice.ts';
import { NoticeStates } from '../../../src/knowledge/notices/notice-states.ts';
import { type KnownList, NoticeView } from '../../../src/knowledge/notices/notice-view.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

/* What is shown of several lists, and in which order. */

const NOW = 10_000;
const MOST_LISTS = 6;

function notice(list: number, sequence: number, at: number, id = `${list}-${sequence}`, lists = 1): ListedNotice {
  return { id, text: '', at, group: `g${list}`, position: { list, sequence }, ...(lists > 1 && { lists }) };
}

/** A list with which the subject has done nothing. */
function known(hash: number, notices: readonly ListedNotice[]): KnownList {
  const shared = notices.flatMap(({ id, lists = 1 }) => (lists > 1 ? [id] : []));
  const list = {
    hash,
    joining: 'all',
    readAt: 0,
    notices,
    byAge: notices.slice().sort(byAge),
    shared,
    isTimed: true,
  } as const;
  const states = new NoticeStates(undefined);
  return { list, states, stateOf: states.inList(0) };
}

describe('a view of several lists', () => {
  it('shows what sorting all of them shows, each id once, from any place on', () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 300; round += 1) {
      const lists = Array.from({ length: random.below(MOST_LISTS) }, (_, list) =>
        Array.from({ length: random.below(12) }, (_, i) => {
          const isShared = random.below(4) === 0;
          // Some are still to come.
          const at = NOW - 20 + random.below(24);
          return notice(list, 100 * list + i, at, isShared ? `shared-${i}` : undefined, isShared ? MOST_LISTS : 1);
        }),
      );
      const newest = new Map<string, ListedNotice>();
      for (const each of lists.flat().filter(({ at }) => at <= NOW)) {
        const other = newest.get(each.id);
        if (!other || byAge(each, other) < 0) newest.set(each.id, each);
      }
      const sorted = [...newest.values()].sort(byAge);
      const view = new NoticeView(
        lists.map((notices, list) => known(list, notices)),
        undefined,
        NOW,
      );
      const idsOf = (isBehind?: (each: ListedNotice) => boolean) =>
        [...view.shown(isBehind)].map(({ notice: { id, at } }) => `${at} ${id}`);
      const expected = sorted.map(({ id, at }) => `${at} ${id}`);
      expect(idsOf()).toEqual(expected);
      expect([view.unseen, view.unread]).toEqual([expected.length, expected.length]);
      const from = random.below(sorted.length + 1);
      const last = sorted[from - 1];
      if (last) expect(idsOf((each) => byAge(last, each) < 0)).toEqual(expected.slice(from));
    }
  });

  it('finds the newest without a look at the others', () => {
    const seen = new Set<string>();
    const lists = Array.from({ length: 100 }, (_, list) => {
      const each = known(
        list,
        Array.from({ length: 1_000 }, (_, i) => notice(list, 1_000 - i, NOW - 1 - i)),
      );
      return { ...each, list: { ...each.list, byAge: watched(each.list.byAge, seen) } };
    });
    const view = new NoticeView(lists, undefined, NOW);
    const shown = view.shown();
    for (let i = 0; i < 1_000; i += 1) expect(shown.next().done).toBe(false);
    expect(seen.size).toBeLessThanOrEqual(1_000 + 2 * lists.length);
    expect(view.unread).toBe(100_000);
  });
});

/** A list whose elements are noted when they are looked at. */
function watched(list: readonly ListedNotice[], seen: Set<string>): readonly ListedNotice[] {
  return new Proxy(list, {
    get: (target, name) => {
      if (typeof name === 'string' && /^\d+$/.test(name) && target[Number(name)]) seen.add(target[Number(name)]!.id);
      return Reflect.get(target, name);
    },
  });
}
