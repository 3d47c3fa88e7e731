import { describe, expect, it } from 'vitest';
import { NOTICE_CAP } from '../../../src/knowledge/index.ts';
import { FOREIGN_NOTICE_CAP } from '../../../src/knowledge/notices/scripts/notice-states-lua.ts';
import { shownBy, useNotices } from '../../support/use-notices.ts';

/* What a subject did with notices: exact over a whole list, however long it lasts. */

describe('what a subject did with notices', () => {
  const stage = useNotices();
  const { publish, unread, hashOf } = stage;
  const { notices } = stage.knowledge;
  const mark = (subject: string, ...ids: string[]): Promise<number> => stage.mark(subject, 'read', ...ids);
  const statesOf = (subject: string): Promise<Buffer[]> =>
    stage.redis.commandForBuffers<Buffer[]>('HVALS', stage.keys.noticeStates(subject));

  it('is written with one read and one write of each list, however many are marked', async () => {
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

  it('is known of a list that was deleted and made anew many years later', async () => {
    const sequences = [1.7e15, 1.7e15 + 30 * 365 * 86_400e6];
    for (const [i, sequence] of sequences.entries()) {
      const index = stage.keys.noticeListIndex(hashOf('anew'));
      await stage.redis.command(
        'DEL',
        stage.keys.noticeList(hashOf('anew')),
        stage.keys.noticeRevisions(hashOf('anew')),
      );
      await stage.redis.command('DEL', index);
      // The list's first number; its revisions go on, so that the service reads it again.
      await stage.redis.command('HSET', index, 'seq', String(sequence - 1), 'rev', String(100 * (i + 1)));
      await publish('anew', `anew-${i}`);
      for (let subject = 0; subject < 60; subject += 1) {
        await mark(`lasting-${subject}`, `anew-${i}`);
        expect(await unread(`lasting-${subject}`, 'anew')).toEqual([]);
      }
      expect(await unread('stranger', 'anew')).toContain(`anew-${i}`);
    }
  });

  it('is exact over the whole list, marked in any order', async () => {
    const ids = Array.from({ length: NOTICE_CAP }, (_, i) => `r${i}`);
    for (const id of ids) await publish('ring', id);
    const shuffled = ids.map((id, i) => ({ id, rank: (i * 7919) % NOTICE_CAP })).sort((a, b) => a.rank - b.rank);
    const half = shuffled.slice(0, NOTICE_CAP / 2).map(({ id }) => id);
    for (let i = 0; i < half.length; i += 50) await mark('reader', ...half.slice(i, i + 50));
    expect(new Set(await unread('reader', 'ring'))).toEqual(
      new Set(shuffled.slice(NOTICE_CAP / 2).map(({ id }) => id)),
    );
    expect(await notices.states.countRead('reader')).toBe(NOTICE_CAP / 2);
    expect(await unread('stranger', 'ring')).toHaveLength(NOTICE_CAP);
  });

  it('never hides an unread notice, however many have come and gone', async () => {
    // Every third is read; the list drops its oldest, and the states move on with it.
    const model = new Set<string>();
    for (let i = 0; i < 2.3 * NOTICE_CAP; i += 1) {
      await publish('round', `o${i}`);
      if (i % 3 === 0) {
        await mark('often', `o${i}`);
        model.add(`o${i}`);
      }
      if (i % 331 === 0 || i === 2.3 * NOTICE_CAP - 1) {
        const { notices: kept } = await notices.lists.read({ kind: 'group', name: 'round' });
        const listed = kept.map(({ id }) => id);
        expect(listed).toHaveLength(Math.min(i + 1, NOTICE_CAP));
        expect((await unread('often', 'round')).sort()).toEqual(listed.filter((id) => !model.has(id)).sort());
      }
    }
    const [states] = await statesOf('often');
    expect(states!.length).toBeLessThanOrEqual(9 + NOTICE_CAP / 2);
  }, 60_000);

  it('says nothing of what was published while the subject was long away: it is unread, all of it', async () => {
    await publish('away', 'first');
    await mark('sleeper', 'first');
    for (let i = 0; i < NOTICE_CAP + 10; i += 1) await publish('away', `later${i}`);
    expect(await unread('sleeper', 'away')).toHaveLength(NOTICE_CAP);
    await mark('sleeper', `later${NOTICE_CAP + 9}`, 'later500');
    expect(await unread('sleeper', 'away')).toHaveLength(NOTICE_CAP - 2);
  });

  it('does not hold for a list that was deleted and made anew: no number is used twice', async () => {
    await publish('again', 'a');
    await mark('keeps', 'a');
    expect(await unread('keeps', 'again')).toEqual([]);
    const hash = hashOf('again');
    const sequence = async (): Promise<number> =>
      Number(await stage.redis.command('HGET', stage.keys.noticeListIndex(hash), 'seq'));
    const before = await sequence();
    await stage.redis.command(
      ...(['DEL', stage.keys.noticeList(hash), stage.keys.noticeRevisions(hash)] as const),
      stage.keys.noticeListIndex(hash),
    );
    await publish('again', 'b');
    expect(await sequence()).toBeGreaterThan(before);
    // A service that knew the old list.
    expect(await unread('keeps', 'again')).toContain('b');
    // One that did not.
    expect(await shownBy(stage.with({}), 'keeps', ['again'])).toEqual([{ id: 'b', seen: false, read: false }]);
  });

  it('of lists that the application keeps is exact to 1,024 ids, then the oldest is forgotten', async () => {
    const has = (...ids: string[]): Promise<boolean[]> =>
      notices.states.hasForeign(stage.knowledge.read('foreign'), ids);
    const ids = Array.from({ length: FOREIGN_NOTICE_CAP }, (_, i) => `f${i}`);
    for (let i = 0; i < ids.length; i += 100) await mark('foreign', ...ids.slice(i, i + 100));
    expect((await has(...ids)).includes(false)).toBe(false);
    expect(await has('never')).toEqual([false]);
    await mark('foreign', 'f0', 'one-more');
    expect(await has('f0', 'f1', 'one-more')).toEqual([false, true, true]);
  });

  it('of lists that the application keeps is taken back by "unread", counts as read by "dismissed", and knows no "seen"', async () => {
    const has = (...ids: string[]): Promise<boolean[]> => notices.states.hasForeign(stage.knowledge.read('undo'), ids);
    await publish('undo', 'ours');
    expect(await stage.mark('undo', 'seen', 'x', 'y')).toBe(0);
    expect(await has('x', 'y')).toEqual([false, false]);
    expect(await stage.mark('undo', 'read', 'x', 'y', 'ours')).toBe(3);
    expect(await stage.mark('undo', 'dismissed', 'z')).toBe(1);
    expect(await has('x', 'y', 'z', 'ours')).toEqual([true, true, true, false]);
    expect(await stage.mark('undo', 'unread', 'x', 'z', 'ours', 'never')).toBe(4);
    expect(await has('x', 'y', 'z', 'never')).toEqual([false, true, false, false]);
    expect(await unread('undo', 'undo')).toEqual(['ours']);
    expect(await stage.mark('undo', 'read', 'x')).toBe(1);
    expect(await has('x', 'y')).toEqual([true, true]);
  });

  it('has nothing in common with another subject who read the same: not the field of the list, not its numbers', async () => {
    for (let i = 0; i < 3; i += 1) await publish('same', `same-${i}`);
    for (const subject of ['one', 'two']) await mark(subject, 'same-0', 'same-2');
    const firsts = await Promise.all(
      ['one', 'two'].map(async (subject) => (await statesOf(subject))[0]!.readDoubleBE(1)),
    );
    const fields = await Promise.all(
      ['one', 'two'].map((subject) => stage.redis.command<string[]>('HKEYS', stage.keys.noticeStates(subject))),
    );
    expect(fields[0]).not.toEqual(fields[1]);
    const { position } = (await notices.lists.read({ kind: 'group', name: 'same' })).notices[0]!;
    // A microsecond of a day: by chance as near once in 6,000 tries.
    for (const [one, other] of [
      [firsts[0]!, firsts[1]!],
      [firsts[0]!, position.sequence],
      [firsts[1]!, position.sequence],
    ]) {
      expect(Math.abs(one! - other!)).toBeGreaterThan(86_400e6);
    }
    expect(await unread('one', 'same')).toEqual(['same-1']);
  });
});
