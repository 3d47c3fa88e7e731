import { describe, expect, it } from 'vitest';
import { FACT_DAYS, MOST_FACTS, sinceTaken, takenWith } from '../../src/knowledge/facts/fact-section.ts';
import type { Fact } from '../../src/knowledge/index.ts';
import { personOf } from '../../src/protocol/index.ts';
import { countWithin } from '../../src/rules/answers.ts';
import { useTestData } from '../support/use-test-data.ts';

/* What happened: events and clusters in the record of a subject. record-model.test.ts has them beside views, in all forms,
 * and people/merge-model.test.ts with merges; here are the limits, and what is asked of a merge by itself. */

const DAY_MS = 86_400_000;

describe('facts', () => {
  const stage = useTestData();
  const hash = (event: string): number => stage.knowledge.items.of('event', event);
  const track = (subject: string, event: string, count = 1, at?: number) =>
    stage.knowledge.track(subject, [{ name: hash(event), count }], { at });
  const factOf = async (id: string, event: string): Promise<Fact | undefined> =>
    (await stage.knowledge.read(id).facts()).get(hash(event));

  it('are counted, with the first and the last time, and day by day for 35 days', async () => {
    const { now } = stage.clock;
    expect(await track('buyer', 'bought', 2, now - 40 * DAY_MS)).toEqual({ counts: [2], dropped: 0 });
    await track('buyer', 'bought', 3, now - 6 * DAY_MS);
    expect(await track('buyer', 'bought', 1, now)).toEqual({ counts: [6], dropped: 0 });
    const fact = (await factOf('buyer', 'bought'))!;
    expect(fact).toMatchObject({ count: 6, first: (now - 40 * DAY_MS) / 1_000, last: now / 1_000 });
    expect([1, 6, 7, FACT_DAYS].map((days) => countWithin(fact, days, now / 1_000))).toEqual([1, 1, 4, 4]);
    // Later nothing happened within the last days.
    expect(countWithin(fact, 7, (now + 7 * DAY_MS) / 1_000)).toBe(0);
    expect(await factOf('buyer', 'sold')).toBeUndefined();
  });

  it('are 100: the one that happened longest ago is dropped and told, those that are to be kept behind all others', async () => {
    await stage.knowledge.track('busy', [{ name: hash('dismissed'), count: 1 }], {
      at: stage.clock.now - DAY_MS,
      keeps: true,
    });
    for (let i = 1; i < MOST_FACTS; i += 1) {
      expect(await track('busy', `event-${i}`, 1, stage.clock.now + 1_000 * i)).toMatchObject({ dropped: 0 });
    }
    expect(await track('busy', 'one-more', 1, stage.clock.now + 500)).toEqual({ counts: [1], dropped: 1 });
    const facts = await stage.knowledge.read('busy').facts();
    expect(facts.size).toBe(MOST_FACTS);
    const known = (...events: string[]): boolean[] => events.map((event) => facts.has(hash(event)));
    expect(known('dismissed', 'event-1', 'event-2', 'event-99')).toEqual([true, true, true, true]);
    // It came last, and happened before all others but the one that is kept.
    expect(known('one-more')).toEqual([false]);
  });

  it('stand encrypted for their subject', async () => {
    for (const subject of ['one', 'other']) await track(subject, 'bought');
    const sections = await Promise.all(
      ['one', 'other'].map(async (subject) => {
        const record = await stage.redis.commandForBuffers<Buffer>('GET', stage.keys.subject(subject));
        return record.subarray(30, 38).toString('latin1');
      }),
    );
    expect(sections[0]).not.toBe(sections[1]);
    expect(
      Buffer.concat([await stage.redis.commandForBuffers<Buffer>('DUMP', stage.keys.subject('one'))]).includes(
        'bought',
      ),
    ).toBe(false);
  });

  it('change nothing else of the record, and are changed by nothing else', async () => {
    const { pages, knowledge, clock } = stage;
    const items = knowledge.items.ofAll('item', ['lamp', 'desk']);
    for (let i = 0; i < 20; i += 1) {
      const at = clock.now + i * 5 * 60_000;
      await knowledge.recordView('mixed', pages(`/${i % 12}`)[0]!, { at });
      await track('mixed', `event-${i % 3}`, 1, at);
      if (i % 7 === 0) await knowledge.markItems('mixed', items);
    }
    const reading = knowledge.read('mixed');
    expect(await reading.visit(clock.now)).toMatchObject({ totalPages: 20, uniquePages: 12, activeMinutes: 20 });
    expect(await reading.hasSeen('item', items)).toEqual([true, true]);
    expect(await reading.hasSeen('page', pages('/0', '/11', '/12'))).toEqual([true, true, false]);
    expect([...(await reading.facts()).values()].map(({ count }) => count).sort()).toEqual([6, 7, 7]);
  });

  it('of a session that has ended are noted nowhere', async () => {
    await stage.redis.command('SET', stage.keys.subject('ended'), '');
    expect(await track('ended', 'bought')).toEqual({ counts: [0], dropped: 0 });
    expect(await stage.redis.command('STRLEN', stage.keys.subject('ended'))).toBe(0);
  });

  it('without a view live as long as a bounce, and with a second message as long as the record', async () => {
    const ttl = (): Promise<number> => stage.redis.command('TTL', stage.keys.subject('quiet'));
    await track('quiet', 'opened');
    expect(await ttl()).toBeLessThanOrEqual(1_800);
    stage.clock.now += 61_000;
    await track('quiet', 'opened');
    expect(await ttl()).toBeGreaterThan(86_400);
    const person = stage.knowledge.read(personOf('gil')).subject;
    for (const _ of [1, 2]) {
      await track(person, 'opened');
      stage.clock.now += 61_000;
    }
    expect(await stage.redis.command('TTL', stage.keys.subject(person))).toBeGreaterThan(399 * 86_400);
  });

  it('of a damaged record are refused and left as they are', async () => {
    await track('broken', 'bought');
    const key = stage.keys.subject('broken');
    await stage.redis.command('SETRANGE', key, '28', '\0\0');
    await expect(stage.knowledge.read('broken').facts()).rejects.toThrow('no record of this format');
    await expect(track('broken', 'bought')).rejects.toThrow('SUBJECTRECORD');
  });

  describe('of a session that becomes a person’s', () => {
    const nameOf = (user: string): string => stage.knowledge.read(personOf(user)).subject;
    const countOf = async (user: string, event: string): Promise<number | undefined> =>
      (await factOf(personOf(user), event))?.count;

    it('are added once, however often it is merged, and late ones are added too', async () => {
      const ada = nameOf('ada');
      await track(ada, 'bought', 5);
      await track('phone', 'bought', 2);
      await track('phone', 'searched', 1);
      for (let i = 0; i < 3; i += 1) await stage.knowledge.people.identify(ada, 'phone');
      expect([await countOf('ada', 'bought'), await countOf('ada', 'searched')]).toEqual([7, 1]);
      await track('phone', 'bought', 1);
      expect(await countOf('ada', 'bought')).toBe(8);
      for (let i = 0; i < 2; i += 1) await stage.knowledge.people.lookAt('phone');
      expect(await countOf('ada', 'bought')).toBe(8);
      // The session's own count is not the person's.
      expect((await factOf('phone', 'bought'))!.count).toBe(3);
    });

    it('of two devices are added up, day by day', async () => {
      const bob = nameOf('bob');
      const { now } = stage.clock;
      for (const device of ['laptop', 'tablet']) {
        await track(device, 'bought', 1, now - 3 * DAY_MS);
        await track(device, 'bought', 2, now);
        await stage.knowledge.people.identify(bob, device);
      }
      const fact = (await factOf(personOf('bob'), 'bought'))!;
      expect([1, 3, 4].map((days) => countWithin(fact, days, now / 1_000))).toEqual([4, 4, 6]);
    });

    it('count anew where the session had dropped one meanwhile', async () => {
      const eve = nameOf('eve');
      await track('many', 'rare', 4, stage.clock.now - DAY_MS);
      await stage.knowledge.people.identify(eve, 'many');
      for (let i = 0; i < MOST_FACTS; i += 1) await track('many', `event-${i}`);
      expect(await factOf('many', 'rare')).toBeUndefined();
      await track('many', 'rare', 1, stage.clock.now + 1_000);
      const facts = await stage.knowledge.read(personOf('eve')).facts();
      expect(facts.size).toBe(MOST_FACTS);
      expect(facts.get(hash('rare'))!.count).toBeGreaterThanOrEqual(1);
    });

    it('count anew where it had come as often again before anybody looked', () => {
      const before: Fact = { count: 4, first: 100, last: 900, days: [[0, 4]], kept: false };
      const anew: Fact = { count: 6, first: 901, last: 950, days: [[0, 6]], kept: false };
      for (const count of [1, 4, 6]) {
        expect(sinceTaken({ ...anew, count }, before)).toMatchObject({ count });
        expect(takenWith(before, { ...anew, count })).toMatchObject({ count, first: 901 });
        // Read before it was dropped.
        expect(sinceTaken(before, { ...anew, count })).toBeUndefined();
        expect(takenWith({ ...anew, count }, before)).toMatchObject({ count, first: 901 });
      }
      // More of the same one, also of an earlier time.
      expect(sinceTaken({ ...before, count: 6, last: 950, days: [[0, 6]] }, before)).toMatchObject({ count: 2 });
      expect(sinceTaken({ ...before, count: 5, first: 50, days: [[0, 5]] }, before)).toMatchObject({ count: 1 });
      // As it was, and as it was before.
      for (const count of [4, 3]) expect(sinceTaken({ ...before, count }, before)).toBeUndefined();
      expect(takenWith(before, { ...before, count: 3 })).toBe(before);
    });

    it('are gone with the person’s erasure', async () => {
      const fay = nameOf('fay');
      await track('watch', 'bought');
      await stage.knowledge.people.identify(fay, 'watch');
      await stage.knowledge.people.erase(fay);
      expect(await stage.redis.command('KEYS', `*${fay}:c*`)).toEqual([]);
      expect(await countOf('fay', 'bought')).toBeUndefined();
    });
  });
});
