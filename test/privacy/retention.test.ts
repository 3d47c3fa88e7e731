import { describe, expect, it } from 'vitest';
import { MARKS } from '../../src/knowledge/index.ts';
import { createToken, personOf, sessionOf } from '../../src/protocol/index.ts';
import { SessionData } from '../../src/sessions/index.ts';
import { userReference } from '../../src/sessions/tokens/user-reference.ts';
import { groupList } from '../support/use-notices.ts';
import { useTestData } from '../support/use-test-data.ts';

/* How long what is known is kept: read off the expiry of each key. `subject-record.test.ts` has that of a visitor. */

const DAY_S = 86_400;

describe('what is known', () => {
  const stage = useTestData();
  const { redis, keys, knowledge } = stage;
  const lives = async (...names: string[]): Promise<number[]> =>
    Promise.all(names.map(async (name) => Math.round((await redis.command<number>('TTL', name)) / DAY_S)));

  it('of a person lives 400 days, by every key, from the first view on', async () => {
    const seen = { exactLimit: 1, engine: 'portable', errorRate: 0.01, firstCapacity: 100 } as const;
    const small = stage.with({ seen });
    const person = small.read(personOf('ada')).subject;
    for (const page of stage.pages('/a', '/b', '/c')) await small.recordView(person, page);
    await small.notices.lists.publish(groupList('g'), { id: 'n', text: 'T' });
    await small.notices.own.publish(person, { id: 'own', text: 'T' });
    await small.notices.markIds(small.read(personOf('ada')), ['n', 'own', 'foreign'], MARKS.read);
    const names = (await redis.command<string[]>('KEYS', `*${person}*`)).sort();
    expect(names.length).toBeGreaterThanOrEqual(6);
    expect(await lives(...names)).toEqual(names.map(() => 400));
  });

  it('of a visitor goes with the login: a claim lives 30 days at most, the memory of it and the mark of an erasure 32', async () => {
    const person = knowledge.read(personOf('grace')).subject;
    await knowledge.recordView('phone', stage.pages('/a')[0]!);
    await knowledge.people.identify(person, 'phone');
    expect(await lives(keys.subject('phone'), keys.claim('phone'), keys.merged(person))).toEqual([30, 30, 32]);
    await knowledge.people.erase(person);
    expect(await lives(keys.erased(person))).toEqual([32]);
    expect(await redis.command('EXISTS', keys.merged(person))).toBe(0);
  });

  it('of ended sessions stays in a bounded stream of events, which names no user', async () => {
    const store = new SessionData({ redis: stage.server.url, sweep: false, deadlineMs: 10_000, lifecycleLength: 100 });
    for (let i = 0; i < 200; i += 1) {
      const token = createToken();
      await store.save(token, { name: 'ada.lovelace' });
      await store.identify(token, 'ada.lovelace', { device: 'Kitchen tablet' });
      await store.end(token);
    }
    await store.close();
    // Redis drops whole blocks of 100.
    expect(await redis.command<number>('XLEN', keys.lifecycle())).toBeLessThan(100 + 100);
    const events = JSON.stringify(await redis.command('XRANGE', keys.lifecycle(), '-', '+'));
    expect(events).toContain('identified');
    for (const hidden of ['ada', 'Kitchen', userReference('ada.lovelace').slice(3)]) {
      expect(events).not.toContain(hidden);
    }
  });

  it('of a visitor whose consent ends with the browser expires as that of others', async () => {
    const session = sessionOf('a-visitor-of-one-browser-session');
    await knowledge.recordView(session, stage.pages('/a')[0]!);
    expect(await redis.command<number>('TTL', keys.subject(session))).toBeLessThanOrEqual(30 * 60);
    await knowledge.recordView(session, stage.pages('/b')[0]!);
    expect(await lives(keys.subject(session))).toEqual([30]);
  });
});
