import { describe, expect, it } from 'vitest';
import { NOTICE_CAP } from '../../src/knowledge/index.ts';
import { FOREIGN_NOTICE_CAP } from '../../src/knowledge/scripts/notices-lua.ts';
import { useTestData } from '../support/use-test-data.ts';

describe('group notices', () => {
  const stage = useTestData();
  const publish = (group: string, id: string) =>
    stage.knowledge.noticeLists.publish(group, { id, text: `text of ${id}` });
  const group = (name: string): number => stage.knowledge.items.of('group', name);
  const unread = async (session: string, group: string): Promise<string[]> => {
    const notices = await stage.knowledge.noticeLists.read(group, NOTICE_CAP);
    const isRead = await stage.knowledge.readNotices.readOf(stage.knowledge.read(session), [
      stage.knowledge.items.of('group', group),
    ]);
    return notices.filter(({ position }) => !isRead(position)).map(({ id }) => id);
  };
  const mark = async (session: string, ...ids: string[]): Promise<void> => {
    const positions = await stage.knowledge.noticeLists.locate(ids);
    await stage.knowledge.markNotices(session, positions.flat(), []);
  };

  it('come newest first, with their time and group', async () => {
    await publish('staff', 'one');
    await publish('staff', 'two');
    const [two, one, ...rest] = await stage.knowledge.noticeLists.read('staff', 10);
    expect(rest).toEqual([]);
    expect(one).toMatchObject({ id: 'one', text: 'text of one', group: 'staff' });
    expect(two!.position.sequence).toBe(one!.position.sequence + 1);
    expect(Math.abs(one!.at - Date.now())).toBeLessThan(60_000);
    expect(await stage.knowledge.noticeLists.read('nobody-there', 10)).toEqual([]);
  });

  it('publishing writes the same few keys whatever the audience, and a retry changes nothing', async () => {
    const first = await publish('retry', 'n');
    const size = await stage.redis.command('DBSIZE');
    expect(await publish('retry', 'n')).toEqual({ ...first, isNew: false });
    expect(await stage.redis.command('DBSIZE')).toBe(size);
    expect(await stage.knowledge.noticeLists.read('retry', 10)).toHaveLength(1);
  });

  it('of one group are marked with one read and one write of its ring, however many', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `many-${i}`);
    for (const id of ids) for (const name of ['one', 'other']) await publish(name, id);
    await stage.redis.command('CONFIG', 'RESETSTAT');
    await mark('diligent', ...ids);
    const stats = await stage.redis.command<string>('INFO', 'commandstats');
    const callsOf = (name: string): string | undefined => new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1];
    expect([callsOf('hget'), callsOf('hset')]).toEqual(['2', '2']);
    expect(await unread('diligent', 'one')).toEqual([]);
    expect(await unread('diligent', 'other')).toEqual([]);
  });

  it('are marked in a group that was deleted and made anew many years later', async () => {
    const { knowledge } = stage;
    const sequences = [1.7e15, 1.7e15 + 30 * 365 * 86_400e6];
    for (let i = 0; i < 60; i += 1) {
      for (const sequence of sequences) {
        const position = { group: group('anew'), sequence };
        await knowledge.markNotices(`lasting-${i}`, [position], []);
        const isRead = await knowledge.readNotices.readOf(knowledge.read(`lasting-${i}`), [position.group]);
        expect(isRead(position)).toBe(true);
      }
    }
  });

  it('a retry mends an index whose write was lost', async () => {
    const { sequence } = await publish('mend', 'lost');
    await stage.redis.command('DEL', stage.keys.noticeIndex(stage.knowledge.items.of('notice', 'lost')));
    expect(await stage.knowledge.noticeLists.locate(['lost'])).toEqual([[]]);
    await publish('mend', 'lost');
    expect(await stage.knowledge.noticeLists.locate(['lost'])).toEqual([[{ group: group('mend'), sequence }]]);
  });

  it('read state is exact over the whole list, marked in any order', async () => {
    const ids = Array.from({ length: NOTICE_CAP }, (_, i) => `r${i}`);
    for (const id of ids) await publish('ring', id);
    const shuffled = ids.map((id, i) => ({ id, rank: (i * 7919) % NOTICE_CAP })).sort((a, b) => a.rank - b.rank);
    const half = shuffled.slice(0, NOTICE_CAP / 2).map(({ id }) => id);
    for (let i = 0; i < half.length; i += 50) await mark('reader', ...half.slice(i, i + 50));
    expect(new Set(await unread('reader', 'ring'))).toEqual(
      new Set(shuffled.slice(NOTICE_CAP / 2).map(({ id }) => id)),
    );
    expect(await stage.knowledge.readNotices.countRead('reader')).toBe(NOTICE_CAP / 2);
    expect(await unread('stranger', 'ring')).toHaveLength(NOTICE_CAP);
  });

  it('an unread notice is never hidden, however often the ring goes round', async () => {
    // Every third is read; the list drops its oldest, and the ring meets each bit more than twice.
    const model = new Set<string>();
    for (let i = 0; i < 2.3 * NOTICE_CAP; i += 1) {
      await publish('round', `o${i}`);
      if (i % 3 === 0) {
        await mark('often', `o${i}`);
        model.add(`o${i}`);
      }
      if (i % 331 === 0 || i === 2.3 * NOTICE_CAP - 1) {
        const listed = (await stage.knowledge.noticeLists.read('round', NOTICE_CAP)).map(({ id }) => id);
        expect(listed).toHaveLength(Math.min(i + 1, NOTICE_CAP));
        expect(await unread('often', 'round')).toEqual(listed.filter((id) => !model.has(id)));
      }
    }
  }, 60_000);

  it('long away: what was published meanwhile is unread, all of it', async () => {
    await publish('away', 'first');
    await mark('sleeper', 'first');
    for (let i = 0; i < NOTICE_CAP + 10; i += 1) await publish('away', `later${i}`);
    expect(await unread('sleeper', 'away')).toHaveLength(NOTICE_CAP);
    await mark('sleeper', `later${NOTICE_CAP + 9}`, 'later500');
    expect(await unread('sleeper', 'away')).toHaveLength(NOTICE_CAP - 2);
  });

  it('what fell off the list leaves nothing in the indexes', async () => {
    for (let i = 0; i < NOTICE_CAP + 5; i += 1) await publish('drop', `d${i}`);
    expect(await stage.knowledge.noticeLists.locate(['d4', 'd5'])).toEqual([
      [],
      [expect.objectContaining({ group: group('drop') })],
    ]);
    expect(await stage.redis.command('HLEN', stage.keys.groupIndex(group('drop')))).toBe(NOTICE_CAP + 1);
  });

  it('a group deleted and made anew uses no number twice', async () => {
    const before = await publish('anew', 'a');
    await mark('keeps', 'a');
    await stage.redis.command('DEL', stage.keys.groupList(group('anew')), stage.keys.groupIndex(group('anew')));
    const after = await publish('anew', 'b');
    expect(after.sequence).toBeGreaterThan(before.sequence);
    expect(await unread('keeps', 'anew')).toEqual(['b']);
  });

  it('foreign ids: exact to 1,024, then the oldest is forgotten', async () => {
    const { readNotices } = stage.knowledge;
    const ids = Array.from({ length: FOREIGN_NOTICE_CAP }, (_, i) => `f${i}`);
    for (let i = 0; i < ids.length; i += 100) await stage.knowledge.markNotices('foreign', [], ids.slice(i, i + 100));
    expect((await readNotices.hasForeign(stage.knowledge.read('foreign'), ids)).includes(false)).toBe(false);
    expect(await readNotices.hasForeign(stage.knowledge.read('foreign'), ['never'])).toEqual([false]);
    await stage.knowledge.markNotices('foreign', [], ['f0', 'one-more']);
    expect(await readNotices.hasForeign(stage.knowledge.read('foreign'), ['f0', 'f1', 'one-more'])).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('two subjects that read the same notices have nothing in common: not the field of the group, not its numbers', async () => {
    for (let i = 0; i < 3; i += 1) await publish('same', `same-${i}`);
    for (const subject of ['one', 'two']) await mark(subject, 'same-0', 'same-2');
    const tops = await Promise.all(
      ['one', 'two'].map(async (subject) => {
        const [ring] = await stage.redis.commandForBuffers<Buffer[]>('HVALS', stage.keys.noticeRings(subject));
        return ring!.readDoubleBE(0);
      }),
    );
    const { position } = (await stage.knowledge.noticeLists.read('same', 1))[0]!;
    // A microsecond of a day: by chance as near once in 6,000 tries.
    for (const [one, other] of [
      [tops[0]!, tops[1]!],
      [tops[0]!, position.sequence],
      [tops[1]!, position.sequence],
    ]) {
      expect(Math.abs(one! - other!)).toBeGreaterThan(86_400e6);
    }
    expect(await unread('one', 'same')).toEqual(['same-1']);
  });

  it('a kept list is read anew after the connection was lost: Redis may have come back without its last second', async () => {
    await publish('kept', 'first');
    await publish('kept', 'lost');
    const { noticeLists } = stage.knowledge;
    expect((await noticeLists.read('kept', 10)).map(({ id }) => id)).toEqual(['lost', 'first']);
    // As a Redis does that lost the second notice and then took another one, under the same number.
    const list = stage.keys.groupList(group('kept'));
    const [newest] = await stage.redis.command<string[]>('LRANGE', list, '0', '0');
    await stage.redis.command('LSET', list, '0', newest!.replaceAll('lost', 'urgent'));
    const lost = new Promise<void>((resolve) => stage.redis.once('lost', () => resolve()));
    const back = new Promise<void>((resolve) => stage.redis.once('ready', () => resolve()));
    await stage.redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => undefined);
    await Promise.all([lost, back]);
    expect((await noticeLists.read('kept', 10)).map(({ id }) => id)).toEqual(['urgent', 'first']);
  });

  it('a name that is no group is refused', async () => {
    await expect(publish('', 'x')).rejects.toThrow(/group ""/);
    await expect(publish('a b', 'x')).rejects.toThrow(/"a b"/);
  });
});
