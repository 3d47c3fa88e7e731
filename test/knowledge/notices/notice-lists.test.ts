import { describe, expect, it } from 'vitest';
import { NOTICE_CAP, NoticeRefusedError } from '../../../src/knowledge/index.ts';
import { groupList, useNotices } from '../../support/use-notices.ts';

/* Lists of notices: what publishing, editing and withdrawing leave in them and in their indexes. */

describe('a list of notices', () => {
  const stage = useNotices();
  const { publish, hashOf } = stage;
  const lists = stage.knowledge.notices.lists;
  const read = async (group: string) => (await lists.read(groupList(group))).notices;
  const idsOf = async (group: string): Promise<string[]> => (await read(group)).map(({ id }) => id);

  it('comes newest first, with time and group', async () => {
    await publish('staff', 'one');
    await publish('staff', 'two');
    const [two, one, ...rest] = await read('staff');
    expect(rest).toEqual([]);
    expect(one).toMatchObject({ id: 'one', text: 'text of one', group: 'staff' });
    expect(two!.position.sequence).toBe(one!.position.sequence + 1);
    expect(Math.abs(one!.at - Date.now())).toBeLessThan(60_000);
    expect(await read('nobody-there')).toEqual([]);
  });

  it('takes the same few keys whatever the audience, and a retry changes nothing', async () => {
    const first = await publish('retry', 'n');
    const size = await stage.redis.command('DBSIZE');
    expect(await publish('retry', 'n')).toEqual({ ...first, isNew: false });
    expect(await stage.redis.command('DBSIZE')).toBe(size);
    expect(await read('retry')).toHaveLength(1);
  });

  it('mends by a retry an index whose write was lost', async () => {
    await publish('mend', 'lost');
    const { position } = (await read('mend'))[0]!;
    await stage.redis.command('DEL', stage.keys.noticeIndex(stage.knowledge.items.of('notice', 'lost')));
    expect(await lists.locate(['lost'])).toEqual([[]]);
    await publish('mend', 'lost');
    expect(await lists.locate(['lost'])).toEqual([[position]]);
    expect(position).toMatchObject({ list: hashOf('mend') });
  });

  it('is not taken for one that was withdrawn elsewhere by a process that ended before it noted that', async () => {
    await publish('crashed', 'reused');
    await stage.mark('reader', 'read', 'reused');
    const [position] = (await lists.locate(['reused']))[0]!;
    const index = stage.keys.noticeIndex(stage.knowledge.items.of('notice', 'reused'));
    await lists.withdraw('reused');
    await stage.redis.command('HSET', index, String(position!.list), String(position!.sequence));
    await publish('fresh', 'reused');
    expect(await stage.unread('reader', 'fresh')).toEqual(['reused']);
    expect(await lists.locate(['reused'])).toEqual([[expect.objectContaining({ list: hashOf('fresh') })]]);
    expect(await lists.withdraw('reused')).toBe(1);
  });

  it('is read whole once, also where it is larger than all lists that are kept beside each other', async () => {
    // 9 MB in all.
    const text = 'x'.repeat(12_000);
    for (let i = 0; i < 750; i += 1) await lists.publish(groupList('huge'), { id: `huge-${i}`, text });
    expect(await read('huge')).toHaveLength(750);
    await stage.redis.command('CONFIG', 'RESETSTAT');
    expect(await read('huge')).toHaveLength(750);
    expect(await stage.redis.command<string>('INFO', 'commandstats')).not.toMatch(/cmdstat_evalsha/);
  });

  it('leaves nothing in the indexes of what fell off it', async () => {
    for (let i = 0; i < NOTICE_CAP + 5; i += 1) await publish('drop', `d${i}`);
    expect(await lists.locate(['d4', 'd5'])).toEqual([[], [expect.objectContaining({ list: hashOf('drop') })]]);
    const [list, revisions, index] = keysOf('drop');
    expect(await stage.redis.command('HLEN', list)).toBe(NOTICE_CAP);
    expect(await stage.redis.command('ZCARD', revisions)).toBe(NOTICE_CAP);
    // An entry for each notice, the last number, the revision and the server.
    expect(await stage.redis.command('HLEN', index)).toBe(NOTICE_CAP + 3);
    // On a server that was started anew 100 numbers are passed over: it may have lost them.
    await lists.edit('d5', { publishAt: Date.now() + 7_200_000 });
    await stage.redis.command('HSET', index, 'run', 'another');
    const before = Math.max(...(await read('drop')).map(({ position }) => position.sequence));
    await publish('drop', 'after');
    const after = await read('drop');
    expect(after.slice(0, 3).map(({ id, position }) => [id, position.sequence - before])).toEqual([
      ['after', 102],
      ['d5', 101],
      [`d${NOTICE_CAP + 4}`, 0],
    ]);
    expect([after.length, after.at(-1)!.id]).toEqual([NOTICE_CAP - 100, 'd107']);
    expect(await lists.locate(['d106', 'd5'])).toEqual([[], [after[1]!.position]]);
    expect(await stage.redis.command('ZCARD', revisions)).toBe(NOTICE_CAP - 100);
    expect(await stage.redis.command('HLEN', index)).toBe(NOTICE_CAP - 100 + 3);
  });

  it('is read anew after the connection was lost: Redis may have come back without its last second', async () => {
    await publish('kept', 'first');
    await publish('kept', 'lost');
    expect(await idsOf('kept')).toEqual(['lost', 'first']);
    // As a Redis does that lost the second notice and then took another one, under the same number and revision.
    const [list] = keysOf('kept');
    const field = String((await read('kept'))[0]!.position.sequence);
    const entry = (await stage.redis.command<string>('HGET', list, field))!;
    await stage.redis.command('HSET', list, field, entry.replaceAll('lost', 'urgent'));
    expect(await idsOf('kept')).toEqual(['lost', 'first']);
    const lost = new Promise<void>((resolve) => stage.redis.once('lost', () => resolve()));
    const back = new Promise<void>((resolve) => stage.redis.once('ready', () => resolve()));
    await stage.redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => undefined);
    await Promise.all([lost, back]);
    expect(await idsOf('kept')).toEqual(['urgent', 'first']);
  });

  it('is parsed once: what did not change is not read again', async () => {
    const text = 'x'.repeat(2_000);
    for (let i = 0; i < 50; i += 1) await lists.publish(groupList('large'), { id: `l${i}`, text });
    await read('large');
    await publish('large', 'one-more');
    await lists.edit('l7', { text: 'edited' });
    await lists.withdraw('l9');
    await stage.redis.command('CONFIG', 'RESETSTAT');
    const notices = await read('large');
    expect(notices).toHaveLength(50);
    expect(notices.find(({ id }) => id === 'l7')).toMatchObject({ text: 'edited' });
    const stats = await stage.redis.command<string>('INFO', 'commandstats');
    expect(/cmdstat_hmget:calls=(\d+)/.exec(stats)?.[1]).toBe('2');
    // Two notices, not fifty of 2,000 characters each.
    expect(
      Number(/total_net_output_bytes:(\d+)/.exec(await stage.redis.command<string>('INFO', 'stats'))![1]),
    ).toBeLessThan(12_000);
    await stage.redis.command('CONFIG', 'RESETSTAT');
    await read('large');
    const again = await stage.redis.command<string>('INFO', 'commandstats');
    expect([/cmdstat_hget:calls=(\d+)/.exec(again)?.[1], again.includes('hmget')]).toEqual(['1', false]);
  });

  it('shows an edited notice with what was given, and keeps the rest', async () => {
    const notice = { id: 'e', text: 'T', title: 'Title', severity: 'info', data: { link: '/a' } } as const;
    await lists.publish(groupList('edit'), notice);
    expect(await lists.edit('e', { text: 'U', title: null, severity: 'error' })).toBe(1);
    const { position: _, at: __, ...edited } = (await read('edit'))[0]!;
    expect(edited).toEqual({ id: 'e', text: 'U', severity: 'error', data: { link: '/a' }, group: 'edit' });
    expect(await lists.edit('nobody', { text: 'U' })).toBe(0);
    const { at } = (await read('edit'))[0]!;
    await expect(lists.edit('e', { expiresAt: at })).rejects.toThrow(NoticeRefusedError);
    expect(await lists.edit('e', { expiresAt: at + 1 })).toBe(1);
    expect(await lists.edit('e', { expiresAt: null })).toBe(1);
    expect((await read('edit'))[0]).not.toHaveProperty('expiresAt');
  });

  it('is changed in no list where it would end before it begins in one of them', async () => {
    const { at } = await publish('begun', 'both');
    await publish('to-come', 'both', { publishAt: at + 3_600_000 });
    await expect(lists.edit('both', { text: 'U', expiresAt: at + 1 })).rejects.toThrow(NoticeRefusedError);
    const texts = await Promise.all(['begun', 'to-come'].map(async (group) => (await read(group))[0]!.text));
    expect(texts).toEqual(['text of both', 'text of both']);
  });

  it('forgets a withdrawn notice in every list that held it, and takes its id again as a new one', async () => {
    for (const group of ['w1', 'w2']) await publish(group, 'w');
    expect(await lists.withdraw('w')).toBe(2);
    expect([await idsOf('w1'), await idsOf('w2'), await lists.locate(['w'])]).toEqual([[], [], [[]]]);
    expect(await lists.withdraw('w')).toBe(0);
    expect(await publish('w1', 'w')).toMatchObject({ isNew: true });
    expect(await idsOf('w1')).toEqual(['w']);
  });

  it('uses no revision twice where it is deleted and made anew, also where its joining is set first', async () => {
    for (const id of ['first', 'second']) {
      await lists.setJoining(groupList('anew'), 'all');
      await publish('anew', id);
      expect(await idsOf('anew')).toEqual([id]);
      await stage.redis.command('DEL', ...keysOf('anew'));
    }
  });

  it('says in each entry how many lists hold its notice, whoever publishes it first, and a retry mends it', async () => {
    const held = async (group: string) => (await read(group)).map(({ id, lists: count }) => [id, count]);
    await Promise.all(['l1', 'l2', 'l3'].map((group) => publish(group, 'many')));
    await publish('l1', 'alone');
    await publish('l3', 'many');
    expect([await held('l1'), await held('l2'), await held('l3')]).toEqual([
      [
        ['alone', undefined],
        ['many', 3],
      ],
      [['many', 3]],
      [['many', 3]],
    ]);
    await lists.edit('many', { text: 'edited' });
    expect(await held('l2')).toEqual([['many', 3]]);
  });

  it('refuses a name that is no group', async () => {
    await expect(publish('', 'x')).rejects.toThrow(/group ""/);
    await expect(publish('a b', 'x')).rejects.toThrow(/"a b"/);
  });

  function keysOf(group: string): [list: string, revisions: string, index: string] {
    const hash = hashOf(group);
    return [stage.keys.noticeList(hash), stage.keys.noticeRevisions(hash), stage.keys.noticeListIndex(hash)];
  }
});
