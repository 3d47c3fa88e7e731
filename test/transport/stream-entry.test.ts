import { describe, expect, it } from 'vitest';
import { PARTITIONS, partitionOf } from '../../src/redis/index.ts';
import { decodeEntry, encodeEntry, type StreamRequest } from '../../src/transport/streams/stream-entry.ts';
import { SeededRandom } from '../support/seeded-random.ts';

const REQUEST: StreamRequest = {
  command: 'pageview',
  session: 'abc',
  request: 'inbox.7',
  payload: '/a',
  isSealed: false,
  deadlineMs: 100,
  isOnce: false,
};
const PARTITION = partitionOf('abc');
const ID = '1767225600123-4';

describe('a stream entry', () => {
  it('has the fields of docs/protocol.md', () => {
    expect(encodeEntry(REQUEST)).toEqual(['c', 'pageview', 's', 'abc', 'r', 'inbox.7', 'p', '/a', 'd', '100']);
    expect(encodeEntry({ ...REQUEST, isSealed: true, deadlineMs: 0 })).toEqual([
      ...['c', 'pageview', 's', 'abc', 'r', 'inbox.7', 'e', '/a'],
    ]);
    // A deadline that is cut short would be none at all.
    expect(encodeEntry({ ...REQUEST, deadlineMs: 0.2 }).slice(-2)).toEqual(['d', '1']);
    expect(encodeEntry({ ...REQUEST, isOnce: true }).slice(-2)).toEqual(['o', '100']);
    expect(encodeEntry({ ...REQUEST, isOnce: true, deadlineMs: 0 }).slice(-2)).toEqual(['o', '0']);
  });

  it('reads as it was written, whatever it holds and however its fields stand', () => {
    const random = new SeededRandom(5);
    const text = (alphabet: string, length: number): string =>
      Array.from({ length: 1 + random.below(length) }, () => random.pick([...alphabet])).join('');
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789-';
    for (let i = 0; i < 2_000; i += 1) {
      const session = text(`${letters}ABCXYZ_`, 128);
      const inbox = random.below(2) === 0 ? '' : `.${random.below(1e9)}`;
      const request: StreamRequest = {
        command: `p${text(letters, 60)}`,
        session,
        request: `${text(`${letters}XYZ_`, 100)}${inbox}`,
        payload: random.below(4) === 0 ? '' : text('aä👋"\n\0: {}[]', 50),
        isSealed: random.below(2) === 0,
        deadlineMs: random.below(3) === 0 ? 0 : random.below(60_000),
        isOnce: random.below(2) === 0,
      };
      const pairs: string[][] = [];
      const fields = encodeEntry(request);
      for (let at = 0; at < fields.length; at += 2) pairs.push(fields.slice(at, at + 2));
      const shuffled = [...pairs, ['other', 'x']].sort(() => random.next() - 0.5).flat();
      expect(decodeEntry(partitionOf(session), PARTITIONS, ID, shuffled)).toMatchObject({
        ...request,
        id: ID,
        addedAt: 1_767_225_600_123,
      });
    }
  });

  it('says how its caller wants the reply', () => {
    const routeOf = (request: string): unknown =>
      decodeEntry(PARTITION, PARTITIONS, ID, encodeEntry({ ...REQUEST, request }))?.replyRoute;
    expect(routeOf('_x')).toEqual({ kind: 'none' });
    expect(routeOf('x')).toEqual({ kind: 'list' });
    expect(routeOf('inbox.7')).toEqual({ kind: 'inbox', inbox: 'inbox', number: '7' });
    expect(routeOf('_inbox.7')).toEqual({ kind: 'none' });
  });

  it('is none where anything is missing or not of the form, and where it stands in a strange partition', () => {
    const none = (change: Partial<StreamRequest>): void =>
      expect(
        decodeEntry(PARTITION, PARTITIONS, ID, encodeEntry({ ...REQUEST, ...change })),
        JSON.stringify(change),
      ).toBeUndefined();
    none({ command: '' });
    none({ command: 'Page' });
    none({ session: '' });
    none({ session: 'a b' });
    none({ session: 'abc\n' });
    none({ request: '' });
    none({ request: 'a.b' });
    none({ request: '*' });
    none({ deadlineMs: 1e12 });
    none({ deadlineMs: Number.POSITIVE_INFINITY });
    const fields = encodeEntry(REQUEST);
    for (const name of ['c', 's', 'r', 'p']) {
      const at = fields.indexOf(name);
      expect(
        decodeEntry(PARTITION, PARTITIONS, ID, [...fields.slice(0, at), ...fields.slice(at + 2)]),
        name,
      ).toBeUndefined();
    }
    expect(decodeEntry(PARTITION, PARTITIONS, ID, [])).toBeUndefined();
    expect(decodeEntry(PARTITION, PARTITIONS, ID, ['c'])).toBeUndefined();
    expect(decodeEntry(PARTITION, PARTITIONS, ID, ['__proto__', 'c'])).toBeUndefined();
    expect(decodeEntry(PARTITION, PARTITIONS, ID, fields)).toBeDefined();
    expect(decodeEntry((PARTITION + 1) % 64, PARTITIONS, ID, fields)).toBeUndefined();
  });

  it('stands in the stream of its partition, or in one that takes those of several', () => {
    const fields = encodeEntry(REQUEST);
    for (const streams of [16, PARTITIONS]) {
      const taken = Array.from({ length: PARTITIONS }, (_, stream) => stream).filter((stream) =>
        decodeEntry(stream, streams, ID, fields),
      );
      expect(taken).toEqual([...new Set([PARTITION % streams, PARTITION])]);
    }
  });

  it('is never more than fields: random ones throw nothing', () => {
    const random = new SeededRandom(6);
    const names = ['c', 's', 'r', 'p', 'e', 'd', '', '__proto__', 'toString'];
    for (let i = 0; i < 5_000; i += 1) {
      const fields = Array.from({ length: random.below(14) }, (_, at) =>
        at % 2 === 0 ? random.pick(names) : random.bytes(random.below(12)).toString('latin1'),
      );
      expect(() => decodeEntry(random.below(64), PARTITIONS, ID, fields)).not.toThrow();
    }
  });
});
