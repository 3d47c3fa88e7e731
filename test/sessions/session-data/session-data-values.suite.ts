import { beforeAll, describe, expect, it } from 'vitest';
import { NotSerialisableError, type SessionData } from '../../../src/sessions/index.ts';
import type { SessionDataStage } from './session-data-stage.suite.ts';

/** What comes back of what was saved. */
export function describeValues(stage: SessionDataStage): void {
  describe('values', () => {
    let data: SessionData;
    beforeAll(() => {
      data = stage.open();
    });

    const EXACT: Record<string, unknown> = {
      nested: { a: { b: [{ c: [] }, {}, [[], [[]]]] } },
      'empty list': [],
      'empty object': {},
      'empty text': '',
      nothing: null,
      unicode: 'Zürich, 東京, 🚲, \u0000, \ud800 alone, "quoted", \\',
      numbers: [0, -1, 2 ** 53, -(2 ** 53) + 1, 0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308],
      integer: 2 ** 53 - 1,
      float: 0.30000000000000004,
      yes: true,
      no: false,
    };

    it('nested, empty, unicode and numbers come back exactly, after changes of other fields too', async () => {
      const token = await stage.saved(data, EXACT);
      expect(await stage.values(data, token)).toEqual(EXACT);
      // Overtaken, so that Redis itself reads and writes the fields.
      const loaded = (await data.load(token))!;
      await data.increment(token, 'counter');
      await data.save(token, { ...EXACT, late: 1 }, loaded);
      await data.append(token, 'empty list', [[]]);
      expect(await stage.values(data, token)).toEqual({ ...EXACT, counter: 1, late: 1, 'empty list': [[]] });
    });

    it('what JSON has no words for is what JSON makes of it', async () => {
      const when = new Date(Date.UTC(2026, 2, 10));
      const token = await stage.saved(data, {
        when,
        absent: undefined,
        work: () => 1,
        list: [undefined, () => 1],
        nan: Number.NaN,
        map: new Map([[1, 2]]),
      });
      expect(await stage.values(data, token)).toEqual({
        when: when.toISOString(),
        list: [null, null],
        nan: null,
        map: {},
      });
    });

    it('field names of any kind', async () => {
      const names = [
        'with space',
        'Straße 東京 🚲',
        '',
        'constructor',
        'length',
        'prototype',
        'toString',
        'hasOwnProperty',
        'save',
        'id',
        'rotate',
        'req',
        'a.b[0]',
        'line\nbreak\0',
        'x'.repeat(5000),
        '12',
      ];
      const values = Object.fromEntries(names.map((name, i) => [name, { i }]));
      const token = await stage.saved(data, values);
      expect(await stage.values(data, token)).toEqual(values);
      const loaded = (await data.load(token))!;
      await data.append(token, 'constructor list', [1]);
      await data.save(token, { ...values, length: 'changed' }, loaded);
      expect(await stage.values(data, token)).toEqual({ ...values, length: 'changed', 'constructor list': [1] });
    });

    it('a field called __proto__ is never one, and nothing of it reaches a prototype', async () => {
      const values = JSON.parse('{"a":1,"__proto__":{"polluted":true},"in":{"__proto__":{"polluted":true}}}') as object;
      const token = await stage.saved(data, values);
      const read = (await stage.values(data, token))!;
      expect(Object.keys(read).sort()).toEqual(['a', 'in']);
      expect(JSON.stringify(read.in)).toBe('{"__proto__":{"polluted":true}}');
      expect('polluted' in {}).toBe(false);
      expect('polluted' in read).toBe(false);
    });

    it('names of the store itself cannot be set by values', async () => {
      const token = await stage.saved(data, { a: 1, '\0user': 'mallory', '\0device': 'x' });
      const loaded = (await data.load(token))!;
      expect(data.infoOf(loaded).userId).toBeUndefined();
      expect(data.valuesOf(loaded)).toEqual({ a: 1 });
    });

    it('300 fields, changed one by one and all at once', async () => {
      const values = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`field ${i}`, i]));
      const token = await stage.saved(data, values);
      const loaded = (await data.load(token))!;
      await data.increment(token, 'field 299');
      await data.save(token, { ...values, 'field 0': 'changed' }, loaded);
      expect(await stage.values(data, token)).toEqual({ ...values, 'field 0': 'changed', 'field 299': 300 });
      await data.save(token, {}, await data.load(token));
      expect(await stage.values(data, token)).toEqual({});
    });

    it('a value of 1 MB', async () => {
      const text = 'ü'.repeat(1 << 19);
      const token = await stage.saved(data, { text, n: 0 });
      const loaded = (await data.load(token))!;
      await data.increment(token, 'n');
      await data.save(token, { text: `${text}!`, n: 0 }, loaded);
      const read = (await stage.values(data, token))!;
      expect(read.n).toBe(1);
      expect(read.text === `${text}!`).toBe(true);
    });

    it.each([
      ['a BigInt', () => 1n, /BigInt/],
      ['a BigInt within', () => ({ deep: [1n] }), /BigInt/],
      ['a circle', () => circle(), /refers to itself/],
      ['a toJSON that throws', () => ({ toJSON: () => fail(new Error('no JSON of me')) }), /no JSON of me/],
      ['a toJSON that throws nothing', () => ({ toJSON: () => fail(null) }), /cannot be stored/],
      ['a nesting of 100,000', () => nested(100_000), /nested too deeply/],
    ])('%s is refused with the name of its field, and nothing is written', async (_, create, why) => {
      const token = await stage.saved(data, { a: 1 });
      const before = await stage.bytes(token);
      const loaded = (await data.load(token))!;
      const { version } = data.infoOf(loaded);
      for (const operation of [
        () => data.save(token, { a: 2, culprit: create() }, loaded),
        () => data.save(token, { a: 2, culprit: create() }),
        () => data.append(token, 'culprit', [create()]),
        () => data.setIf(token, version, { a: 2, culprit: create() }),
      ]) {
        const error = (await operation().catch((error_: unknown) => error_)) as NotSerialisableError;
        expect(error).toBeInstanceOf(NotSerialisableError);
        expect(error.field).toBe('culprit');
        expect(error.message).toMatch(/"culprit"/);
        expect(error.message).toMatch(why);
      }
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('a deep nesting that JSON can write comes back', async () => {
      const token = await stage.saved(data, { deep: nested(1000) });
      expect(JSON.stringify((await stage.values(data, token))!.deep)).toBe(JSON.stringify(nested(1000)));
    });
  });
}

function circle(): object {
  const one: { self?: object } = {};
  one.self = { one };
  return one;
}

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i += 1) value = [value];
  return value;
}

function fail(reason: unknown): never {
  throw reason;
}
