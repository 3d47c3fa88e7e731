import { describe, expect, it } from 'vitest';
import {
  type Knowledge,
  MARKS,
  MINUTE_MS,
  RETENTION_DEFAULTS,
  SEEN_ITEMS_DEFAULTS,
} from '../../src/knowledge/index.ts';
import { ItemEncryption } from '../../src/knowledge/item-encryption.ts';
import { PERSON_SECONDS } from '../../src/knowledge/retention.ts';
import { personOf } from '../../src/protocol/index.ts';
import { SUBJECT_TOMBSTONE } from '../../src/redis/index.ts';
import { groupList } from '../support/use-notices.ts';
import { TEST_SECRET, useTestData } from '../support/use-test-data.ts';

const DAY_MS = 1_440 * MINUTE_MS;
const { seconds, bounceSeconds } = RETENTION_DEFAULTS;

describe('the record of a subject', () => {
  const stage = useTestData();
  const view = (subject: string, name: string, at?: number) =>
    stage.knowledge.recordView(subject, stage.knowledge.items.of('page', name), { at });
  const visit = (subject: string) => stage.knowledge.read(subject).visit(stage.clock.now);
  const ttls = async (subject: string): Promise<number[]> => {
    const keys = await stage.redis.command<string[]>('KEYS', `*:${subject}:*`);
    return Promise.all(keys.map((key) => stage.redis.command<number>('TTL', key)));
  };
  /** Marks notices as read: "n", which stands in a list, and foreign ones. */
  const markRead = async (subject: string, ids: string[], knowledge: Knowledge = stage.knowledge): Promise<void> => {
    await knowledge.notices.lists.publish(groupList('g'), { id: 'n', text: 'N' });
    await knowledge.notices.markIds(knowledge.read(subject), ids, MARKS.read);
  };
  const expectTtls = async (subject: string, expected: number): Promise<void> => {
    for (const ttl of await ttls(subject)) expect(Math.abs(ttl - expected)).toBeLessThanOrEqual(2);
  };

  it('answers what the visit was like before, but for the two counts', async () => {
    expect(await view('v', '/a')).toEqual({
      totalPages: 1,
      uniquePages: 1,
      previouslyVisited: false,
      lastMinutes: [false, false, false, false, false],
      thisMinute: false,
      clusterCounts: [],
    });
    stage.clock.now += 2 * MINUTE_MS;
    expect(await view('v', '/b')).toMatchObject({ totalPages: 2, uniquePages: 2, previouslyVisited: false });
    expect(await view('v', '/a')).toEqual({
      totalPages: 3,
      uniquePages: 2,
      previouslyVisited: true,
      lastMinutes: [false, false, false, true, false],
      thisMinute: true,
      clusterCounts: [],
    });
  });

  it('knows each of the last five minutes, over midnight', async () => {
    const midnight = Date.UTC(2026, 2, 20);
    for (let minute = -6; minute < 7; minute += 1) {
      const { lastMinutes } = await view('midnight', '/', midnight + minute * MINUTE_MS);
      expect({ minute, active: lastMinutes.filter((active) => active).length }).toEqual({
        minute,
        active: Math.min(5, minute + 6),
      });
    }
    for (const gap of [1, 2, 3, 4, 5, 6]) {
      await view(`gap-${gap}`, '/', midnight);
      const { lastMinutes } = await view(`gap-${gap}`, '/', midnight + gap * MINUTE_MS);
      expect(lastMinutes).toEqual([5, 4, 3, 2, 1].map((back) => back === gap));
    }
  });

  it('reading counts nothing and makes no key', async () => {
    const before = await stage.redis.command('DBSIZE');
    expect(await visit('nobody')).toMatchObject({
      totalPages: 0,
      uniquePages: 0,
      activeMinutes: 0,
      firstActiveMinute: undefined,
    });
    expect(await stage.redis.command('DBSIZE')).toBe(before);
    for (const minute of [0, 0, 2]) await view('read', '/a', stage.clock.now + minute * MINUTE_MS);
    const read = await visit('read');
    expect(read).toMatchObject({ totalPages: 3, activeMinutes: 2, uniquePagesExact: true });
    expect(await visit('read')).toEqual(read);
  });

  it('tells every minute of the window, of the record and of the bitmaps; 35 days of bitmaps are kept', async () => {
    const start = Date.UTC(2026, 2, 10);
    const active = [0, 1, 39, 40, 41, 200, 1439, 1440, 5000];
    for (const minute of active) await view('minutes', '/', start + minute * MINUTE_MS);
    const read = async (): Promise<number[]> => {
      const minutes = await stage.knowledge.read('minutes').minutes(start, start + 6_000 * MINUTE_MS);
      return minutes.flatMap((each, i) => (each ? [i] : []));
    };
    expect(await read()).toEqual(active);
    // 96 more push the old ones out of the record.
    const more = Array.from({ length: 150 }, (_, i) => 5_100 + 2 * i);
    for (const minute of more) await view('minutes', '/', start + minute * MINUTE_MS);
    expect(await stage.redis.command('HLEN', stage.keys.days('minutes'))).toBeGreaterThan(0);
    expect(await read()).toEqual([...active, ...more]);
    expect((await visit('minutes')).activeMinutes).toBe(active.length + more.length);
    for (let day = 40; day < 90; day += 1) await view('minutes', '/', start + day * DAY_MS);
    expect(await stage.redis.command('HLEN', stage.keys.days('minutes'))).toBe(35);
    expect(await read()).toEqual([]);
    expect((await visit('minutes')).activeMinutes).toBe(active.length + more.length + 50);
    expect((await visit('minutes')).firstActiveMinute).toBe(start);
  });

  it('a minute before the record begins, and one that it has, count as they are', async () => {
    await view('late', '/', stage.clock.now);
    for (const back of [10, 10, 100, 100, 3_000]) await view('late', '/', stage.clock.now - back * MINUTE_MS);
    expect(await visit('late')).toMatchObject({ totalPages: 6, activeMinutes: 4 });
    expect((await visit('late')).firstActiveMinute).toBe(stage.clock.now - 3_000 * MINUTE_MS);
    expect(await stage.knowledge.read('late').lastActiveMinute()).toBe(stage.clock.now);
  });

  it('a minute of a day that is too old to be kept does not count, however often it comes', async () => {
    const start = Date.UTC(2026, 2, 1);
    for (let day = 0; day < 100; day += 1) await view('old', '/', start + day * DAY_MS);
    expect(await stage.redis.command('HLEN', stage.keys.days('old'))).toBe(35);
    const { activeMinutes } = await visit('old');
    for (let i = 0; i < 3; i += 1) await view('old', '/', start + 10 * DAY_MS + MINUTE_MS);
    expect(await visit('old')).toMatchObject({ totalPages: 103, activeMinutes });
    // One of a kept day does, once.
    for (let i = 0; i < 3; i += 1) await view('old', '/', start + 90 * DAY_MS + MINUTE_MS);
    expect(await visit('old')).toMatchObject({ totalPages: 106, activeMinutes: activeMinutes + 1 });
  });

  it('moves the expiry of a session each hour, and that of a person each day', async () => {
    const person = stage.knowledge.read(personOf('daily')).subject;
    for (const [subject, everySeconds, kept] of [
      ['hourly', 3_600, seconds],
      [person, 86_400, PERSON_SECONDS],
    ] as const) {
      await view(subject, '/a');
      await view(subject, '/a');
      await expectTtls(subject, kept);
      const key = stage.keys.subject(subject);
      await stage.redis.command('EXPIRE', key, '1000');
      stage.clock.now += (everySeconds - 1) * 1_000;
      await view(subject, '/b');
      await stage.knowledge.markItems(subject, stage.knowledge.items.ofAll('item', ['lamp']));
      await expectTtls(subject, 1_000);
      stage.clock.now += 1_000;
      await view(subject, '/b');
      await expectTtls(subject, kept);
    }
  });

  it('begins its bitmaps anew where its record was deleted and they were not', async () => {
    const start = stage.clock.now;
    for (const from of [0, 1_000]) {
      await stage.redis.command('DEL', stage.keys.subject('again'));
      for (let i = 0; i < 150; i += 1) await view('again', '/a', start + (from + 2 * i) * MINUTE_MS);
    }
    expect(await view('again', '/a', start)).toMatchObject({ totalPages: 151, thisMinute: false });
    expect((await visit('again')).activeMinutes).toBe(151);
  });

  it('an item that stands across two others is not taken for seen', async () => {
    const encryption = new ItemEncryption(TEST_SECRET, 'sw');
    for (let i = 0, tried = 0; tried < 20; i += 1) {
      const hashes = stage.pages(`/one-${i}`, `/two-${i}`);
      const [one, two] = (await encryption.encrypt(`across-${i}`, hashes)) as [string, string];
      const bytes = Buffer.from(one.slice(4) + two.slice(0, 4), 'latin1');
      // Above 2^53 a hash is not exact; the service makes none.
      if (bytes[0]! >= 16) continue;
      tried += 1;
      const [between] = await encryption.decrypt(`across-${i}`, bytes);
      for (const hash of hashes) await stage.knowledge.recordView(`across-${i}`, hash);
      expect(await stage.knowledge.read(`across-${i}`).hasSeen('page', [between!])).toEqual([false]);
      const { previouslyVisited, uniquePages } = await stage.knowledge.recordView(`across-${i}`, between!);
      expect({ previouslyVisited, uniquePages }).toEqual({ previouslyVisited: false, uniquePages: 3 });
    }
  });

  it('a bounce lives half an hour, a visitor 30 days, by every key', async () => {
    await view('ttl', '/a');
    expect(await ttls('ttl')).toHaveLength(1);
    await expectTtls('ttl', bounceSeconds);
    // Marks that come with the first page do not make a visitor of a bounce.
    await stage.knowledge.markItems('ttl', stage.pages('1'));
    await markRead('ttl', ['n', 'x']);
    expect(await ttls('ttl')).toHaveLength(3);
    await expectTtls('ttl', bounceSeconds);
    await view('ttl', '/a');
    await expectTtls('ttl', seconds);
  });

  it('marks alone: half an hour, and 30 days from a minute later on', async () => {
    await markRead('marks', ['x']);
    await stage.knowledge.markItems('marks', stage.pages('1', '2'));
    await expectTtls('marks', bounceSeconds);
    stage.clock.now += MINUTE_MS;
    await stage.knowledge.markItems('marks', stage.pages('1'));
    await expectTtls('marks', seconds);
    expect(await visit('marks')).toMatchObject({ totalPages: 0, activeMinutes: 0, firstActiveMinute: undefined });
    expect(await view('marks', '/a')).toMatchObject({ totalPages: 1, uniquePages: 1, thisMinute: false });
  });

  it('the expiry moves once an hour, of all parts in the same step', async () => {
    const { keys, redis, clock } = stage;
    const knowledge = stage.with({ seen: { ...SEEN_ITEMS_DEFAULTS, exactLimit: 2 } });
    const add = async (name: string): Promise<void> => {
      await knowledge.recordView('slides', knowledge.items.of('page', name));
    };
    for (let i = 0; i < 5; i += 1) await add(`/${i}`);
    await knowledge.markItems('slides', stage.pages('a', 'b', 'c'));
    await markRead('slides', ['n', 'x'], knowledge);
    await knowledge.notices.own.publish('slides', { id: 'own', text: 'For you' });
    // So many minutes outgrow the record as well.
    for (let i = 0; i < 150; i += 1) {
      await knowledge.recordView('slides', 1, { at: clock.now + 1_000 * i * MINUTE_MS });
    }
    await knowledge.people.identify(knowledge.read(personOf('ada')).subject, 'slides');
    expect(await redis.command<string[]>('KEYS', '*:slides:*')).toEqual(expect.arrayContaining(keys.all('slides')));
    for (const key of keys.all('slides')) await redis.command('EXPIRE', key, '5000');
    await add('/0');
    await expectTtls('slides', 5_000);
    clock.now += 3_599_000;
    await add('/0');
    await expectTtls('slides', 5_000);
    clock.now += 1_000;
    await add('/0');
    await expectTtls('slides', seconds);
    for (const key of keys.all('slides')) await redis.command('EXPIRE', key, '5000');
    clock.now += 3_600_000;
    await knowledge.markItems('slides', stage.pages('a'));
    await expectTtls('slides', seconds);
    // A clock that was set back must not keep the expiry from being moved.
    for (const key of keys.all('slides')) await redis.command('EXPIRE', key, '5000');
    clock.now -= 10 * 3_600_000;
    await markRead('slides', ['y'], knowledge);
    await expectTtls('slides', seconds);
  });

  it('a view costs one round trip, a GET and one write', async () => {
    await view('calls', '/a');
    await view('calls', '/b');
    const callsOf = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
      await stage.redis.command('CONFIG', 'RESETSTAT');
      await work();
      const stats = await stage.redis.command<string>('INFO', 'commandstats');
      const calls = [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name, count]) => [name, Number(count)]);
      return Object.fromEntries(calls.filter(([name]) => name !== 'info' && !String(name).startsWith('config')));
    };
    expect(await callsOf(() => view('calls', '/c'))).toEqual({ evalsha: 1, get: 1, set: 1 });
    expect(await callsOf(() => view('calls', '/c'))).toEqual({ evalsha: 1, get: 1, setrange: 1 });
    expect(await callsOf(() => visit('calls'))).toEqual({ get: 1 });
    const reading = stage.knowledge.read('calls');
    const questions = async (): Promise<void> => {
      await reading.visit(stage.clock.now);
      await Promise.all([reading.hasSeen('page', [1, 2, 3]), reading.hasSeen('item', [1]), reading.count('page')]);
    };
    expect(await callsOf(questions)).toEqual({ get: 1 });
  });

  it('a session that was ended is known no more, and what was on its way notes nothing', async () => {
    await stage.redis.command('SET', stage.keys.subject('ended'), SUBJECT_TOMBSTONE, 'EX', '3600');
    expect(await view('ended', '/a')).toMatchObject({ totalPages: 0, uniquePages: 0, previouslyVisited: false });
    expect(await stage.knowledge.markItems('ended', [1, 2])).toEqual([false, false]);
    await markRead('ended', ['n', 'x']);
    await stage.knowledge.notices.mute('ended', ['g'], []);
    await expect(stage.knowledge.notices.own.publish('ended', { id: 'own', text: 'T' })).rejects.toThrow(/was ended/);
    expect(await visit('ended')).toMatchObject({ totalPages: 0, activeMinutes: 0 });
    expect(await stage.knowledge.read('ended').hasSeen('page', stage.pages('/a'))).toEqual([false]);
    expect(await stage.redis.command('KEYS', '*:ended:*')).toEqual([stage.keys.subject('ended')]);
    expect(await stage.redis.command('STRLEN', stage.keys.subject('ended'))).toBe(0);
  });

  it('a question that comes behind writes of the same turn sees them', async () => {
    for (let i = 0; i < 20; i += 1) {
      const subject = `behind-${i}`;
      const writes = [
        view(subject, '/a'),
        view(subject, '/b'),
        stage.knowledge.markItems(subject, stage.pages('x')),
        stage.knowledge.notices.mute(subject, ['g'], []),
      ];
      const reading = stage.knowledge.read(subject);
      const shown = stage.knowledge.notices.view(reading, [groupList('g')]);
      expect(await reading.hasSeen('page', stage.pages('/a', '/b', '/c'))).toEqual([true, true, false]);
      expect(await reading.hasSeen('item', stage.pages('x'))).toEqual([true]);
      expect((await shown).muted).toEqual([stage.knowledge.items.of('group', 'g')]);
      await Promise.all(writes);
    }
  });

  it('a question behind a write that failed is answered', async () => {
    await stage.redis.command('SET', stage.keys.subject('fails'), 'no record at all, and long enough to be one');
    const write = view('fails', '/a');
    const seen = stage.knowledge.read('fails').hasSeen('page', stage.pages('/a'));
    await expect(Promise.all([write, seen])).rejects.toThrow(/SUBJECTRECORD/);
    await expect(seen).rejects.toThrow('no record of this format');
  });

  it('what is no record is refused, and stays as it is', async () => {
    const junk = 'no record at all, and long enough to be one';
    await stage.redis.command('SET', stage.keys.subject('junk'), junk);
    await expect(view('junk', '/a')).rejects.toThrow(/SUBJECTRECORD/);
    await expect(stage.knowledge.markItems('junk', [1])).rejects.toThrow(/SUBJECTRECORD/);
    await expect(visit('junk')).rejects.toThrow(/no record/);
    expect(await stage.redis.command('GET', stage.keys.subject('junk'))).toBe(junk);
  });

  it('a record that is cut off or too long is refused, and harms nothing of the same turn', async () => {
    const { redis, keys, knowledge, pages } = stage;
    const many = pages(...Array.from({ length: 20 }, (_, i) => `/${i}`));
    for (const [change, harm] of [
      ['cut', (record: Buffer) => record.subarray(0, -4)],
      ['longer', (record: Buffer) => Buffer.concat([record, Buffer.alloc(12, 'x')])],
      [
        'shorter than its head says',
        (record: Buffer) => Buffer.concat([record.subarray(0, 25), Buffer.from([9, 9, 9])]),
      ],
    ] as const) {
      const [bad, good] = [`bad-${change.length}`, `good-${change.length}`];
      for (const subject of [bad, good]) for (const page of ['/0', '/1']) await view(subject, page);
      const harmed = harm(await redis.commandForBuffers<Buffer>('GET', keys.subject(bad)));
      await redis.command('SET', keys.subject(bad), harmed);
      const [refused, ...others] = await Promise.allSettled([
        knowledge.read(bad).hasSeen('page', many),
        knowledge.read(good).hasSeen('page', many.slice(0, 3)),
        view(good, '/2'),
        view(`new-${change.length}`, '/0'),
      ]);
      expect({ change, ...refused }).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringMatching(/no record/) },
      });
      expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
      await expect(view(bad, '/2')).rejects.toThrow(/SUBJECTRECORD/);
      await expect(knowledge.markItems(bad, [1])).rejects.toThrow(/SUBJECTRECORD/);
      expect(await redis.commandForBuffers<Buffer>('GET', keys.subject(bad))).toEqual(harmed);
    }
  });

  it('10,000 sessions with 20 views of 12 pages in 10 minutes: at most 400 bytes each, all told', async () => {
    const usedMemory = async (): Promise<number> => {
      await stage.redis.command('MEMORY', 'PURGE');
      return Number(/^used_memory:(\d+)/m.exec(await stage.redis.command<string>('INFO', 'memory'))![1]);
    };
    // Redis 7 allots 25 kB of latency histogram at the first call of each command: not a session's cost.
    for (let i = 0; i < 20; i += 1) await view('warm-up', `/p${i}`, Date.UTC(2026, 2, 25, 23, i));
    const sessions = 10_000;
    const start = Date.UTC(2026, 2, 25, 23, 48);
    const before = await usedMemory();
    const bytes: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      for (let from = 0; from < sessions; from += 1000) {
        await Promise.all(
          Array.from({ length: 1000 }, (_, i) =>
            view(
              `aaaaaaaaaaaaaaaaaaaa${String(from + i).padStart(5, '0')}`,
              `/p${n % 12}`,
              start + Math.floor(n / 2) * MINUTE_MS,
            ),
          ),
        );
      }
      bytes.push(((await usedMemory()) - before) / sessions);
    }
    console.log(`calculated data: ${bytes[0]!.toFixed(0)} bytes after a view, ${bytes[19]!.toFixed(0)} after 20`);
    expect(bytes[0]).toBeLessThanOrEqual(300);
    expect(bytes[19]).toBeLessThanOrEqual(400);
  }, 120_000);
});
