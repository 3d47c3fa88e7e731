import { describe, expect, it } from 'vitest';
import {
  type Condition,
  compileRules,
  explain,
  MemoryHistory,
  type Moment,
  type Rules,
  type SuggestionRule,
  suggest,
  UNKNOWN,
} from '../../src/rules/index.ts';

/* What is suggested of rules that hold, and the words of explanations. */

const DAY = 86_400;
const NOW = Date.parse('2026-05-17T10:30:00Z') / 1_000;
const CLUSTERS = { tv: ['/tv/*', '/television'], many: ['/a', '/b', '/c', '/d'] };

type Happens = (history: MemoryHistory) => void;

function ask(rules: Rules, happens: Happens = () => {}, moment: Partial<Moment> = {}) {
  const compiled = compileRules({ clusters: CLUSTERS, ...rules });
  const history = new MemoryHistory(compiled);
  happens(history);
  const answers = compiled.answersOf(history.knownAt({ now: NOW, ...moment }));
  return { suggestions: suggest(compiled.suggestions, answers), rules: explain(compiled.suggestions, answers) };
}

const rule = (more: Partial<SuggestionRule>): Rules => ({
  suggestions: [{ name: 'a', when: { views: 1 }, suggest: 'A', ...more }],
});
/** Why the suggestion is hidden; undefined where it is made. */
function hidden(more: Partial<SuggestionRule>, happens: Happens, now = NOW): string | undefined {
  const viewed: Happens = (history) => {
    history.view('/p', NOW - 90 * DAY);
    happens(history);
  };
  const { suggestions, rules } = ask(rule(more), viewed, { now });
  expect(rules[0]).toMatchObject({ holds: true, shown: suggestions.length === 1 });
  expect(rules[0]!.hidden === undefined).toBe(suggestions.length === 1);
  return rules[0]!.hidden;
}
const shownAt =
  (...times: number[]): Happens =>
  (history) => {
    for (const at of times) history.markSuggestion('a', 'shown', at);
  };

describe('a suggestion', () => {
  it('stands by its priority, then in the order of the rules', () => {
    const suggestions = [1, 0, 2, 1, -1].map((priority, i) => ({
      name: `r${i}`,
      when: { newToSite: true } as const,
      suggest: 'x',
      ...(priority !== 0 && { priority }),
    }));
    expect(ask({ suggestions }).suggestions.map(({ rule: name }) => name)).toEqual(['r2', 'r0', 'r3', 'r1', 'r4']);
  });

  it('is shown so often at most, in all or within days', () => {
    const today = NOW - 3_600;
    expect(hidden({ show: { atMost: 2 } }, shownAt(NOW - 80 * DAY))).toBeUndefined();
    expect(hidden({ show: { atMost: 2 } }, shownAt(NOW - 80 * DAY, today))).toBe('was shown 2 times, 2 at most');
    const daily = { show: { atMost: 1, perDays: 1 } };
    expect(hidden(daily, shownAt(NOW - DAY))).toBeUndefined();
    expect(hidden(daily, shownAt(today))).toBe('was shown once today, 1 at most');
    const weekly = { show: { atMost: 2, perDays: 7 } };
    expect(hidden(weekly, shownAt(NOW - 7 * DAY, today))).toBeUndefined();
    expect(hidden(weekly, shownAt(NOW - 6 * DAY, today))).toBe('was shown 2 times within 7 days, 2 at most');
  });

  it('rests after it was shown', () => {
    const shown = shownAt(NOW - 9 * DAY, NOW - 2 * DAY);
    expect(hidden({ cooldown: 2 }, shown)).toBeUndefined();
    expect(hidden({ cooldown: 2 }, shown, NOW - 1)).toBe('was shown less than 2 days ago');
    expect(hidden({ cooldown: 1 }, shownAt(NOW))).toBe('was shown less than 1 day ago');
  });

  it('stays away once it was dismissed; that it was taken changes nothing', () => {
    const dismissed: Happens = (history) => history.markSuggestion('a', 'dismissed', NOW - 80 * DAY);
    expect(hidden({}, dismissed)).toBe('was dismissed');
    expect(hidden({ name: 'b' }, dismissed)).toBeUndefined();
    expect(hidden({ show: { atMost: 1 } }, (history) => history.markSuggestion('a', 'taken', NOW))).toBeUndefined();
  });

  it('is made because of what is there, each once, in the order of the rule', () => {
    const rules: Rules = {
      segments: {
        s: { any: [{ seen: 'book' }, { seen: '/never' }] },
        t: { all: [{ segment: 's' }, { cluster: 'tv' }] },
      },
      suggestions: [
        {
          name: 'a',
          when: {
            all: [
              { event: 'bought', item: '/tv/1' },
              { any: [{ seen: '/tv/1' }, { seen: '/other' }, { views: 1 }] },
              { segment: 't' },
              { segment: 's' },
              { not: { seen: '/never' } },
              { event: 'bought' },
            ],
          },
          suggest: 'A',
        },
      ],
    };
    const { suggestions } = ask(rules, (history) => {
      history.view('/tv/1', NOW - 60);
      history.markSeen(['book']);
      history.track('bought', NOW, { items: ['/tv/1?x'] });
    });
    expect(suggestions).toEqual([{ rule: 'a', suggest: 'A', because: ['bought', '/tv/1', 'book', 'tv'], reason: '' }]);
  });
});

describe('a compiled suggestion', () => {
  it('shares what it asks about with others that ask the same segments', () => {
    const suggestions = ['a', 'b', 'c'].map((name) => ({
      name,
      when: { all: [{ segment: 'large' }, name === 'c' ? { seen: '/own' } : { views: 2 }] },
      suggest: 'x',
    }));
    const segments = { large: { any: [{ segment: 'part' }, { event: 'bought' }] }, part: { seen: '/1' } };
    const compiled = compileRules({ suggestions, segments });
    const [a, b, c] = compiled.suggestions.map(({ items }) => items);
    expect(b).toBe(a);
    const names = (items: ReadonlySet<number>): string[] => [...items].map((item) => compiled.items[item]!).sort();
    expect([names(a!), names(c!)]).toEqual([['/1'], ['/1', '/own']]);
    expect(compiled.suggestionsAbout([compiled.items.indexOf('/1')], []).map(({ name }) => name)).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('is asked about where a group that is not known stands in front of its item', () => {
    const suggestions = Array.from({ length: 300 }, (_, i) => ({
      name: `r${i}`,
      when: { all: [{ group: 'vip' }, { seen: `item-${i}` }] },
      suggest: 'x',
    }));
    const compiled = compileRules({ suggestions });
    const known = new MemoryHistory(compiled).knownAt({ now: NOW });
    const seen = new Uint8Array(300).fill(UNKNOWN);
    const answers = compiled.answersOf({ ...known, groups: undefined, seen });
    expect(compiled.itemsToAsk(compiled.suggestions, answers, true)).toHaveLength(300);
  });

  it('knows what it asks about, also through segments that ask others, and is found by it', () => {
    const when = { all: [{ segment: 'outer' }, { seen: '/own' }] };
    const compiled = compileRules({
      clusters: CLUSTERS,
      suggestions: [
        { name: 'deep', when, unless: { event: 'left' }, suggest: 'A' },
        { name: 'other', when: { cluster: 'many' }, suggest: 'B' },
      ],
      segments: {
        outer: { any: [{ segment: 'middle' }, { views: 3 }] },
        middle: { not: { segment: 'inner' } },
        inner: { all: [{ seen: 'lamp' }, { event: 'bought', item: '/tv/1' }, { uniquePages: 2 }, { inactive: true }] },
      },
    });
    const [deep, other] = compiled.suggestions;
    const names = (numbers: ReadonlySet<number>) => [...numbers].map((number) => compiled.items[number]).sort();
    expect(names(deep!.items)).toEqual(['/own', 'lamp']);
    expect(deep).toMatchObject({ countsPages: true, asksActivity: true });
    expect(deep!.segments.size).toBe(3);
    expect(other).toMatchObject({ countsPages: false, asksActivity: false });
    const about = (items: string[], events: string[]) =>
      compiled
        .suggestionsAbout(
          items.map((item) => compiled.items.indexOf(item)),
          events.map((event) => compiled.facts.findIndex(({ name }) => name === event)),
        )
        .map(({ name }) => name);
    const bought = compiled.facts.find(({ name }) => name.startsWith('bought'))!.name;
    expect(about(['lamp'], [])).toEqual(['deep']);
    expect(about([], ['left'])).toEqual(['deep']);
    expect(about(['/own'], ['many', bought])).toEqual(['deep', 'other']);
    expect(compiled.suggestionsAbout([], [])).toEqual([]);
  });
});

describe('an explanation in words', () => {
  const visited: Happens = (history) => {
    history.view('/tv/1', NOW - 3 * DAY);
    history.view('/tv/2', NOW - 2 * DAY);
    history.track('bought', NOW - DAY, { items: ['/tv/1'] });
  };
  it.each<[Condition, boolean, string]>([
    [{ seen: '/tv/1' }, true, 'has seen /tv/1'],
    [{ seen: '/tv/9' }, false, 'has not seen /tv/9'],
    [{ event: 'bought' }, true, 'bought happened once'],
    [{ event: 'bought', withinDays: 1 }, false, 'bought happened 0 of 1 times today'],
    [{ event: 'bought', atLeast: 3, withinDays: 7 }, false, 'bought happened 1 of 3 times within 7 days'],
    [{ event: 'bought', item: '/tv/1' }, true, 'bought with /tv/1 happened once'],
    [{ cluster: 'tv', atLeast: 2 }, true, 'viewed 2 pages of /tv/*, /television (2 needed)'],
    [{ cluster: 'tv', atLeast: 3 }, false, 'viewed 2 of 3 pages of /tv/*, /television'],
    [{ cluster: 'many' }, false, 'viewed 0 of 1 pages of /a, /b, /c, ...'],
    [{ views: 3 }, false, 'viewed pages 2 of 3 times'],
    [{ uniquePages: 2 }, true, 'viewed 2 different pages (2 needed)'],
    [{ activeMinutes: 9 }, false, 'was active in 2 of 9 minutes'],
    [{ daysSinceFirstView: 3 }, true, '3 days since the first view (3 needed)'],
    [{ newToSite: true }, false, 'is not new to the site'],
    [{ inactive: true }, true, 'was not active for five minutes'],
    [{ returning: true }, true, 'was here on an earlier day'],
    [{ identified: true }, false, 'is not logged in'],
    [{ group: 'vip' }, true, 'belongs to the group vip'],
    [{ segment: 'gone' }, false, 'is not in the segment gone'],
    [{ not: { views: 1 } }, false, 'must not hold, but does'],
    [{ any: [{ views: 1 }, { views: 9 }] }, true, '1 of 2 holds, one must'],
    [{ any: [{ views: 8 }, { views: 9 }] }, false, '0 of 2 hold, one must'],
    [{ all: [{ views: 1 }, { views: 9 }] }, false, '1 of 2 hold, all must'],
  ])('says of %j: %s, %s', (when, holds, text) => {
    const rules: Rules = { segments: { gone: { newToSite: true } }, ...rule({ when }) };
    const { rules: explained } = ask(rules, visited, { groups: ['vip'] });
    expect(explained[0]!.explanation).toMatchObject({ holds, text });
    // Beside them stands the condition itself.
    const [kind] = Object.keys(when);
    expect(explained[0]!.explanation).toHaveProperty(kind!);
  });
});
