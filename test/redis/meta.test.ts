import { describe, expect, it } from 'vitest';
import {
  claimOrCheckMeta,
  FORMAT_VERSION,
  Keys,
  MetaMismatchError,
  PARTITIONS,
  readMeta,
} from '../../src/redis/index.ts';
import { useRedis } from '../support/use-redis.ts';

const keys = new Keys('sw');
const OURS = { filter: 'portable', fingerprint: '0123456789abcdef' } as const;

const { redis } = useRedis();

async function failureOf(ours: { filter: 'portable' | 'native'; fingerprint: string }): Promise<MetaMismatchError> {
  const error = await claimOrCheckMeta(redis, keys, ours).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MetaMismatchError);
  return error as MetaMismatchError;
}

describe('the meta record of a namespace', () => {
  it('is set where it is absent, once, and never expires', async () => {
    expect(await readMeta(redis, keys)).toBeUndefined();
    const claimed = await claimOrCheckMeta(redis, keys, OURS);
    expect(claimed).toEqual({ format: FORMAT_VERSION, partitions: PARTITIONS, ...OURS });
    expect(await readMeta(redis, keys)).toEqual(claimed);
    expect(await claimOrCheckMeta(redis, keys, OURS)).toEqual(claimed);
    expect(await redis.command('TTL', keys.meta())).toBe(-1);
    expect(await redis.command('DBSIZE')).toBe(1);
  });

  it('is read without being made', async () => {
    await readMeta(redis, keys);
    expect(await redis.command('DBSIZE')).toBe(0);
  });

  it('tells another secret, and what to do', async () => {
    await claimOrCheckMeta(redis, keys, OURS);
    const error = await failureOf({ ...OURS, fingerprint: 'fedcba9876543210' });
    expect(error.code).toBe('WRONG_KEY');
    expect(error.message).toContain('"sw"');
    expect(error.message).toContain('SESSIONWISE_SECRET');
    expect(error.message).toContain('--namespace');
    expect(error.message).not.toMatch(/0123456789abcdef|fedcba9876543210/);
  });

  it('tells another engine, and what to do', async () => {
    await claimOrCheckMeta(redis, keys, OURS);
    const error = await failureOf({ ...OURS, filter: 'native' });
    expect(error).toMatchObject({ code: 'WRONG_FORMAT' });
    expect(error.message).toContain('set "filter.engine" to "portable"');
  });

  it.each([
    ['format', '1'],
    ['format', '3'],
    ['partitions', '128'],
  ])('tells another format: %s %s', async (field, value) => {
    await claimOrCheckMeta(redis, keys, OURS);
    await redis.command('HSET', keys.meta(), field, value);
    const error = await failureOf(OURS);
    expect(error).toMatchObject({ code: 'WRONG_FORMAT' });
    expect(error.message).toContain(`needs ${FORMAT_VERSION} with ${PARTITIONS}. `);
    expect(error.message).toMatch(
      /cannot be converted: use another --namespace, or the version that made it \(docs\/operations\.md, Upgrades\)\.$/,
    );
  });

  it.each(['x', '', '0', undefined])('tells a record that names no format, and what to do: %s', async (format) => {
    await redis.command('HSET', keys.meta(), 'something', 'else');
    if (format !== undefined) await redis.command('HSET', keys.meta(), 'format', format);
    const error = await failureOf(OURS);
    expect(error).toMatchObject({ code: 'WRONG_FORMAT' });
    expect(error.message).toMatch(/sw:meta that names no format.*use another --namespace, or delete that key/);
    expect(error.message).not.toContain('NaN');
  });

  it('is not changed by a claim that fails', async () => {
    await claimOrCheckMeta(redis, keys, OURS);
    await failureOf({ filter: 'native', fingerprint: 'fedcba9876543210' });
    expect(await readMeta(redis, keys)).toMatchObject(OURS);
  });

  it('is one for each namespace', async () => {
    await claimOrCheckMeta(redis, keys, OURS);
    const other = { ...OURS, fingerprint: 'fedcba9876543210' };
    expect(await claimOrCheckMeta(redis, new Keys('shop'), other)).toMatchObject(other);
  });

  it('has one winner, whole, where many claim at once', async () => {
    const others = await Promise.all(Array.from({ length: 8 }, () => redis.duplicate().connect()));
    for (let round = 0; round < 20; round += 1) {
      await redis.command('DEL', keys.meta());
      const outcomes = await Promise.allSettled(
        others.map((other, i) =>
          claimOrCheckMeta(other, keys, {
            filter: i % 2 === 0 ? 'portable' : 'native',
            fingerprint: `000000000000000${i}`,
          }),
        ),
      );
      const won = outcomes.flatMap((outcome, i) => (outcome.status === 'fulfilled' ? [i] : []));
      expect(won).toHaveLength(1);
      expect(await readMeta(redis, keys)).toMatchObject({
        filter: won[0]! % 2 === 0 ? 'portable' : 'native',
        fingerprint: `000000000000000${won[0]}`,
      });
      const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
      expect(lost).toEqual(Array.from({ length: 7 }, () => 'WRONG_KEY'));
    }
    await Promise.all(others.map((other) => other.close()));
  });

  it('says where a key of that name is something else', async () => {
    await redis.command('SET', keys.meta(), 'x');
    await expect(claimOrCheckMeta(redis, keys, OURS)).rejects.toThrow('WRONGTYPE');
    expect(await redis.command('GET', keys.meta())).toBe('x');
  });
});
