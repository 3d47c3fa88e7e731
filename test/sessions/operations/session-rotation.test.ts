import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sessionOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { StoreConnection } from '../../../src/sessions/connection/store-connection.ts';
import { recordOf, SessionData, StoreUnavailableError } from '../../../src/sessions/index.ts';
import { SessionRecords } from '../../../src/sessions/operations/session-records.ts';
import { SessionRotation } from '../../../src/sessions/operations/session-rotation.ts';
import { type SessionDataOptions, settingsOf } from '../../../src/sessions/options.ts';
import { readToken } from '../../../src/sessions/tokens/token-credential.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { SessionDataStage } from '../session-data/session-data-stage.suite.ts';

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
  const server = useRedis({ eachTest: 'kept' });
  const { redis } = server;
  let data: SessionData;
  const stage = new SessionDataStage({
    open: (options) => new SessionData({ redis: server.url, ...kept, ...options }),
    get redis() {
      return redis;
    },
  });

  beforeAll(async () => {
    data = stage.open();
  });
  afterAll(async () => {
    await stage.closeAll();
  });

  it.each([false, true])(
    'whose answer was lost is taken back, with all that jobs have changed since (grace %s)',
    async (grace) => {
      const keys = new Keys('sw');
      const connection = new ForgetfulConnection({ redis: server.url }, keys, 20_000);
      onTestFinished(() => connection.close());
      const settings = settingsOf({ redis: server.url });
      const records = new SessionRecords(connection, keys, settings, kept.encryption);
      const token = await stage.saved(data, { a: 1 });
      const loaded = (await data.load(token))!;
      const rotation = new SessionRotation(connection, records);
      await expect(rotation.rotate(readToken(token)!, recordOf(loaded), { grace })).rejects.toThrow(
        StoreUnavailableError,
      );
      await waitUntil('it is taken back', () => data.isCurrent(token));
      expect(await redis.command('EXISTS', keys.recordBefore(sessionOf(token)))).toBe(0);
      expect(await stage.values(data, token)).toEqual({ a: 1 });
      // What was loaded before is still good for a save.
      await data.increment(token, 'n');
      expect(await data.save(token, { a: 2 }, loaded)).toBeDefined();
      expect(await stage.values(data, token)).toEqual({ a: 2, n: 1 });
      expect(await data.rotate(token, {}, loaded)).toBeTypeOf('string');
    },
  );

  it('within one that nobody was told of is taken back to that: requests of before are still known', async () => {
    const connection = new ForgetfulConnection({ redis: server.url }, new Keys('sw'), 20_000);
    onTestFinished(() => connection.close());
    const records = new SessionRecords(connection, new Keys('sw'), settingsOf({ redis: server.url }), kept.encryption);
    const rotation = new SessionRotation(connection, records);
    for (const grace of [false, true]) {
      const token = await stage.saved(data, { a: 1 });
      const unsent = await data.rotate(token, { grace });
      const lost = rotation.rotate(readToken(unsent)!, undefined, { grace, unsent: true });
      await expect(lost).rejects.toThrow(StoreUnavailableError);
      await waitUntil('it is taken back', () => data.isCurrent(unsent));
      expect(await stage.values(data, unsent)).toEqual({ a: 1 });
      const found = await data.find(token);
      expect(typeof found === 'object' ? data.infoOf(found).byPreviousSecret : found).toBe(grace || 'replaced');
    }
  });

  it.each([false, true])('that Redis refuses changes nothing (grace %s)', async (grace) => {
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
