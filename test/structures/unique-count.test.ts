import { beforeAll, describe, expect, it } from 'vitest';
import { UniqueCount } from '../../src/structures/index.ts';
import { useTestData } from '../support/use-test-data.ts';

describe('unique count', () => {
  const stage = useTestData();
  let unique: UniqueCount;
  const items = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => stage.itemKey.of('page', `/p${from + i}`));

  beforeAll(async () => {
    unique = new UniqueCount(stage.redis);
  });

  it('adds and counts, the same one once', async () => {
    expect(await unique.count('u')).toBe(0);
    expect(await unique.add('u', items(0, 1))).toBe(true);
    expect(await unique.add('u', items(0, 1))).toBe(false);
    expect(await unique.add('u', [])).toBe(false);
    expect(await unique.count('u')).toBe(1);
  });

  it('merges: two that hold the same one count it once', async () => {
    await unique.add('a', items(0, 1));
    await unique.add('b', items(0, 1));
    expect(await unique.merge('c', ['a', 'b'])).toBe(1);
    expect(await unique.count('c')).toBe(1);
  });

  it('merges large ones, a set of seen items and a missing key, and leaves nothing beside', async () => {
    await unique.add('left', items(0, 5000));
    await unique.add('right', items(2500, 7500));
    await stage.data.seenItems.mark('small', 'page', items(7500, 7530), 100);
    await stage.redis.command('PEXPIRE', 'left', '100000');
    const count = await unique.merge('left', ['right', stage.keys.seenItems('small', 'page'), 'missing']);
    expect(Math.abs(count - 7530) / 7530).toBeLessThan(0.0324);
    expect(await stage.redis.command('EXISTS', 'left:scratch')).toBe(0);
    expect(await stage.redis.command('PTTL', 'left')).toBeGreaterThan(0);
    expect(Math.abs((await unique.count('right')) - 5000) / 5000).toBeLessThan(0.0324);
  });
});
