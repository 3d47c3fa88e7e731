import { describe, expect, it } from 'vitest';
import { MINUTE_MS, SEEN_ITEMS_DEFAULTS } from '../../src/knowledge/index.ts';
import { personOf } from '../../src/protocol/index.ts';
import { useTestData } from '../support/use-test-data.ts';

/* Minutes without a view: a page is still looked at. */

describe('an active minute', () => {
  const stage = useTestData();
  const view = (subject: string, at?: number) => stage.knowledge.recordView(subject, stage.pages('/a')[0]!, { at });
  const visitOf = (subject: string) => stage.knowledge.read(subject).visit(stage.clock.now);
  const ttl = (subject: string) => stage.redis.command<number>('TTL', stage.keys.subject(subject));

  it('without a view before it is noted nowhere', async () => {
    expect(await stage.knowledge.recordActive('nobody')).toBe(false);
    await stage.knowledge.markItems('marks', [7]);
    expect(await stage.knowledge.recordActive('marks')).toBe(false);
    expect(await stage.redis.command('KEYS', '*nobody*')).toEqual([]);
    expect(await visitOf('marks')).toMatchObject({ totalPages: 0, activeMinutes: 0 });
  });

  it('counts once, and is no view', async () => {
    const { now } = stage.clock;
    await view('v', now);
    for (const minutes of [0, 1, 1, 3])
      expect(await stage.knowledge.recordActive('v', now + minutes * MINUTE_MS)).toBe(true);
    const visit = await stage.knowledge.read('v').visit(now + 3 * MINUTE_MS);
    expect(visit).toMatchObject({ totalPages: 1, uniquePages: 1, activeMinutes: 3, thisMinute: true });
    expect(visit.lastMinutes).toEqual([false, false, true, true, false]);
    expect(await view('v', now + 4 * MINUTE_MS)).toMatchObject({
      totalPages: 2,
      uniquePages: 1,
      previouslyVisited: true,
    });
  });

  it('keeps a visitor of one view as a message does that is no view: from a minute after it on', async () => {
    await view('v');
    const bounce = await ttl('v');
    await stage.knowledge.recordActive('v');
    expect(await ttl('v')).toBeLessThanOrEqual(bounce);
    stage.clock.now += MINUTE_MS;
    await stage.knowledge.recordActive('v');
    expect(await ttl('v')).toBeGreaterThan(bounce);
  });

  it('of a subject whose pages and minutes have outgrown its record leaves both as they are', async () => {
    const knowledge = stage.with({ seen: { ...SEEN_ITEMS_DEFAULTS, exactLimit: 2 } });
    const { now } = stage.clock;
    const pages = stage.pages('/a', '/b', '/c');
    for (const page of pages) await knowledge.recordView('large', page, { at: now });
    for (let i = 1; i <= 400; i += 1) await knowledge.recordActive('large', now + 2 * i * MINUTE_MS);
    const visit = await knowledge.read('large').visit(now + 800 * MINUTE_MS);
    expect(visit).toMatchObject({ totalPages: 3, uniquePages: 3, activeMinutes: 401 });
    expect(await knowledge.read('large').hasSeen('page', [...pages, ...stage.pages('/d')])).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  it('of a claimed session is the person’s', async () => {
    const ada = stage.knowledge.read(personOf('ada')).subject;
    const { now } = stage.clock;
    await view('phone', now);
    await stage.knowledge.people.identify(ada, 'phone');
    await stage.knowledge.recordActive('phone', now + 2 * MINUTE_MS);
    const visit = await stage.knowledge.read(personOf('ada')).visit(now + 2 * MINUTE_MS);
    expect(visit).toMatchObject({ totalPages: 1, activeMinutes: 2 });
  });
});
