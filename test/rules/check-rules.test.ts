import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rulesSchema } from '../../src/cli/config/index.ts';
import { FACT_DAYS, MOST_OF_DAY } from '../../src/knowledge/facts/fact-section.ts';
import { checkRules, compileRules } from '../../src/rules/index.ts';
import { MAX_COUNT_OF_DAY, MAX_DAYS } from '../../src/rules/limits.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { randomRules } from './rules-model.ts';

const seen = { seen: '/a' };
const rule = (more: object) => ({ suggestions: [{ name: 'a', when: seen, suggest: 'b', ...more }] });
const when = (condition: unknown) => rule({ when: condition });
const nested = (depth: number): unknown => (depth === 1 ? seen : { not: nested(depth - 1) });
const many = (count: number) => ({ any: Array.from({ length: count - 1 }, () => seen) });
const segments = (count: number): Record<string, unknown> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`s${i}`, i === count - 1 ? seen : { segment: `s${i + 1}` }]),
  );

describe('rules that cannot be used', () => {
  it.each<[unknown, string | RegExp]>([
    [[], 'The rules ([]) cannot be used: give an object of clusters, suggestions, segments.'],
    [{ sugestions: [] }, 'sugestions is unknown: did you mean "suggestions"?'],
    [{ suggestions: {} }, 'suggestions cannot be used: give a list of at most 1,000 rules.'],
    [{ suggestions: [7] }, 'suggestions[0] (7) cannot be used: give {"name","when","suggest"}.'],
    [rule({ name: '' }), 'suggestions[0].name cannot be used: "" is no name of a rule: give 1 to 128 characters'],
    [rule({ name: '{a' }), 'suggestions[0].name cannot be used: a name does not begin with "{".'],
    [rule({ name: 'a\nb' }), /^suggestions\[0\]\.name cannot be used/],
    [
      { suggestions: [...rule({}).suggestions, ...rule({}).suggestions] },
      'suggestions[1].name cannot be used: suggestions[0] is called "a" too.',
    ],
    [rule({ wen: seen }), 'suggestions[0].wen is unknown: did you mean "when"?'],
    [rule({ suggest: '' }), 'suggestions[0].suggest ("") cannot be used: give a text of 1 to 4,096 characters.'],
    [rule({ reason: 7 }), 'suggestions[0].reason (7) cannot be used'],
    [rule({ priority: 0.5 }), 'suggestions[0].priority (0.5) cannot be used: give a whole number from -1,000,000 to'],
    [rule({ show: 3 }), 'suggestions[0].show (3) cannot be used: give {"atMost":3,"perDays":7}.'],
    [rule({ show: { perDays: 3 } }), 'suggestions[0].show.atMost (undefined) cannot be used'],
    [rule({ show: { atMost: 1, perDays: 36 } }), 'suggestions[0].show.perDays (36) cannot be used: give a whole'],
    [rule({ show: { atMost: 1, perDay: 1 } }), 'suggestions[0].show.perDay is unknown: did you mean "perDays"?'],
    [rule({ cooldown: 366 }), 'suggestions[0].cooldown (366) cannot be used: give a whole number from 1 to 365.'],
    [rule({ unless: { all: [{ seen: '' }] } }), 'suggestions[0].unless.all[0].seen cannot be used: An item is empty'],
    [when(undefined), 'suggestions[0].when (undefined) cannot be used: give a condition, as {"seen":"/tv"}.'],
    [when({}), 'suggestions[0].when is empty: give a condition'],
    [when({ evnt: 'x' }), 'suggestions[0].when.evnt is unknown: did you mean "event"?'],
    [when({ colour: 'x' }), 'suggestions[0].when.colour is unknown: known are all, any, not, seen, event, cluster'],
    [when({ seen: '/a', event: 'b' }), 'suggestions[0].when has two conditions, "seen" and "event": put each into'],
    [when({ seen: '/a', atLeast: 2 }), 'when.atLeast cannot stand beside "seen": it belongs to event and cluster.'],
    [when({ event: 'a', atleast: 2 }), 'suggestions[0].when.atleast is unknown: did you mean "atLeast"?'],
    [when({ all: [] }), 'suggestions[0].when.all ([]) cannot be used: give a list of conditions, one at least.'],
    [when({ all: [seen, { any: [{ event: '' }] }] }), 'suggestions[0].when.all[1].any[0].event cannot be used'],
    [when({ event: 'a\0b' }), 'suggestions[0].when.event cannot be used'],
    [when({ event: 'a', withinDays: 0 }), 'suggestions[0].when.withinDays (0) cannot be used: give a whole number'],
    [when({ event: 'a', item: 'http://[' }), 'suggestions[0].when.item cannot be used: "http://[" is not a valid URL'],
    [when({ views: '3' }), 'suggestions[0].when.views ("3") cannot be used: give a whole number from 1 to'],
    [when({ newToSite: false }), 'when.newToSite (false) cannot be used: give true; {"not":{"newToSite":true}} is'],
    [when({ group: 'a b' }), 'suggestions[0].when.group cannot be used'],
    [when({ cluster: 'tv' }), 'suggestions[0].when.cluster ("tv") cannot be used: there is no such cluster, there is'],
    [when({ segment: 'constructor' }), 'there is no such segment, there is none.'],
    [{ clusters: { radios: ['/r'] }, ...when({ cluster: 'radio' }) }, 'such cluster, did you mean "radios"?'],
    [{ segments: { buyers: seen }, ...when({ segment: 'buyer' }) }, 'no such segment, did you mean "buyers"?'],
    [{ segments: [] }, 'segments ([]) cannot be used: give an object of names and conditions.'],
    [{ segments: { 'a b': seen } }, 'segments cannot be used: The segment "a b" cannot be used'],
    [{ segments: { a: { sen: 1 } } }, 'segments.a.sen is unknown: did you mean "seen"?'],
    [{ segments: { a: { segment: 'a' } } }, 'segments.a asks itself: a -> a.'],
    [
      { segments: { a: { segment: 'b' }, b: { not: { segment: 'c' } }, c: { any: [seen, { segment: 'b' }] } } },
      'segments.b asks itself: b -> c -> b.',
    ],
    [{ clusters: { tv: ['tv'] } }, 'clusters.tv[0] is no pattern: give a path'],
    [{ clusters: { tv: ['/**/**/**'] } }, 'clusters.tv[0] has more than two "**"'],
    [{ clusters: { tv: ['/a*b*'] } }, 'clusters.tv[0]: a segment has at most one "*"'],
    [{ clusters: { tv: [] } }, 'clusters.tv cannot be used: give an array of 1 to 20 patterns.'],
  ])('are refused with the place: %j', (rules, sentence) => {
    const check = () => checkRules(rules as never);
    expect(check).toThrow(RangeError);
    expect(check).toThrow(sentence);
  });
});

describe('limits of rules', () => {
  const suggestions = (count: number, condition: unknown = seen) => ({
    suggestions: Array.from({ length: count }, (_, i) => ({ name: `r${i}`, when: condition, suggest: 'x' })),
  });
  const named = (count: number, content: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, content]));
  it.each<[string, unknown, unknown, RegExp]>([
    ['suggestions', suggestions(1_000), suggestions(1_001), /at most 1,000 rules/],
    ['segments', { segments: named(200, seen) }, { segments: named(201, seen) }, /there are 201, and at most 200/],
    ['clusters', { clusters: named(200, ['/a']) }, { clusters: named(201, ['/a']) }, /there are 201/],
    ['conditions of a rule', when(many(64)), when(many(65)), /^suggestions\[0\] has more than 64 conditions/],
    ['conditions of all', suggestions(100, many(50)), suggestions(101, many(50)), /more than 5,000 conditions/],
    ['depth', when(nested(8)), when(nested(9)), /^suggestions\[0\]\.when(\.not){8} is too deep/],
    ['depth of segments', { segments: segments(8) }, { segments: segments(9) }, /s0 -> s1 .*at most 8 deep/],
    [
      'counts of days',
      when({ event: 'a', atLeast: 131_070, withinDays: 2 }),
      when({ event: 'a', atLeast: 131_071, withinDays: 2 }),
      /from 1 to 131,070\.$/,
    ],
    ['days', when({ event: 'a', withinDays: 35 }), when({ event: 'a', withinDays: 36 }), /withinDays \(36\)/],
  ])('%s: at the limit, and beyond', (_, most, beyond, sentence) => {
    expect(() => compileRules(most as never)).not.toThrow();
    expect(() => checkRules(beyond as never)).toThrow(sentence);
  });

  it('counts days as far as facts do', () => {
    expect(MAX_DAYS).toBe(FACT_DAYS);
    expect(MAX_COUNT_OF_DAY).toBe(MOST_OF_DAY);
  });
});

describe('rules that were checked', () => {
  it('are a copy with items reduced, and mean the same when they are checked again', () => {
    const given = when({ all: [{ seen: 'https://h/a?b#c' }, { event: 'e', item: '/x?y' }] });
    const checked = checkRules(given as never);
    expect(checked.suggestions[0]!.when).toEqual({ all: [{ seen: '/a' }, { event: 'e', item: '/x' }] });
    expect(checked).toMatchObject({ clusters: {}, segments: {}, suggestions: [{ reason: '', priority: 0 }] });
    expect(checkRules(checked)).toEqual(checked);
    expect(JSON.parse(JSON.stringify(checked))).toEqual(checked);
  });

  it('have names that are properties of every object', () => {
    const rules = JSON.parse(
      '{"clusters":{"__proto__":["/a"]},"segments":{"__proto__":{"cluster":"__proto__"},"constructor":{"segment":"__proto__"}}}',
    );
    const compiled = compileRules(rules);
    expect(compiled.segments.map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
  });

  it('stand in docs/rules.md as they can be used', () => {
    const text = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8');
    const blocks = [...text.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, json]) => JSON.parse(json!));
    expect(blocks).toHaveLength(1);
    expect(compileRules(blocks[0]).suggestions.map(({ name }) => name)).toEqual(['wall-mount']);
    // Each condition of the table is one.
    const conditions = [...text.matchAll(/^\| (`\{.*?`(?:, `\{.*?`)*) \|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`(\{.*?\})`/g)].map(([, json]) => json!.replace(/\[?\.\.\.\]?/, '[{"views":1}]')),
    );
    expect(conditions.length).toBeGreaterThan(14);
    for (const json of conditions) {
      const condition = JSON.parse(json.replace('"not":[{"views":1}]', '"not":{"views":1}'));
      const known = { clusters: { televisions: ['/tv'] }, segments: { buyer: { views: 1 } } };
      expect(() => checkRules({ ...known, ...when(condition) } as never), json).not.toThrow();
    }
  });

  it('are what the schema for editors takes', () => {
    const random = new SeededRandom(7);
    for (let i = 0; i < 200; i += 1) {
      const rules = randomRules(random, 5);
      expect(rulesSchema.safeParse(rules).error).toBeUndefined();
      expect(() => checkRules(rules)).not.toThrow();
    }
    for (const wrong of [when({ sen: '/a' }), when({ seen: '/a', views: 1 }), rule({ cooldown: 0 }), { rules: [] }]) {
      expect(rulesSchema.safeParse(wrong).success).toBe(false);
    }
  });
});
