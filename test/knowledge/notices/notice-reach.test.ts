import { describe, expect, it } from 'vitest';
import { MARKS, NOTICE_CAP } from '../../../src/knowledge/index.ts';
import { groupList, useNotices } from '../../support/use-notices.ts';

/* How many saw and read a notice, and what an audience costs. */

describe('the reach of a notice', () => {
  const stage = useNotices();
  const { publish, mark } = stage;
  const { reach } = stage.knowledge.notices;
  /** How many commands of a name Redis has done since it was asked last. */
  const callsOf = async (name: string): Promise<number> => {
    const stats = await stage.redis.command<string>('INFO', 'commandstats');
    await stage.redis.command('CONFIG', 'RESETSTAT');
    return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  };

  it('counts who saw it and who read it; who reads has seen', async () => {
    await publish('reach', 'n');
    expect(await reach.read(['n', 'nobody'])).toEqual([
      { seen: 0, read: 0 },
      { seen: 0, read: 0 },
    ]);
    await mark('a', 'seen', 'n');
    expect(await reach.read(['n'])).toEqual([{ seen: 1, read: 0 }]);
    await mark('b', 'read', 'n');
    await mark('c', 'dismissed', 'n');
    expect(await reach.read(['n'])).toEqual([{ seen: 3, read: 2 }]);
    await mark('a', 'read', 'n');
    await mark('b', 'unread', 'n');
    expect(await reach.read(['n'])).toEqual([{ seen: 3, read: 3 }]);
    // To be read later, and then read for the first time.
    await mark('d', 'unread', 'n');
    expect(await reach.read(['n'])).toEqual([{ seen: 4, read: 3 }]);
    await mark('d', 'read', 'n');
    expect(await reach.read(['n'])).toEqual([{ seen: 4, read: 4 }]);
  });

  it('tells in which hours they did for the first time, of the last five weeks', async () => {
    await publish('hours', 'by-hour');
    await mark('a', 'seen', 'by-hour');
    await mark('a', 'read', 'by-hour');
    await mark('b', 'read', 'by-hour');
    await mark('b', 'seen', 'by-hour');
    const hours = await reach.hours('by-hour');
    // Over the end of an hour there are two.
    expect(hours.length).toBeLessThanOrEqual(2);
    expect(hours.every(({ at }) => at % 3_600_000 === 0 && Math.abs(Date.now() - at) < 2 * 3_600_000)).toBe(true);
    expect(hours.reduce((sum, { seen }) => sum + seen, 0)).toBe(2);
    expect(hours.reduce((sum, { read }) => sum + read, 0)).toBe(2);
    const keys = await stage.redis.command<string[]>('KEYS', '*:hours:*');
    expect(keys).toHaveLength(hours.length);
    for (const key of keys) expect(await stage.redis.command<number>('TTL', key)).toBeGreaterThan(34 * 86_400);
    expect(await reach.hours('nobody')).toEqual([]);
  });

  it('is written at most once for each subject, notice and kind, however often it marks', async () => {
    for (const group of ['once-1', 'once-2']) await publish(group, 'once');
    await callsOf('pfadd');
    await mark('v', 'seen', 'once');
    expect(await callsOf('pfadd')).toBe(1);
    for (const as of ['seen', 'seen'] as const) await mark('v', as, 'once');
    expect(await callsOf('pfadd')).toBe(0);
    await mark('v', 'read', 'once');
    expect(await callsOf('pfadd')).toBe(1);
    for (const as of ['read', 'dismissed', 'unread', 'read'] as const) await mark('v', as, 'once');
    expect(await callsOf('pfadd')).toBe(0);
    // Both at once, and foreign ids are counted for nobody.
    await mark('w', 'read', 'once', 'foreign');
    expect(await callsOf('pfadd')).toBe(2);
    expect(await reach.read(['once', 'foreign'])).toEqual([
      { seen: 2, read: 2 },
      { seen: 0, read: 0 },
    ]);
  });

  it('keeps no mark from being done and told where it cannot be written', async () => {
    await publish('broken', 'b');
    const { notices, items } = stage.knowledge;
    await stage.redis.command('SET', stage.keys.noticeReach(items.of('notice', 'b'), 'read'), 'no estimate');
    const entries = (): Promise<number> => stage.redis.command<number>('XLEN', stage.keys.live());
    const before = await entries();
    expect(await notices.markIds(stage.knowledge.read('v'), ['b'], MARKS.read)).toBe(1);
    expect([await stage.unread('v', 'broken'), (await entries()) - before]).toEqual([[], 1]);
  });

  it('of two notices cannot be compared: that the same subjects saw both does not show', async () => {
    for (const id of ['one', 'two']) await publish('compare', id);
    const subjects = Array.from({ length: 200 }, (_, i) => `subject-${i}`);
    for (const subject of subjects) await mark(subject, 'seen', 'one', 'two');
    const keys = ['one', 'two'].map((id) => stage.keys.noticeReach(stage.knowledge.items.of('notice', id), 'seen'));
    const both = await stage.redis.command<number>('PFCOUNT', ...keys);
    // Twice as many as in each: no member of one is a member of the other.
    expect(both).toBeGreaterThan(380);
    for (const { seen } of await reach.read(['one', 'two'])) expect(Math.abs(seen - 200)).toBeLessThan(10);
    for (const key of keys) expect(await stage.redis.command<number>('TTL', key)).toBeGreaterThan(399 * 86_400);
  });
});

describe('an audience of a million', () => {
  const stage = useNotices();
  const { publish, mark } = stage;

  /** What one publish costs: commands that Redis does, and bytes that it holds more. */
  const costOf = async (group: string, id: string): Promise<{ commands: number; bytes: number; keys: number }> => {
    await stage.redis.command('CONFIG', 'RESETSTAT');
    const before = await used();
    await publish(group, id);
    const stats = await stage.redis.command<string>('INFO', 'commandstats');
    const calls = [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)]
      .filter(([, name]) => !/^(info|config|dbsize|keys|memory)/.test(name!))
      .map(([, , count]) => Number(count));
    const after = await used();
    return {
      commands: calls.reduce((sum, count) => sum + count, 0),
      bytes: after.bytes - before.bytes,
      keys: after.keys - before.keys,
    };
  };
  const used = async (): Promise<{ bytes: number; keys: number }> => {
    // Without the bounded stream, which grows by blocks of some entries.
    const keys = (await stage.redis.command<string[]>('KEYS', '*@*')).filter((key) => key !== stage.keys.live());
    const sizes = await Promise.all(
      keys.map((key) => stage.redis.command<number>('MEMORY', 'USAGE', key, 'SAMPLES', '0')),
    );
    return { bytes: sizes.reduce((sum, size) => sum + size, 0), keys: await stage.redis.command<number>('DBSIZE') };
  };

  it('costs a publish no more than an audience of one, and a member who did nothing no byte', async () => {
    for (const group of ['one', 'million']) await publish(group, `first-${group}`);
    const one = await costOf('one', 'x-1');
    // The members of a group stand nowhere: the application says for each page to which its visitor belongs. A thousand
    // of the million look, and Redis holds nothing more of them.
    const { keys } = await used();
    const [MEMBERS, READERS] = [1_000, 300];
    for (let i = 0; i < MEMBERS; i += 1) await stage.unread(`member-${i}`, 'million');
    expect((await used()).keys).toBe(keys);
    const million = await costOf('million', 'x-2');
    expect(million.commands).toBe(one.commands);
    expect(million.keys).toBe(one.keys);
    expect(Math.abs(million.bytes - one.bytes)).toBeLessThan(64);
    // Nor where many of them have read what came before.
    for (let i = 10; i < 10 + READERS; i += 1) await mark(`member-${i}`, 'read', 'x-2');
    expect((await used()).keys - keys).toBeGreaterThanOrEqual(2 * READERS);
    const read = await costOf('million', 'x-3');
    expect([read.commands, read.keys]).toEqual([one.commands, one.keys]);
    expect(Math.abs(read.bytes - one.bytes)).toBeLessThan(64);
    // Who reads pays for itself.
    const bytesOf = async (member: string): Promise<number> => {
      const own = [stage.keys.subject(member), stage.keys.noticeStates(member)];
      const sizes = await Promise.all(own.map((key) => stage.redis.command<number>('MEMORY', 'USAGE', key)));
      return sizes.reduce((sum, size) => sum + (size ?? 0), 0);
    };
    await mark('member-1', 'read', 'x-2');
    const first = await bytesOf('member-1');
    for (let i = 0; i < 50; i += 1) await publish('million', `m-${i}`);
    for (let i = 0; i < 50; i += 1) await mark('member-1', 'read', `m-${i}`);
    const after50 = await bytesOf('member-1');
    console.log('An audience:', JSON.stringify({ publish: million, readOne: first, readFifty: after50 }));
    expect(first).toBeLessThan(400);
    expect(after50 - first).toBeLessThan(64);
    expect(NOTICE_CAP).toBe(1000);
    expect(await stage.unread('member-2', 'million')).toHaveLength(53);
    expect((await stage.knowledge.notices.lists.read(groupList('million'))).notices).toHaveLength(53);
  }, 60_000);
});
