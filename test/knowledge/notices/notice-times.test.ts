import { describe, expect, it } from 'vitest';
import { NOTICE_CAP } from '../../../src/knowledge/index.ts';
import { groupList, useNotices } from '../../support/use-notices.ts';

/* When a notice is shown is decided as it is read: nothing has to happen at the moment at which it begins or ends. */

describe('the times of notices', () => {
  const stage = useNotices();
  const { publish, unread, clock } = stage;
  const { lists } = stage.knowledge.notices;
  const changesAt = async (subject: string, group: string): Promise<number | undefined> =>
    (await stage.knowledge.notices.view(stage.knowledge.read(subject), [groupList(group)])).changesAt;

  it('hide what is still to come and what has expired, and say when that changes', async () => {
    const { now } = clock;
    await publish('times', 'always');
    await publish('times', 'soon', { publishAt: now + 10_000, expiresAt: now + 20_000 });
    expect(await unread('v', 'times')).toEqual(['always']);
    expect(await changesAt('v', 'times')).toBe(now + 10_000);
    clock.now = now + 9_999;
    expect(await unread('v', 'times')).toEqual(['always']);
    clock.now = now + 10_000;
    expect(await unread('v', 'times')).toEqual(['soon', 'always']);
    expect(await changesAt('v', 'times')).toBe(now + 20_000);
    // A service that starts at that moment knows it too.
    const fresh = stage.with({});
    const view = await fresh.notices.view(fresh.read('v'), [groupList('times')]);
    expect([...view.shown()].map(({ notice }) => notice.id)).toEqual(['soon', 'always']);
    clock.now = now + 19_999;
    expect(await unread('v', 'times')).toEqual(['soon', 'always']);
    clock.now = now + 20_000;
    expect(await unread('v', 'times')).toEqual(['always']);
    expect(await changesAt('v', 'times')).toBeUndefined();
  });

  it('count from the publishing on where none is given, or one that is over, by the clock of Redis', async () => {
    const before = await redisTime();
    const at = [await publish('past', 'now'), await publish('past', 'once', { publishAt: 1_000 })].map(({ at }) => at);
    const after = await redisTime();
    for (const each of at) expect(each >= before && each <= after).toBe(true);
    await expect(publish('past', 'over', { expiresAt: before - 1 })).rejects.toMatchObject({ code: 'NOTICE_REFUSED' });
    await expect(publish('past', 'turned', { publishAt: after + 10_000, expiresAt: after + 9_999 })).rejects.toThrow(
      /"expiresAt" is not after/,
    );
    expect((await unread('v', 'past')).sort()).toEqual(['now', 'once']);
  });

  it('show what was published before it was read, also where the clock of the service is behind that of Redis', async () => {
    const { now } = clock;
    clock.now = (await redisTime()) - 60_000;
    await publish('behind', 'new');
    await stage.knowledge.notices.own.publish('v-behind', { id: 'own', text: 'T' });
    expect((await unread('v-behind', 'behind')).sort()).toEqual(['new', 'own']);
    expect(await unread('other', 'behind')).toEqual(['new']);
    clock.now = now;
  });

  it('can be moved: what was shown is hidden, and what was to come is shown, and what was read stays read', async () => {
    const { now } = clock;
    await publish('moved', 'a');
    await publish('moved', 'b', { publishAt: now + 50_000 });
    await stage.mark('v', 'read', 'a');
    await lists.edit('a', { publishAt: now + 60_000 });
    await lists.edit('b', { publishAt: now });
    expect(await stage.shown('v', 'moved')).toEqual([{ id: 'b', seen: false, read: false }]);
    clock.now = now + 60_000;
    expect(await stage.shown('v', 'moved')).toEqual([
      { id: 'a', seen: true, read: true },
      { id: 'b', seen: false, read: false },
    ]);
  });

  it('keep a notice that is still to come from falling off the end of its list: it gets a new number, and is shown', async () => {
    const publishAt = clock.now + 1_000_000;
    for (const id of ['later', 'latest']) await publish('full', id, { publishAt });
    await publish('full', 'first');
    for (let i = 0; i < NOTICE_CAP + 20; i += 1) await publish('full', `f${i}`);
    const listed = (await lists.read(groupList('full'))).notices.map(({ id }) => id);
    expect(listed).toHaveLength(NOTICE_CAP);
    expect(listed).toEqual(expect.arrayContaining(['later', 'latest']));
    expect(listed).not.toContain('first');
    expect(await stage.redis.command('HLEN', stage.keys.noticeList(stage.hashOf('full')))).toBe(NOTICE_CAP);
    clock.now = publishAt;
    expect((await unread('v', 'full')).slice(0, 2).sort()).toEqual(['later', 'latest']);
    // Its index went along, so it can be marked.
    expect(await stage.mark('v', 'read', 'later')).toBe(1);
    expect(await unread('v', 'full')).not.toContain('later');
    expect(await unread('v', 'full')).toHaveLength(NOTICE_CAP - 1);
  }, 60_000);

  it('refuse one more where all 1,000 of a list are still to come, until one is withdrawn', async () => {
    const publishAt = clock.now + 1_000_000;
    for (let i = 0; i < NOTICE_CAP; i += 1) await publish('to-come', `t${i}`, { publishAt });
    for (const times of [{}, { publishAt }]) {
      await expect(publish('to-come', 'one-more', times)).rejects.toThrow(
        /All 1000 notices of to-come are still to come/,
      );
    }
    expect(await publish('to-come', 't0')).toMatchObject({ isNew: false });
    await lists.withdraw('t500');
    // Those in front of the gap get new numbers.
    expect(await publish('to-come', 'one-more')).toMatchObject({ isNew: true });
    const { notices } = await lists.read(groupList('to-come'));
    expect(new Set(notices.map(({ id }) => id)).size).toBe(NOTICE_CAP);
    expect(notices).toHaveLength(NOTICE_CAP);
    expect(await unread('v', 'to-come')).toEqual(['one-more']);
  }, 60_000);

  async function redisTime(): Promise<number> {
    const [seconds, microseconds] = await stage.redis.command<[string, string]>('TIME');
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  }
});
