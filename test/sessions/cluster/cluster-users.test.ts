import { expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { reserveLogin } from '../../../src/sessions/cluster/scripts/reserve-login.ts';
import { UserIndex } from '../../../src/sessions/cluster/user-index.ts';
import { SessionLimitError } from '../../../src/sessions/errors/session-limit-error.ts';
import type { SessionData } from '../../../src/sessions/index.ts';
import { readHeader } from '../../../src/sessions/record/record-header.ts';
import { userReference } from '../../../src/sessions/tokens/user-reference.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { inParallel } from '../session-data/session-data-stage.suite.ts';
import { tokenOn, useClusterStage } from './cluster-stage.ts';

/* Users' sessions where each lies on another master, and the index on one of them. */

const keys = new Keys('sw');
const index = new UserIndex(keys);
const stage = useClusterStage();

const indexOf = (userId: string): string => keys.userSessions(userReference(userId));
const membersOf = (userId: string): Promise<string[]> => stage.redis.command('ZRANGE', indexOf(userId), '0', '-1');

/** How many of the sessions live and are the user's, as the records say. */
async function livingOf(userId: string, tokens: readonly string[]): Promise<number> {
  const records = await Promise.all(tokens.map((token) => stage.bytes(token)));
  const headers = records.flatMap((record) => (record ? [readHeader(record)] : []));
  return headers.filter(({ ended, user }) => !ended && user === userReference(userId)).length;
}

/** A claim as a process leaves it that dies before it writes the record. */
async function claimFor(userId: string, token: string, holdsMs: number): Promise<string> {
  const args = { member: index.memberOf(sessionOf(token)), limit: 0, holdsMs, expiresAt: Date.now() + 60_000 };
  const { values } = await reserveLogin.run(stage.redis, { index: indexOf(userId) }, args);
  return values[0];
}

/** The outages that a store tells of. */
function downsOf(data: SessionData): Error[] {
  const downs: Error[] = [];
  data.on('store:down', (error) => downs.push(error));
  return downs;
}

it.each(['refuse', 'end-oldest'] as const)(
  'users in a Cluster: 32 logins at once with %s: the cap holds at every moment',
  async (onSessionLimit) => {
    const user = createToken();
    const stores = [0, 1, 2, 3].map(() => stage.open({ maxSessionsPerUser: 3, onSessionLimit }));
    const tokens = await inParallel(32, async (i) => {
      const token = tokenOn(i % 3);
      await stores[i % 4]!.save(token, { i });
      return token;
    });
    let [isDone, most] = [false, 0];
    const watching = (async () => {
      while (!isDone) most = Math.max(most, await livingOf(user, tokens));
    })();
    const outcomes = await Promise.allSettled(tokens.map((token, i) => stores[i % 4]!.identify(token, user)));
    isDone = true;
    await watching;
    expect(most).toBeLessThanOrEqual(3);
    expect(await livingOf(user, tokens)).toBe(3);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    for (const { reason } of refused) expect(reason).toBeInstanceOf(SessionLimitError);
    expect(refused).toHaveLength(onSessionLimit === 'refuse' ? 29 : 0);
    const ended = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
    expect(new Set(ended).size).toBe(ended.length);
    expect(ended).toHaveLength(onSessionLimit === 'refuse' ? 0 : 29);
    await stage.settled();
    expect(await membersOf(user)).toHaveLength(3);
    expect(await stores[0]!.sessionsOf(user)).toHaveLength(3);
  },
);

it('users in a Cluster: ending all ends those on every master, and the index is gone', async () => {
  const data = stage.open();
  const user = createToken();
  const tokens = await inParallel(30, async (i) => {
    const token = tokenOn(i % 3);
    await data.save(token, {});
    await data.identify(token, user);
    return token;
  });
  const [kept] = tokens as [string];
  expect(await data.endSessionsOf(user, { keep: sessionOf(kept) })).toBe(29);
  expect((await data.sessionsOf(user)).map(({ session }) => session)).toEqual([sessionOf(kept)]);
  expect(await data.endSessionsOf(user)).toBe(1);
  await stage.settled();
  expect(await livingOf(user, tokens)).toBe(0);
  expect(await stage.redis.command('EXISTS', indexOf(user))).toBe(0);
});

it('users in a Cluster: a login that died between index and record holds its place for as long as it could go on, and then nobody sees it', async () => {
  const user = createToken();
  const capped = stage.open({ maxSessionsPerUser: 1, deadlineMs: 3_000 });
  const [dead, next] = [await stage.saved(capped, {}), await stage.saved(capped, {})];
  const held = await claimFor(user, dead, 60_000);
  await expect(capped.identify(next, user)).rejects.toMatchObject({ code: 'SESSION_LIMIT', isTemporary: true });
  expect(await capped.sessionsOf(user)).toEqual([]);
  expect(await membersOf(user)).toEqual([index.memberOf(sessionOf(dead))]);

  await index.release(stage.redis, userReference(user), sessionOf(dead), held);
  await claimFor(user, dead, 1);
  await waitUntil('the claim is over', async () => Number(await score(user, dead)) > -(await stage.serverNow()));
  expect(await capped.identify(next, user)).toEqual([]);
  expect(await membersOf(user)).toEqual([index.memberOf(sessionOf(next))]);
});

it('users in a Cluster: a login that died before it confirmed its place counts, and can be ended for another at once', async () => {
  const user = createToken();
  const capped = stage.open({ maxSessionsPerUser: 1, onSessionLimit: 'end-oldest', deadlineMs: 3_000 });
  const [first, next] = [await stage.saved(capped, {}), await stage.saved(capped, {})];
  await capped.identify(first, user);
  await stage.settled();
  await claimFor(user, first, 60_000);
  expect(await capped.sessionsOf(user)).toHaveLength(1);
  expect(await capped.identify(next, user)).toEqual([sessionOf(first)]);
  expect(await capped.load(first)).toBeUndefined();
  expect(await membersOf(user)).toEqual([index.memberOf(sessionOf(next))]);
});

it.each([
  ['end-oldest', 1],
  ['end-oldest', 2],
  ['refuse', 2],
] as const)(
  'with %s and a limit of %i a login that died half-way ends nobody: the next is told to try again, and no outage',
  async (onSessionLimit, maxSessionsPerUser) => {
    const user = createToken();
    const capped = stage.open({ maxSessionsPerUser, onSessionLimit, deadlineMs: 2_000 });
    const downs = downsOf(capped);
    const [living, dead] = [await stage.saved(capped, {}), await stage.saved(capped, {})];
    await capped.identify(living, user);
    await stage.settled();
    const held = await claimFor(user, dead, 60_000);
    // More than one: they have the deadline each, and not one after the other.
    const tokens = await inParallel(4, () => stage.saved(capped, {}));
    const outcomes = await Promise.allSettled(tokens.map((token) => capped.identify(token, user)));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SESSION_LIMIT', isTemporary: true } });
      expect(String((outcome as PromiseRejectedResult).reason)).toContain('try again');
    }
    expect(downs).toEqual([]);
    expect((await capped.sessionsOf(user)).map(({ session }) => session)).toEqual([sessionOf(living)]);

    await index.release(stage.redis, userReference(user), sessionOf(dead), held);
    expect(await capped.identify(tokens[0]!, user)).toEqual(maxSessionsPerUser === 1 ? [sessionOf(living)] : []);
  },
);

it('users in a Cluster: a claim is waited for before anybody is ended: it may come to nothing', async () => {
  const user = createToken();
  const capped = stage.open({ maxSessionsPerUser: 2, onSessionLimit: 'end-oldest' });
  const [living, dead, next] = await inParallel(3, () => stage.saved(capped, {}));
  await capped.identify(living!, user);
  await stage.settled();
  await claimFor(user, dead!, 1_000);
  expect(await capped.identify(next!, user)).toEqual([]);
  expect(await livingOf(user, [living!, next!])).toBe(2);
});

it('users in a Cluster: a full house refuses for good at once, whoever else is under way', async () => {
  const user = createToken();
  const capped = stage.open({ maxSessionsPerUser: 1 });
  const [living, dead, next] = await inParallel(3, () => stage.saved(capped, {}));
  await capped.identify(living!, user);
  await stage.settled();
  await claimFor(user, dead!, 60_000);
  await expect(capped.identify(next!, user)).rejects.toMatchObject({ code: 'SESSION_LIMIT', isTemporary: false });
});

it('users in a Cluster: a session does not wait for a claim of its own that was left behind', async () => {
  const user = createToken();
  const capped = stage.open({ maxSessionsPerUser: 1, onSessionLimit: 'end-oldest', deadlineMs: 2_000 });
  const [living, next] = await inParallel(2, () => stage.saved(capped, {}));
  await capped.identify(living!, user);
  await stage.settled();
  await claimFor(user, next!, 60_000);
  expect(await capped.identify(next!, user)).toEqual([sessionOf(living!)]);
  await waitUntil('its place is confirmed', async () => Number(await score(user, next!)) > 0);
  expect(await membersOf(user)).toEqual([index.memberOf(sessionOf(next!))]);
});

it('users in a Cluster: whoever lists sessions removes what is not true, but for claims that hold', async () => {
  const user = createToken();
  const data = stage.open();
  const token = await stage.saved(data, {});
  await data.identify(token, user);
  const [under, stale] = [tokenOn(0), tokenOn(1)];
  await claimFor(user, under, 60_000);
  await stage.redis.command('ZADD', indexOf(user), '99999999999999', index.memberOf(sessionOf(stale)));
  expect(await data.sessionsOf(user)).toHaveLength(1);
  await waitUntil('it is removed', async () => (await membersOf(user)).length === 2);
  expect((await membersOf(user)).sort()).toEqual([under, token].map((of) => index.memberOf(sessionOf(of))).sort());
});

it('users in a Cluster: an entry whose time lies behind hides no session, and a renewal puts it right', async () => {
  const user = createToken();
  const data = stage.open({ touchEveryMs: 0, idleMs: 60_000, maxSessionsPerUser: 2, onSessionLimit: 'end-oldest' });
  const [first, second] = [await stage.saved(data, {}), await stage.saved(data, {})];
  await data.identify(first, user);
  await stage.redis.command('ZADD', indexOf(user), '1', index.memberOf(sessionOf(first)));
  await data.identify(second, user);
  expect(await data.sessionsOf(user)).toHaveLength(2);
  // Looked at, because its time has passed long ago, and left where it is.
  await data.sessionsOf(user);
  expect(await membersOf(user)).toHaveLength(2);
  await data.touch(first, {});
  await waitUntil('it is right', async () => Number(await score(user, first)) > (await stage.serverNow()));
  expect(await data.endSessionsOf(user)).toBe(2);
});

it('users in a Cluster: an index that was lost comes back with the renewals', async () => {
  const user = createToken();
  const data = stage.open({ touchEveryMs: 0, idleMs: 60_000 });
  const token = await stage.saved(data, {});
  await data.identify(token, user);
  await stage.settled();
  await stage.redis.command('DEL', indexOf(user));
  expect(await data.sessionsOf(user)).toEqual([]);
  await data.touch(token, {});
  await waitUntil('it is there', async () => (await data.sessionsOf(user)).length === 1);
  expect(await stage.redis.command<number>('PTTL', indexOf(user))).toBeGreaterThan(86_400_000);
});

it('users in a Cluster: a session that could not be given to the user gives its place back', async () => {
  const user = createToken();
  const data = stage.open({ maxSessionsPerUser: 1 });
  const token = await stage.saved(data, {});
  const loaded = (await data.load(token))!;
  await data.end(token);
  await expect(data.identify(token, user, {}, loaded)).rejects.toThrow(/ended/);
  await waitUntil('the place is free', async () => (await membersOf(user)).length === 0);
});

function score(userId: string, token: string): Promise<string> {
  return stage.redis.command('ZSCORE', indexOf(userId), index.memberOf(sessionOf(token)));
}
