import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sessionOf } from '../../src/protocol/index.ts';
import { createConnection, type RedisConnection } from '../../src/redis/index.ts';
import { SessionData, SessionDataError } from '../../src/store/index.ts';
import { readHeader } from '../../src/store/record.ts';
import { startTestRedis, type TestRedis } from '../support/test-redis.ts';
import { SessionDataStage } from './session-data-stage.suite.ts';

const [first, second] = [randomBytes(32), randomBytes(32)];

describe('encryption at rest', () => {
  let server: TestRedis;
  let redis: RedisConnection;
  let sealed: SessionData;
  let plain: SessionData;
  const stage = new SessionDataStage({
    open: (options) => new SessionData({ redis: server.url, ...options }),
    get redis() {
      return redis;
    },
  });

  beforeAll(async () => {
    server = await startTestRedis();
    redis = await createConnection(server.url).connect();
    sealed = stage.open({ encryption: { keys: [first] } });
    plain = stage.open();
  });
  afterAll(async () => {
    await stage.closeAll();
    await redis.close();
    await server.stop();
  });

  test('no name and no value can be read in Redis, whatever was done with the session', async () => {
    const token = await stage.saved(sealed, { 'secret-name': 'secret-value', cookie: { path: '/secret-path' } });
    const loaded = (await sealed.load(token))!;
    await sealed.save(token, { 'secret-name': 'secret-value', 'secret-other': { in: ['secret-value'] } }, loaded);
    await sealed.increment(token, 'secret-number', 77_777);
    await sealed.append(token, 'secret-list', ['secret-value']);
    await sealed.setIf(token, (await sealed.load(token))!.facts.version, { 'secret-set': 'secret-value' });
    await sealed.identify(token, 'secret-user', { device: 'secret-device' });
    await sealed.rotate(token);
    expect((await sealed.load(token))!.userId).toBe('secret-user');
    for (const key of await redis.command<string[]>('KEYS', '*')) {
      expect(key).not.toMatch(/secret|77777/);
      const dump = (await redis.commandForBuffers<Buffer>('DUMP', key)).toString('latin1');
      expect(dump, key).not.toMatch(/secret|77777|user|device/);
    }
    expect((await stage.bytes(token))!.toString('latin1')).not.toMatch(/secret|77777/);
    expect(JSON.stringify(await stage.lifecycle(token))).not.toMatch(/secret/);
  });

  test('a plain store shows what this test looks for', async () => {
    const token = await stage.saved(plain, { 'readable-name': 'readable-value' });
    const text = (await stage.bytes(token))!.toString('latin1');
    expect(text).toMatch(/readable-name/);
    expect(text).toMatch(/readable-value/);
  });

  test('the same values look different in each record and after each save', async () => {
    const tokens = [await stage.saved(sealed, { a: 1 }), await stage.saved(sealed, { a: 1 })];
    const bodies = await Promise.all(tokens.map(async (token) => bodyOf((await stage.bytes(token))!)));
    expect(bodies[0]!.equals(bodies[1]!)).toBe(false);
    await sealed.save(tokens[0]!, { a: 1 }, await sealed.load(tokens[0]!));
    expect(bodyOf((await stage.bytes(tokens[0]!))!).equals(bodies[0]!)).toBe(false);
  });

  test('a new key in front: old data open, and are under the new key after the next save', async () => {
    const token = await stage.saved(sealed, { a: 1 });
    const both = stage.open({ encryption: { keys: [second, first] } });
    const next = stage.open({ encryption: { keys: [second] } });
    await expect(next.load(token)).rejects.toThrow(SessionDataError);
    const loaded = (await both.load(token))!;
    expect(loaded.values(both.now())).toEqual({ a: 1 });
    await both.save(token, { a: 2 }, loaded);
    expect(await stage.values(next, token)).toEqual({ a: 2 });
    await expect(sealed.load(token)).rejects.toThrow(SessionDataError);
  });

  test.each([
    ['another key', { encryption: { keys: [second] } }],
    ['no key', {}],
  ])('with %s the data cannot be read, and stay as they are', async (_, options) => {
    const stranger = stage.open(options);
    const token = await stage.saved(sealed, { a: 1, n: 1, list: [] });
    const before = await stage.bytes(token);
    for (const operation of [
      () => stranger.load(token),
      () => stranger.save(token, { a: 2 }),
      () => stranger.increment(token, 'n'),
      () => stranger.append(token, 'list', [1]),
      () => stranger.identify(token, 'ada'),
    ]) {
      await expect(operation()).rejects.toThrow(SessionDataError);
      expect(await stage.bytes(token)).toEqual(before);
    }
    expect(await stage.values(sealed, token)).toEqual({ a: 1, n: 1, list: [] });
    expect(stranger.isUp).toBe(true);
  });

  test('who has no key can still renew, rotate and end: none of it needs the data', async () => {
    const token = await stage.saved(sealed, { a: 1 });
    expect(await plain.touch(token, {})).toBe(true);
    const next = (await plain.rotate(token))!;
    expect(await stage.values(sealed, next)).toEqual({ a: 1 });
    expect(await plain.end(next)).toBe(true);
    expect(await sealed.load(next)).toBeUndefined();
  });

  test("one session's sealed data in another's record, or another namespace's, are refused", async () => {
    const [mine, theirs] = [await stage.saved(sealed, { role: 'guest' }), await stage.saved(sealed, { role: 'admin' })];
    const [own, foreign] = [(await stage.bytes(mine))!, (await stage.bytes(theirs))!];
    await redis.command(
      'SET',
      stage.key(mine),
      Buffer.concat([own.subarray(0, readHeader(own).length), bodyOf(foreign)]),
    );
    await expect(sealed.load(mine)).rejects.toThrow(SessionDataError);
    await expect(sealed.load(mine)).rejects.toThrow(new RegExp(sessionOf(mine)));
    // The whole record: the secret is another's, so it is nobody's.
    await redis.command('SET', stage.key(mine), foreign);
    expect(await sealed.load(mine)).toBeUndefined();

    const namespace = stage.freshNamespace();
    const elsewhere = stage.open({ namespace, encryption: { keys: [first] } });
    await redis.command('SET', stage.key(theirs, namespace), foreign);
    await expect(elsewhere.load(theirs)).rejects.toThrow(SessionDataError);
  });

  test('a changed byte anywhere in the sealed data is noticed', async () => {
    const token = await stage.saved(sealed, { a: 1 });
    const record = (await stage.bytes(token))!;
    const { length } = readHeader(record);
    for (let at = length; at < record.length; at += 1) {
      const changed = Buffer.from(record);
      changed[at]! ^= 1;
      await redis.command('SET', stage.key(token), changed);
      await expect(sealed.load(token)).rejects.toThrow(SessionDataError);
    }
    await redis.command('SET', stage.key(token), record);
    expect(await stage.values(sealed, token)).toEqual({ a: 1 });
  });

  test('switching encryption on: plain data are read, changed, and sealed by the next write', async () => {
    for (const write of [
      (token: string) => sealed.save(token, { a: 'readable', b: 1 }),
      async (token: string) => sealed.save(token, { a: 'readable', b: 1 }, await sealed.load(token)),
      (token: string) => sealed.increment(token, 'b'),
      async (token: string) => sealed.setIf(token, (await sealed.load(token))!.facts.version, { b: 1 }),
      (token: string) => sealed.append(token, 'list', [1]),
      (token: string) => sealed.identify(token, 'ada'),
    ]) {
      const token = await stage.saved(plain, { a: 'readable' });
      expect(await stage.values(sealed, token)).toEqual({ a: 'readable' });
      expect(await sealed.touch(token, {})).toBe(true);
      await write(token);
      const record = (await stage.bytes(token))!;
      expect(readHeader(record).sealed).toBe(true);
      expect(record.includes('readable')).toBe(false);
      expect(await stage.values(sealed, token)).toMatchObject({ a: 'readable' });
    }
  });

  test('a plain save from before the switch does not undo what was sealed meanwhile', async () => {
    const token = await stage.saved(plain, { a: 1 });
    const loaded = (await plain.load(token))!;
    await sealed.save(token, { a: 1, b: 2 }, await sealed.load(token));
    const before = await stage.bytes(token);
    await expect(plain.save(token, { a: 3 }, loaded)).rejects.toThrow(SessionDataError);
    await expect(plain.identify(token, 'ada', {}, loaded)).rejects.toThrow(SessionDataError);
    expect(await stage.bytes(token)).toEqual(before);
  });
});

function bodyOf(record: Buffer): Buffer {
  return record.subarray(readHeader(record).length);
}
