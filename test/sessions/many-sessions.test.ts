import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../src/protocol/index.ts';
import { SessionData, type SessionDataOptions, type UserSession } from '../../src/sessions/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { useClusterStage } from './cluster/cluster-stage.ts';
import { inParallel } from './session-data/session-data-stage.suite.ts';

/* A user with thousands of sessions, by a store with the default deadline: nothing holds Redis for long, and what is told
 * is what was done. */

/** Far above what a step takes, and far below the deadline of 1,000 ms that one step over all of them went beyond. */
const LONG_MICROSECONDS = 250_000;

async function signIn(data: SessionData, user: string, count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const some = await inParallel(Math.min(300, count - tokens.length), async () => {
      const token = createToken();
      await data.identify(token, user, {}, await data.save(token, {}, undefined, { isNew: true }));
      return token;
    });
    tokens.push(...some);
  }
  return tokens;
}

describe('a user with 21,000 sessions', () => {
  const count = 21_000;
  const server = useRedis({ eachTest: 'kept' });
  const { redis } = server;
  let tokens: string[];
  const opened: SessionData[] = [];
  const open = (options: Omit<SessionDataOptions, 'redis'> = {}): SessionData => {
    const data = new SessionData({ redis: server.url, sweep: false, ...options });
    opened.push(data);
    return data;
  };

  beforeAll(async () => {
    tokens = await signIn(open({ maxSessionsPerUser: 100_000, deadlineMs: 20_000 }), 'ada', count);
    await redis.command('CONFIG', 'SET', 'slowlog-log-slower-than', String(LONG_MICROSECONDS));
    await redis.command('SLOWLOG', 'RESET');
  }, 120_000);
  afterAll(async () => {
    await Promise.all(opened.map((data) => data.close()));
  });
  const slow = (): Promise<unknown> => redis.command('SLOWLOG', 'GET');

  it('is listed in pages', async () => {
    const data = open();
    expect(await data.sessionsOf('ada')).toHaveLength(100);
    const listed: UserSession[] = [];
    for (let page = 0; page < 3; page += 1) {
      listed.push(...(await data.sessionsOf('ada', { limit: 250, after: listed.at(-1) })));
    }
    expect(new Set(listed.map(({ session }) => session)).size).toBe(750);
    const times = listed.map(({ lastSeenAt }) => lastSeenAt);
    expect(times).toEqual(times.toSorted((one, other) => other - one));
    expect(await slow()).toEqual([]);
  }, 60_000);

  it('gets one more under a cap of 10,000: the oldest end in steps, and it is told which', async () => {
    const data = open({ maxSessionsPerUser: 10_000, onSessionLimit: 'end-oldest' });
    const token = createToken();
    await data.save(token, {});
    const ended = await data.identify(token, 'ada');
    expect(new Set(ended).size).toBe(count + 1 - 10_000);
    expect((await data.sessionsOf('ada', { limit: 1 }))[0]!.session).toBe(sessionOf(token));
    expect(await data.load(tokens[0]!)).toBeUndefined();
    expect(await slow()).toEqual([]);
    tokens.push(token);
  }, 60_000);

  it('with refuse there is no other one', async () => {
    const data = open({ maxSessionsPerUser: 5_000 });
    const token = createToken();
    await data.save(token, {});
    await expect(data.identify(token, 'ada')).rejects.toMatchObject({ code: 'SESSION_LIMIT', isTemporary: false });
  });

  it('logs out everywhere else, then everywhere: all end, and it is told how many', async () => {
    const data = open();
    const keep = sessionOf(tokens.at(-1)!);
    expect(await data.endSessionsOf('ada', { keep })).toBe(9_999);
    expect((await data.sessionsOf('ada')).map(({ session }) => session)).toEqual([keep]);
    expect(await data.endSessionsOf('ada')).toBe(1);
    expect(await data.sessionsOf('ada')).toEqual([]);
    expect(await slow()).toEqual([]);
  }, 60_000);

  it('cannot come to be unasked: without a cap the oldest of 1,000 ends', async () => {
    const data = open({ deadlineMs: 20_000 });
    await signIn(data, 'bob', 1_000);
    const token = createToken();
    await data.save(token, {});
    expect(await data.identify(token, 'bob')).toHaveLength(1);
    expect(await data.sessionsOf('bob', { limit: 1_000 })).toHaveLength(1_000);
  }, 60_000);
});

describe('a user with 2,000 sessions in a Cluster', () => {
  const stage = useClusterStage();

  it('gets one more under a cap of 500, is listed in pages, and logs out everywhere', async () => {
    await signIn(stage.open({ maxSessionsPerUser: 100_000 }), 'ada', 2_000);
    await stage.settled();
    const data = stage.open({ maxSessionsPerUser: 500, onSessionLimit: 'end-oldest', deadlineMs: 3_000 });
    const token = await stage.saved(data, {});
    expect(new Set(await data.identify(token, 'ada')).size).toBe(1_501);
    const first = await data.sessionsOf('ada', { limit: 300 });
    const second = await data.sessionsOf('ada', { limit: 300, after: first.at(-1) });
    expect(first[0]!.session).toBe(sessionOf(token));
    expect([first.length, second.length]).toEqual([300, 200]);
    expect(await data.endSessionsOf('ada', { keep: sessionOf(token) })).toBe(499);
    expect(await data.endSessionsOf('ada')).toBe(1);
    expect(await data.sessionsOf('ada')).toEqual([]);
  }, 120_000);
});
