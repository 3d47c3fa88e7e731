import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createConnection, Keys, type RedisConnection } from '../../src/redis/index.ts';
import { SessionData, StoreUnavailableError } from '../../src/store/index.ts';
import { SessionRecords } from '../../src/store/session-records.ts';
import { SessionRotation } from '../../src/store/session-rotation.ts';
import { StoreConnection } from '../../src/store/store-connection.ts';
import { type SessionDataOptions, settingsOf } from '../../src/store/store-options.ts';
import { readToken } from '../../src/store/token-proof.ts';
import { startTestRedis, type TestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { SessionDataStage } from './session-data-stage.suite.ts';

/** A connection whose next operation is done, and whose answer is lost. */
class ForgetfulConnection extends StoreConnection {
  override async run(...args: Parameters<StoreConnection['run']>): Promise<never> {
    await super.run(...args);
    throw new StoreUnavailableError('The answer was lost.');
  }
}

describe.each<[string, Partial<SessionDataOptions>]>([
  ['plain', {}],
  ['encrypted', { encryption: { keys: [randomBytes(32)] } }],
])('a rotation of %s data', (_, kept) => {
  let server: TestRedis;
  let redis: RedisConnection;
  let data: SessionData;
  const stage = new SessionDataStage({
    open: (options) => new SessionData({ redis: server.url, ...kept, ...options }),
    get redis() {
      return redis;
    },
  });

  beforeAll(async () => {
    server = await startTestRedis();
    redis = await createConnection(server.url).connect();
    data = stage.open();
  });
  afterAll(async () => {
    await stage.closeAll();
    await redis.close();
    await server.stop();
  });

  test.each([false, true])(
    'whose answer was lost is taken back, with all that jobs have changed since (grace %s)',
    async (grace) => {
      const keys = new Keys('sw');
      const connection = new ForgetfulConnection(server.url, keys, 20_000);
      onTestFinished(() => connection.close());
      const settings = settingsOf({ redis: server.url });
      const records = new SessionRecords(connection, keys, settings, kept.encryption);
      const token = await stage.saved(data, { a: 1 });
      const loaded = await data.load(token);
      const rotation = new SessionRotation(connection, records);
      await expect(rotation.rotate(readToken(token)!, loaded, { grace })).rejects.toThrow(StoreUnavailableError);
      await waitUntil('it is taken back', () => data.isCurrent(token));
      expect(await stage.values(data, token)).toEqual({ a: 1 });
      // What was loaded before is still good for a save.
      await data.increment(token, 'n');
      expect(await data.save(token, { a: 2 }, loaded)).toBeDefined();
      expect(await stage.values(data, token)).toEqual({ a: 2, n: 1 });
      expect(await data.rotate(token, {}, loaded)).toBeTypeOf('string');
    },
  );

  test('of a token that nobody was sent yet is taken back as well, and the one that is out stays remembered', async () => {
    const connection = new ForgetfulConnection(server.url, new Keys('sw'), 20_000);
    onTestFinished(() => connection.close());
    const records = new SessionRecords(connection, new Keys('sw'), settingsOf({ redis: server.url }), kept.encryption);
    const sent = await stage.saved(data, { a: 1 });
    const token = await data.rotate(sent);
    const rotation = new SessionRotation(connection, records);
    const lost = rotation.rotate(readToken(token)!, await data.load(token), { grace: false, unsent: true });
    await expect(lost).rejects.toThrow(StoreUnavailableError);
    await waitUntil('it is taken back', () => data.isCurrent(token));
    expect(await data.find(sent)).toBe('replaced');
    const next = await data.rotate(token, { unsent: true });
    expect(await data.find(sent)).toBe('replaced');
    expect(await data.find(token)).toBeUndefined();
    expect(await stage.values(data, next)).toEqual({ a: 1 });
  });

  test.each([false, true])('that Redis refuses changes nothing (grace %s)', async (grace) => {
    const token = await stage.saved(data, { a: 1 });
    const before = await stage.bytes(token);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      await expect(data.rotate(token, { grace })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', status: 503 });
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(await stage.bytes(token)).toEqual(before);
    expect(await stage.values(data, token)).toEqual({ a: 1 });
    expect(await redis.command('EXISTS', `${stage.key(token)}b`)).toBe(0);
  });
});
