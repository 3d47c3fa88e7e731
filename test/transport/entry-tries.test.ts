import { describe, expect, it } from 'vitest';
import { type CommandConnection, Keys } from '../../src/redis/index.ts';
import { EntryTries } from '../../src/transport/streams/entry-tries.ts';
import { PartitionSteps } from '../../src/transport/streams/partition-steps.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const keys = new Keys('sw');
const PARTITION = 7;

const { redis } = useRedis();

/** An ownership of the partition, with what it knows. `over`: what its steps go over. */
async function ownership(instance: string, present: readonly string[] = [], over: CommandConnection = redis) {
  const token = `${instance}:1`;
  await redis.command('SET', keys.owner(PARTITION), token);
  const steps = new PartitionSteps(over, redis, keys, PARTITION, token);
  const tries = new EntryTries(
    steps,
    token,
    (other) => present.includes(other),
    () => false,
  );
  const known = await redis.command<Record<string, string>>('HGETALL', keys.tries(PARTITION));
  tries.know(Object.entries(known).flat());
  return tries;
}

const textOf = (id: string): Promise<string | null> => redis.command('HGET', keys.tries(PARTITION), id);

describe('the mark of a try of a stream entry', () => {
  it('is taken back where the answer to setting it was lost: its process lives', async () => {
    // The command is done, and its answer never comes.
    const cut: CommandConnection = {
      knownScripts: (key) => redis.knownScripts(key),
      commandForBuffers: (...args) => redis.commandForBuffers(...args),
      command: async (...args) => {
        await redis.command(...args);
        throw new Error('Socket closed unexpectedly');
      },
    };
    const tries = await ownership('cut', [], cut);
    await expect(tries.mark('1-0', async () => 'left')).rejects.toThrow('Socket closed');
    await waitUntil('the mark is taken back', async () => (await textOf('1-0')) === null);
  });

  it('is taken back though another instance owns the partition by then', async () => {
    const tries = await ownership('first');
    await expect(
      tries.mark('2-0', async () => {
        await ownership('second');
        throw new Error('Redis did not do it');
      }),
    ).rejects.toThrow('did not do it');
    await waitUntil('the mark is taken back', async () => (await textOf('2-0')) === null);
  });

  it('stays where its process ends, and counts once it is silent; three are enough', async () => {
    for (const instance of ['a', 'b', 'c']) {
      const dying = await ownership(instance, []);
      void dying.mark('3-0', () => new Promise(() => {}));
      await waitUntil('the mark is set', async () => (await textOf('3-0'))?.includes(`${instance}:1`) ?? false);
    }
    expect(await textOf('3-0')).toBe('0 a:1 b:1 c:1');
    const next = await ownership('d', []);
    expect(next.countOf('3-0')).toBe(3);
    expect(await next.isEnough('3-0')).toBe(true);
    // One's own mark says nothing: this process lives.
    expect(await (await ownership('c', [])).isEnough('3-0')).toBe(false);
  });

  it('of an instance that is still there is waited for, and then does not count', async () => {
    const alive = await ownership('alive');
    for (const instance of ['x', 'y']) {
      const dying = await ownership(instance);
      void dying.mark('4-0', () => new Promise(() => {}));
      await waitUntil('the mark is set', async () => (await textOf('4-0'))?.includes(`${instance}:1`) ?? false);
    }
    let end: () => void = () => {};
    await redis.command('SET', keys.owner(PARTITION), 'alive:1');
    const trying = alive.mark('4-0', () => new Promise((resolve) => (end = () => resolve('ended'))));
    await waitUntil('three marks are set', async () => (await textOf('4-0'))?.split(' ').length === 4);
    const next = await ownership('next', ['alive']);
    const isEnough = next.isEnough('4-0');
    end();
    await trying;
    expect(await isEnough).toBe(false);
    expect(next.countOf('4-0')).toBe(2);
  });

  it('is taken back where a process ends in good order with the try under way', async () => {
    const leaving = await ownership('leaving');
    void leaving.mark('5-0', () => new Promise(() => {}));
    await waitUntil('the mark is set', async () => (await textOf('5-0')) !== null);
    leaving.takeAllBack();
    await waitUntil('the mark is taken back', async () => (await textOf('5-0')) === null);
  });
});

describe('a try of a stream entry that fails', () => {
  it('counts, whether it had a mark or not', async () => {
    const tries = await ownership('owner');
    await tries.fail('6-0');
    expect(tries.countOf('6-0')).toBe(1);
    await tries.mark('6-0', async () => new Error('no'));
    await tries.mark('6-0', async () => new Error('no'));
    expect(await textOf('6-0')).toBe('3');
    expect(await tries.isEnough('6-0')).toBe(true);
  });
});
