import { describe, expect, it } from 'vitest';
import { ConnectionOptionsError } from '../../src/redis/index.ts';
import { SessionData, type SessionDataOptions } from '../../src/sessions/index.ts';
import { settingsOf } from '../../src/sessions/options.ts';

const redis = 'redis://127.0.0.1:1';

describe('the options of session data', () => {
  it('the defaults', () => {
    expect(settingsOf({ redis })).toMatchObject({
      namespace: 'sw',
      idleMs: undefined,
      absoluteMs: 0,
      touchEveryMs: undefined,
      deadlineMs: 1000,
      integerDeltas: false,
      importFrom: undefined,
      maxSessionsPerUser: 1000,
      onSessionLimit: 'end-oldest',
      graceMs: 30_000,
      lifecycleLength: 10_000,
    });
  });

  it.each([{ fail: 'open' }, { anonymousIdleMs: 1 }])(
    'an option of the stores of frameworks is refused: %o',
    (given) => {
      const [name] = Object.keys(given);
      expect(() => settingsOf({ redis, ...given } as SessionDataOptions)).toThrow(
        new RegExp(`option.*${name}|${name}.*option`),
      );
    },
  );

  it('what is given is taken, zero where zero means something', () => {
    const given = {
      namespace: 'shop',
      idleMs: 1,
      absoluteMs: 2,
      touchEveryMs: 0,
      deadlineMs: 3,
      integerDeltas: true,
      importFrom: 'sess:',
      maxSessionsPerUser: 4,
      onSessionLimit: 'end-oldest',
      graceMs: 0,
      lifecycleLength: 5,
    } as const;
    expect(settingsOf({ redis, ...given })).toMatchObject(given);
    expect(settingsOf({ redis, maxSessionsPerUser: 4 }).onSessionLimit).toBe('refuse');
  });

  const wrong: [string, unknown, RegExp][] = [
    ['namespace', 'Sw!', /namespace.*"Sw!"/],
    ['namespace', '', /namespace/],
    ['namespace', 'ss', /namespace.*"ss"/],
    ['onSessionLimit', 'kick', /onSessionLimit.*"kick"/],
    ['importFrom', '', /importFrom/],
    ['integerDeltas', 'yes', /integerDeltas.*"yes"/],
    ['integerDeltas', 1, /integerDeltas.*1/],
    ['integerDeltas', ['count', 7], /integerDeltas.*\["count",7\]/],
    ['importFrom', 7, /importFrom/],
    ['mirrorTo', '', /mirrorTo/],
    ['mirrorTo', 7, /mirrorTo/],
  ];
  for (const name of [
    'idleMs',
    'absoluteMs',
    'touchEveryMs',
    'deadlineMs',
    'graceMs',
    'maxSessionsPerUser',
    'lifecycleLength',
  ]) {
    wrong.push([name, -1, new RegExp(`${name}.*-1`)], [name, '60000', new RegExp(`${name}.*"60000"`)]);
    wrong.push([name, 1.5, new RegExp(`${name}.*1\\.5`)], [name, 1e300, new RegExp(`${name}.*1e\\+300`)]);
    wrong.push([name, null, new RegExp(name)], [name, Number.NaN, new RegExp(name)]);
    wrong.push([name, Number.POSITIVE_INFINITY, new RegExp(name)]);
  }
  for (const name of ['idleMs', 'absoluteMs', 'deadlineMs', 'maxSessionsPerUser', 'lifecycleLength']) {
    wrong.push([name, 0, new RegExp(`${name}.*0`)]);
  }

  // deadlineMs and graceMs know `null` as not given.
  const tolerated = (name: string, value: unknown): boolean =>
    value === null && ['deadlineMs', 'graceMs', 'lifecycleLength'].includes(name);

  it.each(wrong.filter(([name, value]) => !tolerated(name, value)))(
    '%s %j is refused by name',
    (name, value, message) => {
      const options = { redis, [name]: value } as unknown as SessionDataOptions;
      expect(() => new SessionData(options)).toThrow(RangeError);
      expect(() => new SessionData(options)).toThrow(message);
    },
  );

  it.each([
    ['no keys', {}],
    ['keys that are no list', { keys: 'secret' }],
    ['no object', true],
    ['an empty list', { keys: [] }],
  ])('encryption with %s is refused by name', (_, encryption) => {
    const options = { redis, encryption } as unknown as SessionDataOptions;
    expect(() => new SessionData(options)).toThrow(RangeError);
    expect(() => new SessionData(options)).toThrow(/encryption/);
  });

  it('mirrorTo includes importFrom, and is refused where connect-redis could not read or we not tell', () => {
    expect(settingsOf({ redis, mirrorTo: 'sess:' })).toMatchObject({ mirrorTo: 'sess:', importFrom: 'sess:' });
    expect(settingsOf({ redis, mirrorTo: 'sess:', importFrom: 'sess:' })).toMatchObject({ mirrorTo: 'sess:' });
    expect(() => settingsOf({ redis, mirrorTo: 'sess:', importFrom: 'app:' })).toThrow(/"app:" and mirrorTo "sess:"/);
    const encryption = { keys: ['a'.repeat(64)], acceptPlain: true };
    expect(() => new SessionData({ redis, mirrorTo: 'sess:', encryption })).toThrow(/mirrorTo with encryption/);
    const cluster = 'redis+cluster://127.0.0.1:1';
    expect(() => new SessionData({ redis: cluster, mirrorTo: 'sess:' })).toThrow(/mirrorTo works on one server/);
  });

  it('importFrom with encryption needs acceptPlain: what it takes over is what anybody could have put there', async () => {
    const keys = ['a'.repeat(64)];
    for (const acceptPlain of [undefined, false]) {
      const encryption = { keys, ...(acceptPlain === undefined ? {} : { acceptPlain }) };
      expect(() => new SessionData({ redis, importFrom: 'sess:', encryption })).toThrow(RangeError);
      expect(() => new SessionData({ redis, importFrom: 'sess:', encryption })).toThrow(
        /importFrom.*acceptPlain: true/,
      );
    }
    const encryption = { keys, acceptPlain: true };
    await new SessionData({ redis, importFrom: 'sess:', encryption, sweep: false }).close();
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['no address', 'not an address'],
    ['another scheme', 'http://127.0.0.1'],
    ['an empty client', { duplicate: 1 }],
  ])('redis as %s is refused by name', (_, value) => {
    let error: unknown;
    try {
      new SessionData({ redis: value as string });
    } catch (error_) {
      error = error_;
    }
    expect([RangeError, ConnectionOptionsError].some((kind) => error instanceof kind)).toBe(true);
    expect((error as Error).message).toMatch(/redis/i);
  });
});
