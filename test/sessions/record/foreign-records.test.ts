import { afterAll, describe, expect, it } from 'vitest';
import { createToken } from '../../../src/protocol/index.ts';
import { SessionData, SessionDataError } from '../../../src/sessions/index.ts';
import { readToken } from '../../../src/sessions/tokens/token-credential.ts';
import { useRedis } from '../../support/use-redis.ts';
import { SessionDataStage } from '../session-data/session-data-stage.suite.ts';

describe('session records that are none of ours', () => {
  const server = useRedis();
  const { redis } = server;
  const stage = new SessionDataStage({
    open: (options) => new SessionData({ redis: server.url, ...options }),
    get redis() {
      return redis;
    },
  });
  afterAll(async () => {
    await stage.closeAll();
  });

  it('are told, and left as they are', async () => {
    const data = stage.open();
    const good = (await stage.bytes(await stage.saved(data, { a: 1 })))!;
    const token = createToken();
    const own = (await stage.bytes(await stage.saved(data, {})))!;
    const otherFormat = Buffer.from(good);
    otherFormat[0] = 9;
    for (const record of [
      Buffer.from('{"cookie":{}}'),
      Buffer.from([0]),
      otherFormat,
      Buffer.concat([own.subarray(0, 2), readToken(token)!.hash, own.subarray(34, 70), Buffer.from([0xff, 0xff])]),
      Buffer.concat([own.subarray(0, 2), readToken(token)!.hash, own.subarray(34, 70), Buffer.from([0x92, 0xa1])]),
    ]) {
      await redis.command('SET', stage.key(token), record);
      await expect(data.load(token)).rejects.toThrow(SessionDataError);
      expect(await stage.bytes(token)).toEqual(record);
    }
    expect(data.isUp).toBe(true);
  });
});
