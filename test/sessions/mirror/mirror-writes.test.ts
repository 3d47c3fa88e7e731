import { describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { startRedisProxy } from '../../support/redis-proxy.ts';
import { collectStrayErrors } from '../../support/stray-errors.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { cookieOf, MirrorStage } from './mirror-stage.ts';

const stage = new MirrorStage();
const { redis } = stage;
const ttlOf = (token: string): Promise<number> => redis.command('PTTL', `sess:${token}`);

describe('what our store writes for connect-redis', () => {
  it('is what connect-redis writes of the same session, with the time to live of the session', async () => {
    const data = stage.open();
    const [ours, theirs] = [createToken(), createToken()];
    const values = {
      cookie: cookieOf(),
      user: 'ada',
      cart: [{ id: 1, tags: [], 'odd "name"/': { ü: null } }],
      n: 0.1,
      'a "quoted"\n/field': true,
      leap: new Date('2024-02-29T23:59:59.999Z'),
    };
    const saved = await data.save(ours, values, undefined, { isNew: true });
    await stage.theirs.set(theirs, values as never);
    expect(await stage.get(ours)).toEqual(await stage.get(theirs));
    const left = data.infoOf(saved!).expiresAt - data.now();
    expect(Math.abs((await ttlOf(ours)) - left)).toBeLessThan(5_000);
    expect(data.mirrorCounters).toEqual({ copied: 1, failed: 0, merged: 0, ended: 0 });
  });

  it.each([
    '1999-12-31T23:59:59.999Z',
    '2000-02-29T00:00:00.000Z',
    '2027-01-01T00:00:00.001Z',
    '2028-02-29T12:34:56.789Z',
    '2100-03-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
  ])('writes dates as JavaScript does: %s', async (text) => {
    const data = stage.open({ idleMs: 600_000 });
    const token = createToken();
    const expires = new Date(text);
    await data.save(token, { cookie: { ...cookieOf(), expires } }, undefined, { isNew: true });
    // A cookie whose time has passed by Redis's clock is given the session's end, as to our own pages.
    if (expires.getTime() > Date.now()) expect((await stage.get(token))!.cookie).toMatchObject({ expires: text });
  });

  it('has a cookie where the session has none, because express-session needs one', async () => {
    const data = stage.open();
    const token = createToken();
    await data.save(token, { a: 1 }, undefined, { isNew: true });
    expect(await stage.get(token)).toEqual({
      cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' },
      a: 1,
    });
  });

  it('follows each operation: save, touch, increment, append, setIf, by token and by public id', async () => {
    const data = stage.open({ touchEveryMs: 0 });
    const token = createToken();
    const session = { session: sessionOf(token) };
    await data.save(token, { cookie: cookieOf(), n: 1 }, undefined, { isNew: true });
    const loaded = (await data.load(token))!;
    await data.save(token, { cookie: cookieOf(), n: 2, list: [] }, loaded);
    expect(await stage.get(token)).toMatchObject({ n: 2, list: [] });
    await data.increment(token, 'n', 3);
    await data.increment(session, 'n', 10);
    await data.append(session, 'list', ['x']);
    expect(await stage.get(token)).toMatchObject({ n: 15, list: ['x'] });
    const { version } = data.infoOf((await data.load(token))!);
    await data.setIf(session, version, { n: undefined, plan: 'pro' });
    expect(await stage.get(token)).toEqual({ cookie: expect.any(Object), list: ['x'], plan: 'pro' });
    await redis.command('PEXPIRE', `sess:${token}`, '60000');
    await data.touch(token, { cookie: cookieOf(3_600_000) }, await data.load(token));
    expect(await ttlOf(token)).toBeGreaterThan(3_500_000);
  });

  it('keeps what others have changed meanwhile, where the save knew an older state', async () => {
    const [data, other] = [stage.open(), stage.open()];
    const token = createToken();
    await data.save(token, { cookie: cookieOf(), a: 1, b: 1 }, undefined, { isNew: true });
    const [mine, yours] = [(await data.load(token))!, (await other.load(token))!];
    await other.save(token, { cookie: cookieOf(), a: 1, b: 2 }, yours);
    await data.save(token, { cookie: cookieOf(), a: 2, b: 1 }, mine);
    expect(await stage.get(token)).toMatchObject({ a: 2, b: 2 });
  });

  it('shows connect-redis nothing of ours: no user of identify, no device', async () => {
    const data = stage.open();
    const token = createToken();
    await data.save(token, { cookie: cookieOf(), a: 1 }, undefined, { isNew: true });
    await data.identify(token, 'ada', { device: 'Firefox' });
    expect(Object.keys((await stage.get(token))!)).toEqual(['cookie', 'a']);
  });

  it('moves with a rotation: connect-redis knows the new token and not the old one', async () => {
    const data = stage.open();
    const token = createToken();
    await data.save(token, { cookie: cookieOf(), a: 1 }, undefined, { isNew: true });
    const next = await data.rotate(token);
    expect(await stage.get(token)).toBeNull();
    expect(await stage.get(next)).toMatchObject({ a: 1 });
    // A slow request with the old token brings nothing back.
    expect(await data.save(token, { cookie: cookieOf(), a: 2 })).toBeUndefined();
    expect(await stage.get(token)).toBeNull();
    expect(await stage.valuesOf(data, next)).toMatchObject({ a: 1 });
  });

  it('begins at the first read of a session that is older than the option', async () => {
    const before = stage.open({ mirrorTo: undefined as never });
    const token = createToken();
    await before.save(token, { cookie: cookieOf(), a: 1 }, undefined, { isNew: true });
    expect(await stage.get(token)).toBeNull();
    expect(await stage.valuesOf(stage.open(), token)).toMatchObject({ a: 1 });
    expect(await stage.get(token)).toMatchObject({ a: 1 });
  });

  it('ends with the session, however it is ended', async () => {
    const data = stage.open({ maxSessionsPerUser: 1, onSessionLimit: 'end-oldest' });
    const begin = async (user: string): Promise<string> => {
      const token = createToken();
      await data.save(token, { cookie: cookieOf() }, undefined, { isNew: true });
      await data.identify(token, user);
      expect(await stage.get(token)).not.toBeNull();
      return token;
    };
    const ended: string[] = [await begin('ada')];
    await data.end(ended[0]!);
    ended.push(await begin('ada'));
    await data.end({ session: sessionOf(ended[1]!) });
    ended.push(await begin('bob'));
    await data.endSession('bob', sessionOf(ended[2]!));
    ended.push(await begin('carl'));
    await data.endSessionsOf('carl');
    ended.push(await begin('dora'));
    const last = await begin('dora');
    for (const token of ended) expect(await stage.get(token)).toBeNull();
    expect(await stage.get(last)).not.toBeNull();
    await data.clear();
    expect(await stage.get(last)).toBeNull();
    expect(await redis.command('KEYS', '*:cr')).toEqual([]);
  });

  it('is not made again by a save that comes after the end', async () => {
    const data = stage.open();
    const token = createToken();
    await data.save(token, { cookie: cookieOf(), a: 1 }, undefined, { isNew: true });
    const loaded = await data.load(token);
    await data.end(token);
    expect(await data.save(token, { cookie: cookieOf(), a: 2 }, loaded)).toBeUndefined();
    expect(await data.save(token, { cookie: cookieOf(), a: 2 })).toBeUndefined();
    expect(await stage.get(token)).toBeNull();
  });

  it('does not shorten what connect-redis has renewed, where our session was not renewed', async () => {
    const data = stage.open();
    const token = createToken();
    await data.save(token, { cookie: cookieOf(), n: 1 }, undefined, { isNew: true });
    await redis.command('PEXPIRE', `sess:${token}`, '5000000');
    await data.increment({ session: sessionOf(token) }, 'n');
    expect(await ttlOf(token)).toBeGreaterThan(4_000_000);
    expect(await stage.get(token)).toMatchObject({ n: 2 });
  });
});

describe('a copy', () => {
  it('travels with the write: a save is one round trip, and so is a read', async () => {
    const proxy = await startRedisProxy(stage.server.socketPath);
    const data = stage.open({ redis: proxy.url });
    const token = createToken();
    await data.save(token, { cookie: cookieOf(), n: 0 }, undefined, { isNew: true });
    const trips: Record<string, number> = {};
    const count = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      proxy.reset();
      await work();
      trips[name] = proxy.roundTrips('sessionwise-store');
    };
    // Each once before, so that the server has the scripts.
    for (let i = 1; i <= 2; i += 1) {
      const loaded = (await data.load(token))!;
      await count('read', () => data.load(token));
      await count('save', () => data.save(token, { cookie: cookieOf(), n: i }, loaded));
      await count('increment', () => data.increment(token, 'n'));
    }
    let next = token;
    await count('rotate', async () => {
      next = await data.rotate(token);
    });
    await count('end by id', () => data.end({ session: sessionOf(next) }));
    await proxy.close();
    expect(trips).toEqual({ read: 1, save: 1, increment: 1, rotate: 1, 'end by id': 1 });
  });

  it('of a session that is taken over goes with its record: nothing comes between them', async () => {
    const proxy = await startRedisProxy(stage.server.socketPath);
    const data = stage.open({ redis: proxy.url });
    const takeOver = async (): Promise<string[]> => {
      const token = createToken();
      await stage.theirs.set(token, { cookie: cookieOf(), n: 1 } as never);
      proxy.reset();
      expect(await stage.valuesOf(data, token)).toMatchObject({ n: 1 });
      expect(await redis.command('HGET', new Keys('sw').mirrorBase(sessionOf(token)), 'key')).toBe(`sess:${token}`);
      return proxy.commands('sessionwise-store').map(([name]) => name!);
    };
    // Once before, so that the server has the scripts.
    await takeOver();
    expect(await takeOver()).toEqual(['EVALSHA', 'GET', 'PTTL', 'EVALSHA', 'EVALSHA']);
    expect(proxy.roundTrips('sessionwise-store')).toBe(3);
    await proxy.close();
  });

  it('that cannot be written fails no page; it is counted, each told, and warned of once', async () => {
    const data = stage.open();
    const strays = collectStrayErrors();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => {
      if ((warning as { code?: string }).code === 'SESSIONWISE_MIRROR_FAILED') warnings.push(warning);
    };
    process.on('warning', onWarning);
    const told: Error[] = [];
    data.on('mirror:failed', (error) => told.push(error));
    const token = createToken();
    await redis.command('LPUSH', `sess:${token}`, 'no session');
    expect(await data.save(token, { cookie: cookieOf(), a: 1 }, undefined, { isNew: true })).toBeDefined();
    expect(await data.increment(token, 'a')).toBe(2);
    await waitUntil('the warning has come', () => warnings.length > 0);
    expect(await stage.valuesOf(data, token)).toMatchObject({ a: 2 });
    process.off('warning', onWarning);
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(told[0]!.message).toMatch(/WRONGTYPE/);
    expect(data.mirrorCounters!.failed).toBe(told.length);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.message).toContain('mirror:failed');
    // The next write mends it.
    await redis.command('DEL', `sess:${token}`);
    await data.increment(token, 'a');
    expect(await stage.get(token)).toMatchObject({ a: 3 });
    expect(strays).toEqual([]);
  });

  it('that was lost by us alone does not undo our newer fields when connect-redis writes', async () => {
    const [data, unmirrored] = [stage.open(), stage.open({ mirrorTo: undefined as never })];
    const token = createToken();
    await data.save(token, { cookie: cookieOf(), a: 1, b: 1 }, undefined, { isNew: true });
    await unmirrored.save(token, { cookie: cookieOf(), a: 2, b: 1 }, await unmirrored.load(token));
    await stage.changeTheirs(token, (values) => Object.assign(values, { b: 2 }));
    expect(await stage.valuesOf(data, token)).toMatchObject({ a: 2, b: 2 });
    expect(await stage.get(token)).toMatchObject({ a: 2, b: 2 });
  });

  it('names no token in keys of ours but the one of the base, which goes with the session', async () => {
    const data = stage.open();
    const token = createToken();
    await data.save(token, { cookie: cookieOf() }, undefined, { isNew: true });
    const base = new Keys('sw').mirrorBase(sessionOf(token));
    expect(await redis.command('HGET', base, 'key')).toBe(`sess:${token}`);
    expect(await redis.command<number>('PTTL', base)).toBeGreaterThan(0);
    await data.end(token);
    expect(await redis.command('EXISTS', base)).toBe(0);
  });
});
