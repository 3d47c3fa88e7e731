import { describe, expect, it } from 'vitest';
import { AttachedMap } from '../../src/adapters/attached-map.ts';

describe('an attached map', () => {
  it('keeps a value per object, and none for others', () => {
    const map = new AttachedMap<number>();
    const [one, other] = [{}, {}];
    map.set(one, 1);
    expect([map.get(one), map.get(other)]).toEqual([1, undefined]);
    map.set(one, 2);
    expect(map.get(one)).toBe(2);
  });

  it('keeps apart what several maps hold for one object', () => {
    const maps = [1, 2, 3].map(() => new AttachedMap<string>());
    const target = {};
    for (const [i, map] of maps.entries()) map.set(target, `of ${i}`);
    maps[1]!.set(target, 'changed');
    expect(maps.map((map) => map.get(target))).toEqual(['of 0', 'changed', 'of 2']);
  });

  it('leaves nothing that code, JSON or a copy sees, and takes frozen objects and proxies', () => {
    const map = new AttachedMap<number>();
    const target = { name: 'Ada' };
    map.set(target, 1);
    expect(Reflect.ownKeys(target)).toEqual(['name']);
    expect(JSON.stringify(target)).toBe('{"name":"Ada"}');
    expect(map.get({ ...target })).toBeUndefined();
    const frozen = Object.freeze({});
    map.set(frozen, 2);
    const proxy = new Proxy(target, {});
    expect([map.get(frozen), map.get(proxy)]).toEqual([2, undefined]);
    map.set(proxy, 3);
    expect([map.get(proxy), map.get(target)]).toEqual([3, 1]);
  });
});
