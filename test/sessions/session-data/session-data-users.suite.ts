import { beforeAll, describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { type SessionData, SessionLimitError } from '../../../src/sessions/index.ts';
import { Sweeper } from '../../../src/sessions/maintenance/index.ts';
import { userReference } from '../../../src/sessions/tokens/user-reference.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { inParallel, type SessionDataStage } from './session-data-stage.suite.ts';

/** Which sessions are whose. */
export function describeUsers(stage: SessionDataStage): void {
  describe('users', () => {
    let data: SessionData;
    let count = 0;
    beforeAll(() => {
      data = stage.open();
    });
    const freshUser = (): string => {
      count += 1;
      return `user-${count}-${createToken()}`;
    };
    const indexOf = async (userId: string): Promise<string[]> => {
      await stage.settled();
      return stage.redis.command('ZRANGE', indexKey(userId), '0', '-1');
    };
    const idsOf = async (userId: string, of = data): Promise<string[]> =>
      (await of.sessionsOf(userId)).map(({ session }) => session);
    const signedIn = async (userId: string, device?: string): Promise<string> => {
      const token = await stage.saved(data, { a: 1 });
      await data.identify(token, userId, { device });
      return token;
    };

    it('a user sees the sessions with device and times, the last seen first', async () => {
      const user = freshUser();
      const before = await stage.serverNow();
      const older = await signedIn(user, 'Firefox on Linux');
      await waitUntil('the clock has moved', async () => (await stage.serverNow()) > (await listed())[0]!.lastSeenAt);
      const newer = await signedIn(user);
      const sessions = await listed();
      expect(sessions.map(({ session, device }) => [session, device])).toEqual([
        [sessionOf(newer), undefined],
        [sessionOf(older), 'Firefox on Linux'],
      ]);
      const now = await stage.serverNow();
      for (const { firstSeenAt, lastSeenAt, expiresAt } of sessions) {
        expect(firstSeenAt).toBeGreaterThanOrEqual(before);
        expect(lastSeenAt).toBeGreaterThanOrEqual(firstSeenAt);
        expect(lastSeenAt).toBeLessThanOrEqual(now);
        expect(expiresAt).toBeGreaterThan(now);
      }
      expect(data.infoOf((await data.load(older))!).userId).toBe(user);

      function listed(): ReturnType<SessionData['sessionsOf']> {
        return data.sessionsOf(user);
      }
    });

    it('who identifies twice is listed once, and the values stay', async () => {
      const user = freshUser();
      const token = await signedIn(user, 'one');
      expect(await data.identify(token, user, { device: 'two' })).toEqual([]);
      expect((await data.sessionsOf(user)).map(({ device }) => device)).toEqual(['two']);
      expect(await stage.values(data, token)).toEqual({ a: 1 });
    });

    it('saves keep whose it is, and values cannot change it', async () => {
      const user = freshUser();
      const token = await signedIn(user);
      await data.save(token, { userId: 'mallory' });
      await data.save(token, { b: 1 }, await data.load(token));
      expect(data.infoOf((await data.load(token))!).userId).toBe(user);
      expect(await idsOf(user)).toEqual([sessionOf(token)]);
    });

    it('ending one, the others, all', async () => {
      const user = freshUser();
      const tokens = await inParallel(5, () => signedIn(user));
      const [first, second, third] = tokens.map(sessionOf) as [string, string, string];
      expect(await data.endSession(user, first)).toBe(true);
      expect(await data.endSession(user, first)).toBe(false);
      expect(await data.load(tokens[0]!)).toBeUndefined();
      expect(await data.endSessionsOf(user, { keep: second })).toBe(3);
      expect(await idsOf(user)).toEqual([second]);
      expect(await data.load(tokens[2]!)).toBeUndefined();
      await expect(data.endSessionsOf(user, { keep: undefined as never })).rejects.toThrow(/keep is undefined/);
      expect(await data.endSessionsOf(user)).toBe(1);
      expect(await idsOf(user)).toEqual([]);
      expect(await indexOf(user)).toEqual([]);
      expect(await data.endSession(user, third)).toBe(false);
      expect((await stage.lifecycle(tokens[0]!)).at(-1)).toMatchObject({ event: 'ended', reason: 'by-user' });
    });

    it("another user's session, an anonymous one and no session at all cannot be ended", async () => {
      const [user, other] = [freshUser(), freshUser()];
      const theirs = await signedIn(other);
      const anonymous = await stage.saved(data, { a: 1 });
      expect(await data.endSession(user, sessionOf(theirs))).toBe(false);
      expect(await data.endSession(user, sessionOf(anonymous))).toBe(false);
      expect(await data.endSession(user, 'no such session')).toBe(false);
      expect(await data.endSession(user, '')).toBe(false);
      expect(await data.endSessionsOf(user)).toBe(0);
      expect(await stage.values(data, theirs)).toEqual({ a: 1 });
      expect(await stage.values(data, anonymous)).toEqual({ a: 1 });
    });

    it('identify moves a session from one user to another', async () => {
      const [one, other] = [freshUser(), freshUser()];
      const token = await signedIn(one);
      await data.identify(token, other);
      expect(await idsOf(one)).toEqual([]);
      expect(await indexOf(one)).toEqual([]);
      expect(await idsOf(other)).toEqual([sessionOf(token)]);
      expect(data.infoOf((await data.load(token))!).userId).toBe(other);
      expect(await data.endSession(one, sessionOf(token))).toBe(false);
    });

    it('an index entry that is not true is not believed', async () => {
      const [user, other] = [freshUser(), freshUser()];
      const own = await signedIn(user);
      const theirs = await signedIn(other);
      const index = new Keys('sw').userSessions(userReference(user));
      const [member] = await indexOf(other);
      await stage.redis.command('ZADD', index, '99999999999999', member!);
      await stage.redis.command('ZADD', index, '99999999999999', `${member!.slice(0, 4)}${'0'.repeat(25)}`);
      expect(await idsOf(user)).toEqual([sessionOf(own)]);
      expect(await data.endSessionsOf(user)).toBe(1);
      expect(await stage.values(data, theirs)).toEqual({ a: 1 });
    });

    it('sessions that end leave the index: ended, swept, or over', async () => {
      const namespace = stage.freshNamespace();
      const short = stage.open({ namespace, idleMs: 100, touchEveryMs: 0 });
      const user = freshUser();
      const index = new Keys(namespace).userSessions(userReference(user));
      const token = await stage.saved(short, {});
      await short.identify(token, user);
      const long = stage.open({ namespace });
      const ended = await stage.saved(long, {});
      await long.identify(ended, user);
      expect(await long.end(ended)).toBe(true);
      await stage.settled(namespace);
      expect(await stage.redis.command<number>('ZCARD', index)).toBe(1);
      await waitUntil('the session is over', async () => !(await short.load(token)));
      expect(await short.sessionsOf(user)).toEqual([]);
      await new Sweeper(stage.redis, namespace, { lifecycleLength: 100 }).sweep();
      expect(await stage.redis.command<number>('ZCARD', index)).toBe(0);
      expect((await stage.lifecycle(token, namespace)).at(-1)?.event).toBe('expired');
    });

    it('the index lives as long as the last of its sessions, and a day', async () => {
      const user = freshUser();
      const [long, short] = [stage.open({ idleMs: 7_200_000 }), stage.open({ idleMs: 60_000 })];
      for (const store of [long, short]) await store.identify(await stage.saved(store, {}), user);
      const key = new Keys('sw').userSessions(userReference(user));
      expect(await stage.redis.command<number>('PTTL', key)).toBeGreaterThan(86_400_000 + 7_200_000);
    });

    it('the cap refuses one more, writes nothing, and lets those go on who are in', async () => {
      const capped = stage.open({ maxSessionsPerUser: 2 });
      const user = freshUser();
      const tokens = await inParallel(3, () => stage.saved(capped, { a: 1 }));
      await capped.identify(tokens[0]!, user);
      await capped.identify(tokens[1]!, user);
      const before = await stage.bytes(tokens[2]!);
      const error = (await capped.identify(tokens[2]!, user).catch((error_: unknown) => error_)) as SessionLimitError;
      expect(error).toBeInstanceOf(SessionLimitError);
      expect(error.limit).toBe(2);
      expect(await stage.bytes(tokens[2]!)).toEqual(before);
      expect(await capped.identify(tokens[1]!, user)).toEqual([]);
      await capped.end(tokens[0]!);
      expect(await capped.identify(tokens[2]!, user)).toEqual([]);
      expect((await idsOf(user, capped)).sort()).toEqual(tokens.slice(1).map(sessionOf).sort());
    });

    it('a session that is over does not count for the cap', async () => {
      const capped = stage.open({ maxSessionsPerUser: 1, idleMs: 100, touchEveryMs: 0 });
      const user = freshUser();
      const token = await stage.saved(capped, {});
      await capped.identify(token, user);
      await waitUntil('the session is over', async () => !(await capped.load(token)));
      // Of a store whose sessions do not end meanwhile.
      const later = stage.open({ maxSessionsPerUser: 1 });
      const next = await stage.saved(later, {});
      expect(await later.identify(next, user)).toEqual([]);
    });

    it('20 at once with refuse: as many as may get in, and never more', async () => {
      const stores = [stage.open({ maxSessionsPerUser: 5 }), stage.open({ maxSessionsPerUser: 5 })];
      const user = freshUser();
      const tokens = await inParallel(20, () => stage.saved(data, {}));
      const outcomes = await Promise.allSettled(tokens.map((token, i) => stores[i % 2]!.identify(token, user)));
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(refused).toHaveLength(15);
      for (const { reason } of refused) expect(reason).toBeInstanceOf(SessionLimitError);
      expect(await idsOf(user)).toHaveLength(5);
    });

    it('20 at once with end-oldest: never more than may be, and who had to go is told', async () => {
      const options = { maxSessionsPerUser: 5, onSessionLimit: 'end-oldest' } as const;
      const stores = [stage.open(options), stage.open(options)];
      const user = freshUser();
      const tokens = await inParallel(20, () => stage.saved(data, {}));
      let done = false;
      let most = 0;
      const watching = (async () => {
        while (!done) most = Math.max(most, await stage.redis.command<number>('ZCARD', indexKey(user)));
      })();
      const ended = (await Promise.all(tokens.map((token, i) => stores[i % 2]!.identify(token, user)))).flat();
      done = true;
      await watching;
      expect(most).toBeLessThanOrEqual(5);
      expect(new Set(ended).size).toBe(15);
      const living = await idsOf(user);
      expect(living).toHaveLength(5);
      expect([...living, ...ended].sort()).toEqual(tokens.map(sessionOf).sort());
      const gone = tokens.find((token) => sessionOf(token) === ended[0])!;
      expect(await data.load(gone)).toBeUndefined();
      expect((await stage.lifecycle(gone)).at(-1)).toMatchObject({ event: 'ended', reason: 'limit' });
    });

    it('the one that rested longest goes', async () => {
      const capped = stage.open({ maxSessionsPerUser: 2, onSessionLimit: 'end-oldest', touchEveryMs: 0 });
      const user = freshUser();
      const tokens = await inParallel(3, () => stage.saved(capped, {}));
      await capped.identify(tokens[0]!, user);
      await capped.identify(tokens[1]!, user);
      const seen = capped.infoOf((await capped.load(tokens[1]!))!).lastSeenAt;
      await waitUntil('the clock has moved', async () => (await stage.serverNow()) > seen);
      await capped.touch(tokens[0]!, {});
      expect(await capped.identify(tokens[2]!, user)).toEqual([sessionOf(tokens[1]!)]);
    });

    it('user ids of any kind, and devices of any length', async () => {
      const device = `🚲${'x'.repeat(5000)}`;
      for (const userId of ['Zoë Müller, 東京 🚲', 'a@b.example', 'u'.repeat(1024), '0', '__proto__', 'x\n\0:{}']) {
        const token = await stage.saved(data, {});
        await data.identify(token, userId, { device });
        const [listed] = await data.sessionsOf(userId);
        expect(listed!.session).toBe(sessionOf(token));
        expect(device.startsWith(listed!.device!)).toBe(true);
        expect(data.infoOf((await data.load(token))!).userId).toBe(userId);
      }
      expect((await stage.keys()).filter((key) => /Müller|example|u{12}/.test(key))).toEqual([]);
    });

    it('what is no user id is refused, and nothing is written', async () => {
      const token = await stage.saved(data, {});
      const before = await stage.bytes(token);
      for (const userId of ['', 'u'.repeat(1025), undefined, 7, null] as string[]) {
        await expect(data.identify(token, userId)).rejects.toThrow(RangeError);
        await expect(data.sessionsOf(userId)).rejects.toThrow(RangeError);
        await expect(data.endSession(userId, sessionOf(token))).rejects.toThrow(RangeError);
        await expect(data.endSessionsOf(userId)).rejects.toThrow(RangeError);
      }
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('a wrong argument is no outage', async () => {
      const own = stage.open();
      let outages = 0;
      own.on('store:down', () => {
        outages += 1;
      });
      const token = await stage.saved(own, {});
      const missing = undefined as unknown as string;
      const outcomes = await Promise.allSettled([
        own.endSession(freshUser(), missing),
        own.identify(token, freshUser(), { device: 5 as unknown as string }),
      ]);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason.code).not.toBe('STORE_UNAVAILABLE');
      }
      expect(outages).toBe(0);
      expect(own.isUp).toBe(true);
    });

    function indexKey(userId: string): string {
      return new Keys('sw').userSessions(userReference(userId));
    }
  });
}
