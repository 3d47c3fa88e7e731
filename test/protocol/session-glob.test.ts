import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVERY_SESSION, parseSessionGlob, topicChannel, topicPattern } from '../../src/protocol/index.ts';
import type { RedisConnection } from '../../src/redis/index.ts';
import { useRedis } from '../support/use-redis.ts';

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
const GLOBS = [
  '?*',
  'a*',
  'ab*',
  'kbus6dn33vhgjvq213cakipfm*',
  '-*',
  '_x*',
  'a-m*',
  '[a-m]*',
  '[m-a]*',
  '[0-9a-h]*',
  '[i-z]*',
  '[A-Z_-z]*',
  '[abc]*',
  '[-a]*',
  '[-]*',
  '[a-c-e]*',
  '[a-z-]*',
  '[_]*',
  '[^0-9]*',
  '[^a-m]*',
  '[^m-a]*',
  '[^-]*',
  '[0-0]*',
  '[a--]*',
  '[--a]*',
];
/** Redis reads `b-]` as a range up to the bracket, and so the class as without an end. */
const HYPHEN_AT_THE_END = ['[a-]*', '[ab-]*', '[^_-]*'];
const SESSIONS = [
  ...CHARACTERS,
  ...[...CHARACTERS].map((character) => `${character}bc`),
  'ab',
  'abc',
  'a-m',
  'a-mx',
  '_xy',
  'kbus6dn33vhgjvq213cakipfm',
  'x'.repeat(128),
];

describe('the forms of a session glob', () => {
  it('are everything, a prefix, a class', () => {
    expect(parseSessionGlob('?*')).toMatchObject({ text: '?*', prefix: '' });
    expect(parseSessionGlob('*').text).toBe(EVERY_SESSION);
    expect(parseSessionGlob('ab*')).toMatchObject({ text: 'ab*', prefix: 'ab', first: new Set(['a']) });
    expect(parseSessionGlob('[a-c9]*')).toMatchObject({ prefix: '', first: new Set(['a', 'b', 'c', '9']) });
    expect(parseSessionGlob('[c-a]*').first).toEqual(new Set(['a', 'b', 'c']));
    expect(parseSessionGlob('[^0-9]*').first).toEqual(new Set([...CHARACTERS].filter((c) => !/\d/.test(c))));
    expect(parseSessionGlob('?*').first).toEqual(new Set(CHARACTERS));
  });

  it.each([
    '',
    'ab',
    '**',
    '?',
    '??*',
    '[a-m]',
    '[]*',
    '[^]*',
    '[a-m]*x',
    '[a-m][a-m]*',
    'a[a-m]*',
    '[a-m]?*',
    '*a',
    'a*b*',
    'a:b*',
    '[a:]*',
    '[a b]*',
    '\\a*',
    '[\\a]*',
    'a\n*',
    'ä*',
    '[^A-Za-z0-9_-]*',
  ])('are not %j, and the message shows it', (text) => {
    expect(() => parseSessionGlob(text)).toThrow(RangeError);
    expect(() => parseSessionGlob(text)).toThrow(JSON.stringify(text));
  });

  it('match no empty session', () => {
    for (const glob of ['?*', 'a*', '[a-m]*', '[^a]*']) expect(parseSessionGlob(glob).matches('')).toBe(false);
  });
});

describe('overlap of two session globs', () => {
  it('is exactly that some session belongs to both', () => {
    // Every glob here is decided by at most three characters, so these sessions decide every pair.
    const short = ['[a-m]*', '[n-z]*', '[^a-m]*', '?*', 'a*', 'ab*', 'abc*', 'b*', 'n*', '[0-9a-h]*', '[i-z]*', '-*'];
    const sessions = [...CHARACTERS].flatMap((c) => [c, `${c}b`, `${c}bc`, `${c}x`]);
    let overlapping = 0;
    for (const left of short) {
      for (const right of short) {
        const [a, b] = [parseSessionGlob(left), parseSessionGlob(right)];
        const shared = sessions.some((session) => a.matches(session) && b.matches(session));
        expect(a.overlaps(b), `${left} and ${right}`).toBe(shared);
        if (shared) overlapping += 1;
      }
    }
    expect(overlapping).toBeGreaterThan(short.length);
    expect(overlapping).toBeLessThan(short.length ** 2);
  });
});

describe('agreement of session globs with Redis', () => {
  const { redis } = useRedis({ eachTest: 'kept' });
  let subscriber: RedisConnection;

  beforeAll(async () => {
    subscriber = await redis.duplicate().connect();
  });
  afterAll(() => subscriber?.close());

  /** The sessions whose messages a subscription to `glob` brings. */
  async function heardBy(glob: string, sessions: readonly string[]): Promise<string[]> {
    const heard: string[] = [];
    await subscriber.subscribePatterns([topicPattern('sw', 'pageview', glob)], (_, channel) => {
      heard.push(channel.split(':')[2]!);
    });
    const receivers = await Promise.all(
      sessions.map((session) => redis.command<number>('PUBLISH', topicChannel('sw', 'pageview', session, 'r'), '')),
    );
    // On one connection a reply comes behind the messages before it.
    await subscriber.unsubscribePatterns();
    expect(heard).toHaveLength(receivers.reduce((sum, count) => sum + count, 0));
    return heard;
  }

  it.each(GLOBS)('%s matches the same sessions there and here', async (text) => {
    const glob = parseSessionGlob(text);
    expect(await heardBy(glob.text, SESSIONS)).toEqual(SESSIONS.filter((session) => glob.matches(session)));
  });

  it.each(HYPHEN_AT_THE_END)('%s, in which Redis never finds the bracket, is refused', async (text) => {
    expect(await heardBy(text, SESSIONS)).toEqual([]);
    expect(() => parseSessionGlob(text)).toThrow(RangeError);
  });

  it('runs across colons in Redis, which is why the service tests a session again', async () => {
    const foreign = topicChannel('sw', 'pageview', 'zoe', 'a1:x');
    await subscriber.subscribePatterns([topicPattern('sw', 'pageview', '[a-m]*')], () => {});
    expect(await redis.command('PUBLISH', foreign, '')).toBe(0);
    const across = 'ss:pageview:abc:zoe:r';
    expect(await redis.command('PUBLISH', across, '')).toBe(1);
    await subscriber.unsubscribePatterns();
  });
});
