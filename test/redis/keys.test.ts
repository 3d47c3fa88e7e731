import { describe, expect, it } from 'vitest';
import { sessionOf } from '../../src/protocol/index.ts';
import { hashSlot, Keys, PARTITION_TAGS, partitionOf } from '../../src/redis/index.ts';
import { useRedis } from '../support/use-redis.ts';

const keys = new Keys('sw');
const SESSION = 'kbus6dn33vhgjvq213cakipfm';

/** The hash tag, as Redis reads it: between the first brace and the next closing one. */
function tagOf(key: string): string {
  return /\{([^}]+)\}/.exec(key)![1]!;
}

function keysOf(session: string): string[] {
  return [...keys.all(session), keys.record(session), keys.recordBefore(session)];
}

function keysOfList(hash: number): string[] {
  return [keys.noticeList(hash), keys.noticeRevisions(hash), keys.noticeListIndex(hash)];
}

function reachOf(notice: number): string[] {
  return [keys.noticeReach(notice, 'seen'), keys.noticeReach(notice, 'read')];
}

describe('the keys of a session', () => {
  it('are its own, whoever was asked about before', () => {
    const sessions = ['a', 'b', '', 'a', SESSION, 'a'];
    for (const session of sessions) expect(keys.subject(session)).toBe(new Keys('sw').subject(session));
    expect(sessions.map((session) => keys.subject(session).split(':')[2])).toEqual(sessions);
  });

  it('are <ns>:{<tag>}:<session>:<what>, each another one', () => {
    const all = keysOf(SESSION);
    const tag = PARTITION_TAGS[partitionOf(SESSION)];
    for (const key of all) expect(key).toMatch(new RegExp(`^sw:\\{${tag}\\}:${SESSION}:[a-z]+$`));
    expect(new Set(all).size).toBe(all.length);
    expect(all).toMatchInlineSnapshot(`
      [
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:k",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:p",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:pu",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:i",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:iu",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:a",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:n",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:g",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:l",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:c",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:s",
        "sw:{hav}:kbus6dn33vhgjvq213cakipfm:sb",
      ]
    `);
  });

  it('share a slot, whatever the session', () => {
    for (const session of [
      SESSION,
      'a',
      '-',
      '_',
      'x'.repeat(128),
      ...Array.from({ length: 100 }, (_, i) => sessionOf(`${i}`)),
    ]) {
      expect(new Set(keysOf(session).map((key) => hashSlot(tagOf(key)))).size).toBe(1);
    }
  });

  it("never are another session's", () => {
    const sessions = ['a', 'a-', 'a_', 'ak', 'A', 'group', 'notice', 'meta', SESSION];
    const all = sessions.flatMap(keysOf);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('the keys of lists of notices', () => {
  it('share a slot each, and are no key of a session', () => {
    for (const hash of [0, 1, 77, 7_263_549_021, 2 ** 53 - 1]) {
      for (const own of [keysOfList(hash), [keys.noticeIndex(hash), ...reachOf(hash)]]) {
        expect(new Set(own).size).toBe(3);
        expect(new Set(own.map((key) => hashSlot(tagOf(key)))).size).toBe(1);
        expect(PARTITION_TAGS).toContain(tagOf(own[0]!));
      }
    }
    // A session cannot hold a colon, so no session's key has a fifth part.
    for (const key of keysOfList(123)) expect(key.split(':')).toHaveLength(5);
    expect(keys.noticeIndex(123)).toMatch(/^sw:\{[0-9a-z]{3}\}:@notice:123$/);
  });
});

describe('the stream of live events', () => {
  it('shares the slot of the lifecycle events: one read waits for both', () => {
    expect(hashSlot(tagOf(keys.live()))).toBe(hashSlot(keys.lifecycle()));
    expect(keys.live()).toBe('sw:{sw:lifecycle}:@live');
  });
});

describe('the keys of the minutes of a site', () => {
  it('share one slot: one script reads an hour', () => {
    const all = [1, 29_000_000].flatMap((minute) => [
      keys.siteMinute(minute),
      keys.siteVisitors(minute, 'sessions'),
      keys.siteVisitors(minute, 'persons'),
    ]);
    expect(new Set([...all, keys.siteNames()].map((key) => hashSlot(tagOf(key)))).size).toBe(1);
    expect(new Set(all).size).toBe(6);
    expect(all.slice(0, 3)).toEqual(['1', '1:s', '1:p'].map((end) => keys.siteNames().replace('names', end)));
  });
});

describe('the namespace of keys', () => {
  it('stands in front of every key', () => {
    const shop = new Keys('shop');
    expect(shop.meta()).toBe('shop:meta');
    expect(shop.everything()).toBe('shop:*');
    for (const key of [...shop.all('a'), shop.noticeList(1), shop.noticeIndex(1), shop.pairNames(1), shop.live()]) {
      expect(key.startsWith('shop:{')).toBe(true);
    }
  });

  it('that cannot be used is refused', () => {
    for (const namespace of ['', 'a b', '*', 'ss', '{x}']) expect(() => new Keys(namespace)).toThrow(RangeError);
  });
});

describe('a real Cluster server', () => {
  const server = useRedis({ extraArgs: ['--cluster-enabled', 'yes'] });
  const { redis } = server;

  it('finds our keys in the slots that we computed', async () => {
    for (const key of [...keysOf(SESSION), ...keysOfList(2 ** 53 - 1), keys.noticeIndex(77), keys.live()]) {
      expect(await redis.command<number>('CLUSTER', 'KEYSLOT', key)).toBe(hashSlot(tagOf(key)));
    }
    for (const text of ['123456789', 'a', 'ä', '\u{1f44b}', 'x'.repeat(1000)]) {
      expect(await redis.command<number>('CLUSTER', 'KEYSLOT', text)).toBe(hashSlot(text));
    }
  });
});
