import { describe, expect, it } from 'vitest';
import { joinLua } from '../../../src/redis/index.ts';
import { changesLua } from '../../../src/sessions/lua/changes-lua.ts';
import { applyChanges, changesBetween, listChanges } from '../../../src/sessions/record/field-changes.ts';
import { packTexts, unpackTexts } from '../../../src/sessions/record/packed-texts.ts';
import type { SessionFields } from '../../../src/sessions/record/session-fields.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { useRedis } from '../../support/use-redis.ts';

const NAMES = ['a', 'b', 'c', 'd', 'constructor', 'ü', '', 'length', 'x y', '12'];
const VALUES = ['1', '2', '-7', '0', '1.5', '"text"', '"12"', '[]', '{"a":[]}', 'null', 'true', '9007199254740991'];

function randomFields(random: SeededRandom): SessionFields {
  const fields: SessionFields = new Map();
  for (let left = random.below(NAMES.length + 1); left > 0; left -= 1) {
    fields.set(random.pick(NAMES), random.pick(VALUES));
  }
  return fields;
}

const sorted = (fields: SessionFields): [string, string][] =>
  [...fields].sort(([one], [other]) => (one < other ? -1 : 1));

describe('field changes', () => {
  const none = { integerDeltas: false, hidden: new Set<string>() };
  const deltas = { integerDeltas: true, hidden: new Set<string>() };
  const { redis } = useRedis();

  it.each([none, deltas])('what lies between two states leads from one to the other: 2,000 random pairs', (options) => {
    const random = new SeededRandom(options.integerDeltas ? 1 : 2);
    for (let i = 0; i < 2000; i += 1) {
      const [before, after] = [randomFields(random), randomFields(random)];
      const changes = changesBetween(before, after, options);
      expect(sorted(applyChanges(before, changes))).toEqual(sorted(after));
      expect(changesBetween(after, after, options)).toEqual([]);
    }
  });

  it('applying leaves what it was given as it is', () => {
    const before: SessionFields = new Map([['a', '1']]);
    applyChanges(before, [
      { name: 'a', set: '2' },
      { name: 'b', set: '3' },
    ]);
    expect([...before]).toEqual([['a', '1']]);
  });

  it("the script's changed_body agrees: 500 random states and changes, on what others left too", async () => {
    const random = new SeededRandom(3);
    const script = `${joinLua([changesLua])} return changed_body(ARGV[1], cmsgpack.unpack(ARGV[2]))`;
    for (let i = 0; i < 500; i += 1) {
      const [before, after] = [randomFields(random), randomFields(random)];
      const there = random.below(2) ? before : randomFields(random);
      const changes = changesBetween(before, after, random.below(2) ? none : deltas);
      const body = there.size === 0 && random.below(2) ? '' : packTexts([...there].flat());
      const packed = await redis.commandForBuffers<Buffer>('EVAL', script, '0', body, packTexts(listChanges(changes)));
      const texts = unpackTexts(packed);
      const fields: SessionFields = new Map();
      for (let at = 0; at < texts.length; at += 2) fields.set(texts[at]!, texts[at + 1]!);
      expect(texts).toHaveLength(2 * fields.size);
      const expected = sorted(applyChanges(there, changes));
      // A sum above 2^53 is no exact number on either side.
      expect(sorted(fields)).toEqual(expected);
    }
  });

  it('only plain integers become differences, and only where asked', () => {
    const of = (old: string, json: string): unknown =>
      changesBetween(new Map([['n', old]]), new Map([['n', json]]), deltas)[0];
    expect(of('1', '3')).toEqual({ name: 'n', add: 2, final: '3' });
    expect(of('-5', '0')).toEqual({ name: 'n', add: 5, final: '0' });
    for (const [old, json] of [
      ['1', '1.5'],
      ['1.5', '2'],
      ['"1"', '2'],
      ['1', '"2"'],
      ['null', '1'],
      ['9007199254740993', '1'],
      ['1', '1e21'],
    ] as const) {
      expect(of(old, json)).toEqual({ name: 'n', set: json });
    }
    expect(changesBetween(new Map(), new Map([['n', '3']]), deltas)).toEqual([{ name: 'n', add: 3, final: '3' }]);
    const named = { ...deltas, integerDeltas: ['n'] };
    const [n, m] = [
      { name: 'n', add: 1, final: '1' },
      { name: 'm', set: '1' },
    ];
    expect(changesBetween(new Map(), new Map(Object.entries({ n: '1', m: '1' })), named)).toEqual([n, m]);
    expect(changesBetween(new Map([['n', '1']]), new Map([['n', '2']]), none)).toEqual([{ name: 'n', set: '2' }]);
  });

  it('a number that Redis wrote in its way is no change', () => {
    const before = new Map([
      ['float', '0.10000000000000001'],
      ['huge', '1000000000000000000000'],
      ['tiny', '9.9999999999999995e-08'],
    ]);
    const after = new Map([
      ['float', '0.1'],
      ['huge', '1e+21'],
      ['tiny', '1e-7'],
    ]);
    expect(changesBetween(before, after, none)).toEqual([]);
    expect(changesBetween(before, new Map([...after, ['float', '0.2']]), none)).toEqual([
      { name: 'float', set: '0.2' },
    ]);
  });

  it('the absence of a hidden field, of one of ours, or of __proto__ says nothing', () => {
    const before = new Map([
      ['save', '1'],
      ['\0user', '"ada"'],
      ['__proto__', '1'],
      ['gone', '1'],
    ]);
    const changes = changesBetween(before, new Map(), { integerDeltas: false, hidden: new Set(['save']) });
    expect(changes).toEqual([{ name: 'gone', remove: true }]);
  });
});
