import { describe, expect, it } from 'vitest';
import { DAY_MS, MINUTE_MS, RETENTION_DEFAULTS } from '../../src/structures/index.ts';
import { useTestData } from '../support/use-test-data.ts';

describe('visits of a session', () => {
  const stage = useTestData();
  const page = (name: string): string => stage.itemKey.of('page', name);
  const ttls = async (session: string): Promise<number[]> => {
    const keys = await stage.redis.command<string[]>('KEYS', `*:${session}:*`);
    return Promise.all(keys.map((key) => stage.redis.command<number>('TTL', key)));
  };

  it('tells what it was like before, but for the two counts', async () => {
    const { visits } = stage.data;
    expect(await visits.record('v', page('/a'))).toEqual({
      totalPages: 1,
      uniquePages: 1,
      previouslyVisited: false,
      lastMinutes: [false, false, false, false, false],
      thisMinute: false,
    });
    stage.clock.now += 2 * MINUTE_MS;
    expect(await visits.record('v', page('/b'))).toMatchObject({
      totalPages: 2,
      uniquePages: 2,
      previouslyVisited: false,
    });
    expect(await visits.record('v', page('/a'))).toEqual({
      totalPages: 3,
      uniquePages: 2,
      previouslyVisited: true,
      lastMinutes: [false, false, false, true, false],
      thisMinute: true,
    });
  });

  it('minutes run over midnight, for every offset', async () => {
    const { visits } = stage.data;
    const midnight = Date.UTC(2026, 2, 20);
    for (let minute = -6; minute < 7; minute += 1) {
      const { lastMinutes } = await visits.record('midnight', page('/'), midnight + minute * MINUTE_MS);
      expect({ minute, active: lastMinutes.filter((active) => active).length }).toEqual({
        minute,
        active: Math.min(5, minute + 6),
      });
    }
  });

  it('reading counts nothing and makes no key', async () => {
    const before = await stage.redis.command('DBSIZE');
    expect(await stage.data.visits.read('nobody')).toMatchObject({
      totalPages: 0,
      uniquePages: 0,
      activeMinutes: 0,
      firstActiveMinute: undefined,
    });
    expect(await stage.redis.command('DBSIZE')).toBe(before);
    for (const minute of [0, 0, 2])
      await stage.data.visits.record('v', page('/a'), stage.clock.now + minute * MINUTE_MS);
    const read = await stage.data.visits.read('v');
    expect(read).toMatchObject({ totalPages: 3, activeMinutes: 2, uniquePagesExact: true });
    expect(await stage.data.visits.read('v')).toEqual(read);
  });

  it('a bounce lives half an hour, a visitor 30 days, by every one of its keys', async () => {
    const { visits, seenItems, readNotices } = stage.data;
    const { seconds, bounceSeconds } = RETENTION_DEFAULTS;
    await visits.record('ttl', page('/a'));
    expect(await ttls('ttl')).toHaveLength(3);
    for (const ttl of await ttls('ttl')) expect(Math.abs(ttl - bounceSeconds)).toBeLessThanOrEqual(2);
    await seenItems.mark('ttl', 'item', ['1'], 60);
    await readNotices.mark('ttl', [{ group: 'g', sequence: 5 }], ['x'], 60);
    stage.clock.now += DAY_MS;
    await visits.record('ttl', page('/a'));
    // All that a session may have, but for the counts beside large forms.
    const large = [stage.keys.uniqueCount('ttl', 'page'), stage.keys.uniqueCount('ttl', 'item')];
    const small = stage.keys.all('ttl').filter((key) => !large.includes(key));
    expect(await stage.redis.command('KEYS', '*:ttl:*')).toEqual(expect.arrayContaining(small));
    for (const ttl of await ttls('ttl')) expect(Math.abs(ttl - seconds)).toBeLessThanOrEqual(2);
  });

  it('expiry slides with each active minute, and with a page that makes a key', async () => {
    const { visits } = stage.data;
    for (let i = 0; i < 65; i += 1) await visits.record('slides', page(`/${i}`));
    for (const ttl of await ttls('slides')) expect(ttl).toBeGreaterThan(RETENTION_DEFAULTS.seconds - 3);
    for (const key of await stage.redis.command<string[]>('KEYS', '*:slides:*'))
      await stage.redis.command('EXPIRE', key, '50');
    stage.clock.now += MINUTE_MS;
    await visits.record('slides', page('/0'));
    for (const ttl of await ttls('slides')) expect(ttl).toBeGreaterThan(RETENTION_DEFAULTS.seconds - 3);
  });

  it('a view costs one round trip and never more than its commands', async () => {
    const { visits } = stage.data;
    await visits.record('calls', page('/a'));
    await stage.redis.command('CONFIG', 'RESETSTAT');
    await visits.record('calls', page('/b'));
    const stats = await stage.redis.command<string>('INFO', 'commandstats');
    const calls = [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].filter(
      ([, name]) => !['info', 'config|resetstat'].includes(name!),
    );
    expect(calls.find(([, name]) => name === 'evalsha')?.[2]).toBe('1');
    const inner = calls.filter(([, name]) => name !== 'evalsha').reduce((sum, [, , count]) => sum + Number(count), 0);
    expect(inner).toBeLessThanOrEqual(15);
  });

  it('10,000 sessions with 20 views of 12 pages in 10 minutes: at most 1,024 bytes each, all told', async () => {
    const { visits } = stage.data;
    const usedMemory = async (): Promise<number> => {
      await stage.redis.command('MEMORY', 'PURGE');
      return Number(/^used_memory:(\d+)/m.exec(await stage.redis.command<string>('INFO', 'memory'))![1]);
    };
    // Redis 7 allots 25 kB of latency histogram at the first call of each command: not a session's cost.
    for (let view = 0; view < 20; view += 1)
      await visits.record('warm-up', page(`/p${view}`), Date.UTC(2026, 2, 25, 23, view));
    const sessions = 10_000;
    // The last minutes of a day: the bitmap is at its longest.
    const start = Date.UTC(2026, 2, 25, 23, 48);
    const before = await usedMemory();
    for (let view = 0; view < 20; view += 1) {
      for (let from = 0; from < sessions; from += 1000) {
        await Promise.all(
          Array.from({ length: 1000 }, (_, i) =>
            visits.record(
              `aaaaaaaaaaaaaaaaaaaa${String(from + i).padStart(5, '0')}`,
              page(`/p${view % 12}`),
              start + Math.floor(view / 2) * MINUTE_MS,
            ),
          ),
        );
      }
    }
    const bytes = ((await usedMemory()) - before) / sessions;
    console.log(`calculated data: ${bytes.toFixed(0)} bytes a session (goal 768, limit 1,024)`);
    expect(bytes).toBeLessThanOrEqual(1024);
  }, 120_000);
});
