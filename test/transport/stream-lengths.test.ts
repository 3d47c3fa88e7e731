import { beforeEach, describe, expect, it } from 'vitest';
import { FAR_FROM_FULL, LOOK_VALID_MS, StreamLengths } from '../../src/transport/streams/stream-lengths.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* When a producer may add without a script that looks at the length first. */

const KEY = 'stream';
const MOST = 40;
const FAR = MOST * FAR_FROM_FULL;

const server = useRedis();
const { redis } = server;
let now: number;
let lengths: StreamLengths;

beforeEach(() => {
  now = 1_000;
  lengths = new StreamLengths(redis, () => now);
});

const fill = (count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, () => redis.command('XADD', KEY, '*', 'c', 'x')));

/** Adds one, as a producer does, and waits for the look behind it. */
async function add(): Promise<void> {
  const added = redis.command('XADD', KEY, '*', 'c', 'x');
  lengths.onAdded(KEY);
  await added;
  await redis.command('PING');
}

const looks = async (): Promise<number> => {
  const info = await redis.command<string>('INFO', 'commandstats');
  return Number(/^cmdstat_xlen:calls=(\d+)/m.exec(info)?.[1] ?? 0);
};

describe('the length of a stream, as a producer knows it', () => {
  it('is unknown before the first look, and when the last one is old', async () => {
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(false);
    await add();
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(true);
    now += LOOK_VALID_MS;
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(true);
    now += 1;
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(false);
  });

  it('counts what the producer itself has added since, at once', async () => {
    await add();
    // Their answers have not come, nor that of another look.
    const added = Array.from({ length: FAR - 2 }, () => {
      lengths.onAdded(KEY);
      return redis.command('XADD', KEY, '*', 'c', 'x');
    });
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(true);
    lengths.onAdded(KEY);
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(false);
    expect(lengths.isFarFromFull(KEY, 2 * MOST)).toBe(true);
    expect(lengths.isFarFromFull('another', MOST)).toBe(false);
    await Promise.all(added);
  });

  it('is looked at again while requests are sent, twice within its time, and not for each', async () => {
    await redis.command('CONFIG', 'RESETSTAT');
    for (; now <= 1_000 + 5 * LOOK_VALID_MS; now += 1) await add();
    expect(await looks()).toBe(11);
  });

  it('shows what others have added and what has left, from the next look on', async () => {
    await add();
    await fill(FAR);
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(true);
    now += LOOK_VALID_MS;
    await add();
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(false);
    await redis.command('DEL', KEY);
    now += LOOK_VALID_MS;
    await add();
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(true);
  });

  it('becomes unknown where Redis does not answer, and is looked at again later', async () => {
    await add();
    await redis.command('ACL', 'SETUSER', 'default', '-xlen');
    now += LOOK_VALID_MS;
    await add();
    now += 1;
    expect(lengths.isFarFromFull(KEY, MOST)).toBe(false);
    await redis.command('ACL', 'SETUSER', 'default', '+xlen');
    now += LOOK_VALID_MS;
    await add();
    await waitUntil('it is known', () => lengths.isFarFromFull(KEY, MOST));
  });
});
