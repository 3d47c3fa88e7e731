import { describe, expect, it } from 'vitest';
import { readRedirect } from '../../../src/redis/cluster/redirect.ts';
import { SlotMap } from '../../../src/redis/cluster/slot-map.ts';

describe('a slot map', () => {
  const map = SlotMap.fromReply(
    [
      [0, 99, ['a', 1, 'id-a'], ['replica-of-a', 2, 'id-r']],
      [100, 199, ['b', 1, 'id-b']],
      [300, 300, ['a', 1, 'id-a']],
    ],
    'asked',
  );

  it('names the master of each slot and nobody where nobody has it', () => {
    expect([0, 99, 100, 199, 200, 299, 300, 301].map((slot) => map.masterOf(slot))).toEqual([
      ...['a:1', 'a:1', 'b:1', 'b:1'],
      ...[undefined, undefined, 'a:1', undefined],
    ]);
    expect([...map.masters]).toEqual([
      ['a:1', { host: 'a', port: 1 }],
      ['b:1', { host: 'b', port: 1 }],
    ]);
  });

  it.each([null, '', '?'])('takes the host that answered for %j', (host) => {
    expect(SlotMap.fromReply([[0, 1, [host, 7, 'id']]], '10.0.0.1').masterOf(1)).toBe('10.0.0.1:7');
    expect(SlotMap.fromReply([[0, 1, [host, 7, 'id']]], '::1').masterOf(1)).toBe('[::1]:7');
  });

  it('can be changed by one slot, and is not changed by it', () => {
    const next = map.with(150, { host: 'c', port: 3 });
    expect([149, 150, 151].map((slot) => next.masterOf(slot))).toEqual(['b:1', 'c:3', 'b:1']);
    expect([...next.masters.keys()]).toEqual(['a:1', 'b:1', 'c:3']);
    expect(map.masterOf(150)).toBe('b:1');
    expect(next.equals(map)).toBe(false);
    expect(next.with(150, { host: 'b', port: 1 }).equals(map)).toBe(true);
    expect([...next.with(150, { host: 'b', port: 1 }).masters.keys()]).toEqual(['a:1', 'b:1']);
  });
});

describe('a redirection of a Cluster', () => {
  it.each([
    ['MOVED 3999 10.0.0.1:6381', { kind: 'MOVED', slot: 3999, to: { host: '10.0.0.1', port: 6381 } }],
    ['ASK 1 h:6381', { kind: 'ASK', slot: 1, to: { host: 'h', port: 6381 } }],
    ['MOVED 1 :6381', { kind: 'MOVED', slot: 1, to: { host: 'asked', port: 6381 } }],
    ['MOVED 1 ::1:6381', { kind: 'MOVED', slot: 1, to: { host: '::1', port: 6381 } }],
  ])('%s is read', (message, redirect) => {
    expect(readRedirect(new Error(message), 'asked')).toEqual(redirect);
  });

  it.each(['ERR no', 'MOVED', 'MOVED x h:1', 'TRYAGAIN ASK 1 h:1'])('is not seen in %j', (message) => {
    expect(readRedirect(new Error(message), 'asked')).toBeUndefined();
    expect(readRedirect(message, 'asked')).toBeUndefined();
  });
});
