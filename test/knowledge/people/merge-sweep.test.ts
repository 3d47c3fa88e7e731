import { describe, expect, it } from 'vitest';
import { MergeSweep } from '../../../src/knowledge/index.ts';
import { ContendedError } from '../../../src/knowledge/people/contended-error.ts';
import { AT_ONCE, FAILED_RETRY_MS, RETRY_MS, UNREADABLE_MS } from '../../../src/knowledge/people/merge-sweep.ts';
import { personOf } from '../../../src/protocol/index.ts';
import { partitionOf } from '../../../src/redis/index.ts';
import { useTestData } from '../../support/use-test-data.ts';

/* Claimed sessions that cannot be merged: they are put off, told, and given up one day. */

describe('the sweep of claimed sessions', () => {
  const stage = useTestData();
  const { redis, keys } = stage;
  const told: [session: string, isGivenUp: boolean][] = [];
  const sweep = (now: number): Promise<number> => {
    told.length = 0;
    const onFailed = (session: string, _: Error, isGivenUp: boolean): void => void told.push([session, isGivenUp]);
    return new MergeSweep(redis, 'sw', stage.knowledge.people, onFailed).sweep(now);
  };
  const dueOf = async (session: string): Promise<number | null> => {
    const score = await redis.command<string | null>('ZSCORE', keys.merging(partitionOf(session)), session);
    return score === null ? null : Number(score);
  };
  const nameOf = (user: string): string => stage.knowledge.read(personOf(user)).subject;

  /** Claims a session and leaves it due. */
  const claim = async (session: string, person: string): Promise<void> => {
    await stage.knowledge.recordView(session, stage.pages('/a')[0]!);
    await stage.knowledge.people.identify(person, session);
    await redis.command('HINCRBY', keys.claim(session), 'dirty', '1');
    await redis.command('ZADD', keys.merging(partitionOf(session)), '0', session);
  };
  const breakRecord = (session: string): Promise<unknown> =>
    redis.command('SET', keys.subject(session), 'no record', 'KEEPTTL');

  it('puts one off for an hour whose record cannot be read, and gives it up when it is a day old', async () => {
    const now = Date.now();
    await claim('broken', nameOf('ada'));
    await breakRecord('broken');
    expect(await sweep(now)).toBe(1);
    expect(told).toEqual([['broken', false]]);
    expect(await dueOf('broken')).toBe(now + FAILED_RETRY_MS);
    expect([await sweep(now), told]).toEqual([0, []]);
    const aDayAgo = String((Date.now() - UNREADABLE_MS - 1) * 1_000);
    await redis.command('HSET', keys.claim('broken'), 'at', aDayAgo);
    expect(await sweep(now + FAILED_RETRY_MS)).toBe(1);
    expect(told).toEqual([['broken', true]]);
    expect(await redis.command('EXISTS', ...keys.all('broken'))).toBe(0);
    expect(await dueOf('broken')).toBeNull();
  });

  it('gives up none that fails for another reason', async () => {
    const now = Date.now();
    const eve = nameOf('eve');
    await claim('waits', eve);
    const { people } = stage.knowledge;
    const refusing = {
      lookAt: () => Promise.reject(new Error('NOPERM this user has no permissions')),
      postpone: (...args: Parameters<typeof people.postpone>) => people.postpone(...args),
    } as unknown as typeof people;
    const outcomes: boolean[] = [];
    const aDayAgo = String((Date.now() - UNREADABLE_MS - 1) * 1_000);
    await redis.command('HSET', keys.claim('waits'), 'at', aDayAgo);
    await new MergeSweep(redis, 'sw', refusing, (_, __, isGivenUp) => void outcomes.push(isGivenUp)).sweep(now);
    expect(outcomes).toEqual([false]);
    expect(await redis.command('EXISTS', keys.subject('waits'))).toBe(1);
  });

  it('looks again in seconds at one whose person others wrote all the time', async () => {
    const now = Date.now();
    await claim('contended', nameOf('fay'));
    const { people } = stage.knowledge;
    const contended = {
      lookAt: () => Promise.reject(new ContendedError('It is written so often.')),
      postpone: (...args: Parameters<typeof people.postpone>) => people.postpone(...args),
    } as unknown as typeof people;
    await new MergeSweep(redis, 'sw', contended, (session) => void told.push([session, false])).sweep(now);
    expect(await dueOf('contended')).toBe(now + RETRY_MS);
  });

  it('merges all at once that are of one person', async () => {
    const gus = nameOf('gus');
    const sessions = Array.from({ length: 100 }, (_, i) => `of-gus-${i}`);
    for (const session of sessions) {
      await claim(session, gus);
      // As a process leaves it that ends between a view and its push.
      await redis.command('HSET', keys.claim(session), 'clean', '0');
    }
    await redis.command('DEL', keys.subject(gus), keys.merged(gus));
    expect(await sweep(Date.now())).toBe(sessions.length);
    expect(told).toEqual([]);
    const { totalPages } = await stage.knowledge.read(personOf('gus')).visit(stage.clock.now);
    expect(totalPages).toBe(sessions.length);
  });

  it('looks at a hundred at once, however many are due: pages ask over the same connection', async () => {
    const sessions = Array.from({ length: 5 * AT_ONCE }, (_, i) => `due-${i}`);
    for (const session of sessions) await redis.command('ZADD', keys.merging(partitionOf(session)), '0', session);
    let [running, most] = [0, 0];
    const lookAt = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await redis.command('PING');
      running -= 1;
    };
    const people = { lookAt } as unknown as typeof stage.knowledge.people;
    expect(await new MergeSweep(redis, 'sw', people).sweep(Date.now())).toBe(sessions.length);
    expect(most).toBe(AT_ONCE);
  });

  it('reaches what stands behind a hundred that cannot be read', async () => {
    const now = Date.now();
    const partition = partitionOf('behind');
    const broken: string[] = [];
    for (let i = 0; broken.length < 100; i += 1) if (partitionOf(`bad-${i}`) === partition) broken.push(`bad-${i}`);
    const bob = nameOf('bob');
    for (const session of broken) {
      await claim(session, bob);
      await breakRecord(session);
    }
    await claim('behind', bob);
    await redis.command('ZADD', keys.merging(partition), '1', 'behind');
    for (let i = 0; i < 2; i += 1) await sweep(now);
    const [dirty, clean] = await redis.command<string[]>('HMGET', keys.claim('behind'), 'dirty', 'clean');
    expect(clean).toBe(dirty);
  });

  it('forgets one that is nobody’s any more', async () => {
    await redis.command('ZADD', keys.merging(partitionOf('gone')), '0', 'gone');
    expect(await sweep(Date.now())).toBe(1);
    expect([told, await dueOf('gone')]).toEqual([[], null]);
  });
});
