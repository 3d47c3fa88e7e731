import { beforeAll, describe, expect, it } from 'vitest';
import { createToken, personOf, sessionOf } from '../../../src/protocol/index.ts';
import { Keys, PARTITIONS, partitionOf } from '../../../src/redis/index.ts';
import type { SessionData } from '../../../src/sessions/index.ts';
import { userReference } from '../../../src/sessions/tokens/user-reference.ts';
import type { SessionDataStage } from './session-data-stage.suite.ts';

const KEPT_MS = 3_600_000;

/** Erases and exports all of a session or a user. */
export function describeSubjects(stage: SessionDataStage): void {
  describe('of a subject', () => {
    let namespace: string;
    let keys: Keys;
    let data: SessionData;
    beforeAll(() => {
      namespace = stage.freshNamespace();
      keys = new Keys(namespace);
      data = stage.open({ namespace });
    });

    const none = { sessions: 0, copies: 0, knowledge: 0, waitingForArchive: 0, lifecycleEvents: 0, unreadable: 0 };
    const signedIn = async (user: string, device?: string): Promise<string> => {
      const token = await stage.saved(data, { cart: ['tea'] });
      await data.identify(token, user, { device });
      return token;
    };
    /** Knowledge of a session, as the service would have made it: three keys. */
    const known = async (session: string): Promise<void> => {
      await stage.redis.command('SET', keys.subject(session), 'a record');
      await stage.redis.command('SET', keys.seenFilter(session, 'page'), 'a filter');
      await stage.redis.command('HSET', keys.noticeStates(session), 'list', 'states');
    };
    const arm = (session: string): Promise<unknown> =>
      stage.redis.command('SET', keys.archiving(partitionOf(session)), '1');
    const disarm = (): Promise<unknown> =>
      Promise.all(
        Array.from({ length: PARTITIONS }, (_, partition) => stage.redis.command('DEL', keys.archiving(partition))),
      );
    /** The keys whose name or value holds a text. */
    const traces = async (text: string): Promise<string[]> => {
      await stage.settled(namespace);
      const found = await Promise.all(
        (await stage.keys()).map(async (key) => {
          const type = await stage.redis.command<string>('TYPE', key);
          const reads = { string: ['GET', key], zset: ['ZRANGE', key, '0', '-1'], hash: ['HGETALL', key] };
          const read = type === 'stream' ? ['XRANGE', key, '-', '+'] : reads[type as keyof typeof reads];
          const value = await stage.redis.commandForBuffers(...read);
          return `${key} ${textOf(value)}`.includes(text) ? key : '';
        }),
      );
      return found.filter((key) => key !== '' && key.startsWith(namespace));
    };

    it('erases a session: data, knowledge, events; and says by kind what it erased, once', async () => {
      const token = await signedIn(`user ${createToken()}`, 'Firefox on Linux');
      const session = sessionOf(token);
      await known(session);
      await data.rotate(token, { grace: true });
      const ids = [session];
      // Created, identified, rotated, and the end that the erasure itself tells.
      expect(await data.forget({ session })).toEqual({ ...none, ids, sessions: 1, knowledge: 3, lifecycleEvents: 4 });
      expect(await data.forget({ session })).toEqual({ ...none, ids });
    });

    it('leaves of a session two marks without content for an hour, and nothing else', async () => {
      const token = await signedIn(`user ${createToken()}`);
      const session = sessionOf(token);
      await known(session);
      await data.forget({ session });
      expect(await traces(session)).toEqual([keys.subject(session), keys.record(session)].sort());
      expect(await stage.redis.command('STRLEN', keys.subject(session))).toBe(0);
      const record = await stage.redis.commandForBuffers<Buffer>('GET', keys.record(session));
      // A header that says ended: no secret, no time, no user.
      expect(record.toString('hex')).toBe(`0101${'00'.repeat(68)}`);
      for (const key of [keys.subject(session), keys.record(session)]) {
        const left = await stage.redis.command<number>('PTTL', key);
        expect(left).toBeGreaterThan(KEPT_MS - 60_000);
        expect(left).toBeLessThanOrEqual(KEPT_MS);
        await stage.redis.command('DEL', key);
      }
      expect(await traces(session)).toEqual([]);
    });

    it('lets no request of before bring a session back', async () => {
      const token = await stage.saved(data, { a: 1 });
      const loaded = await data.load(token);
      await data.forget({ session: sessionOf(token) });
      expect(await data.load(token)).toBeUndefined();
      expect(await data.save(token, { a: 2 }, loaded)).toBeUndefined();
      expect(await data.save(token, { a: 2 })).toBeUndefined();
      expect(await data.touch(token, {})).toBe(false);
      await expect(data.identify(token, 'ada')).rejects.toMatchObject({ code: 'SESSION_GONE' });
      await expect(data.rotate(token)).rejects.toMatchObject({ code: 'SESSION_GONE' });
      expect(await data.isCurrent(token)).toBe(false);
    });

    it('erases all sessions of a user, and no other', async () => {
      const [user, other] = [`ada ${createToken()}`, `bob ${createToken()}`];
      const tokens = [await signedIn(user), await signedIn(user), await signedIn(user)];
      const others = await signedIn(other);
      await stage.settled(namespace);
      const sessions = tokens.map(sessionOf);
      for (const session of sessions) await known(session);
      const erased = await data.forget({ user });
      expect([...erased.ids].sort()).toEqual([...sessions].sort());
      expect(erased).toMatchObject({ ...none, sessions: 3, knowledge: 9, lifecycleEvents: 9 });
      expect(await traces(userReference(user).slice(3))).toEqual([]);
      expect(await data.sessionsOf(user)).toEqual([]);
      expect(await data.userOf(sessionOf(others))).toBe(other);
      expect((await stage.lifecycle(others, namespace)).map(({ event }) => event)).toEqual(['created', 'identified']);
      expect(await data.forget({ user })).toEqual({ ...none, ids: [] });
      // The person may come again.
      expect(await data.sessionsOf(user)).toHaveLength(0);
      const again = await signedIn(user);
      expect(await data.userOf(sessionOf(again))).toBe(user);
    });

    it('erases what waits for the archive: new, and put off', async () => {
      const user = `ada ${createToken()}`;
      const tokens = [await signedIn(user), await signedIn(user), await signedIn(user)];
      const sessions = tokens.map(sessionOf);
      for (const session of sessions) await arm(session);
      const [first, second] = sessions as [string, string];
      await data.end({ session: first });
      await data.end({ session: second });
      await stage.settled(namespace);
      // The second failed twice.
      const ended = keys.ended(partitionOf(second));
      const failed = ended.replace('@ended', '@failed');
      const at = await stage.redis.command<string>('ZSCORE', ended, second);
      await stage.redis.command('ZREM', ended, second);
      await stage.redis.command('ZADD', failed, '1', `${second} ${at} 2`);
      const exported = await data.export({ user });
      expect(exported.sessions.map(({ session, state }) => [session, state]).sort()).toEqual(
        sessions.map((session, i) => [session, i === 2 ? 'living' : 'ended']).sort(),
      );
      const erased = await data.forget({ user });
      expect(erased).toMatchObject({ sessions: 3, waitingForArchive: 2, unreadable: 0 });
      for (const key of [ended, failed, keys.ended(partitionOf(first))])
        expect(await stage.redis.command('EXISTS', key)).toBe(0);
      await disarm();
    });

    it('leaves what a stale index names and is not the user’s, and cleans the index', async () => {
      const [user, other] = [`ada ${createToken()}`, `bob ${createToken()}`];
      const theirs = sessionOf(await signedIn(other));
      await stage.settled(namespace);
      const index = keys.userSessions(userReference(user));
      const [, tag] = /\{(\w+)\}/.exec(keys.record(theirs))!;
      await stage.redis.command('ZADD', index, '1', `${tag}:${theirs}`);
      expect(await data.forget({ user })).toEqual({ ...none, ids: [] });
      expect(await data.userOf(theirs)).toBe(other);
      expect(await stage.redis.command('EXISTS', index)).toBe(0);
    });

    it('says of how many sessions it cannot be read whose they are, and leaves them', async () => {
      const user = `ada ${createToken()}`;
      const session = sessionOf(await signedIn(user));
      await stage.settled(namespace);
      await stage.redis.command('SETRANGE', keys.record(session), '0', '\u0007');
      expect(await data.forget({ user })).toEqual({ ...none, ids: [], unreadable: 1 });
      expect(await data.forget({ session })).toMatchObject({ sessions: 1, unreadable: 0 });
      await stage.redis.command('DEL', keys.record(session));
      await stage.redis.command('RPUSH', keys.record(session), 'no record');
      expect(await data.forget({ user })).toMatchObject({ unreadable: 1 });
      expect(await data.forget({ session })).toMatchObject({ sessions: 1 });
      // Its mark says that it is nobody's.
      expect(await data.forget({ user })).toEqual({ ...none, ids: [] });
    });

    it('exports values, devices, times and events as JSON, without cookie and secrets', async () => {
      const user = `ada ${createToken()}`;
      const token = createToken();
      await data.save(token, {
        cart: ['tea'],
        n: 1,
        cookie: { maxAge: 1_000_000, expires: new Date(Date.now() + 1e6) },
      });
      await data.identify(token, user, { device: 'Firefox on Linux' });
      await stage.settled(namespace);
      const exported = await data.export({ user });
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
      expect(JSON.parse(JSON.stringify(exported))).toEqual({
        sessions: [
          {
            session: sessionOf(token),
            state: 'living',
            userId: user,
            device: 'Firefox on Linux',
            createdAt: time,
            lastSeenAt: time,
            expiresAt: time,
            data: { cart: ['tea'], n: 1 },
          },
        ],
        lifecycleEvents: [
          { session: sessionOf(token), event: 'created', at: time },
          { session: sessionOf(token), event: 'identified', at: time },
        ],
        unreadable: [],
      });
      expect(await data.export({ session: sessionOf(token) })).toEqual(exported);
      await data.forget({ user });
      expect(await data.export({ user })).toEqual({ sessions: [], lifecycleEvents: [], unreadable: [] });
      expect(await data.export({ session: sessionOf(token) })).toEqual({
        sessions: [],
        lifecycleEvents: [],
        unreadable: [],
      });
    });

    it('refuses what names nobody', async () => {
      for (const wrong of [{}, undefined, { session: 'a', user: 'b' }, { session: 'not a session!' }, { user: '' }]) {
        await expect(data.forget(wrong as never)).rejects.toThrow(RangeError);
        await expect(data.export(wrong as never)).rejects.toThrow(RangeError);
      }
      await expect(data.forget({ user: 'undefined' })).rejects.toThrow(/a missing value makes/);
      await expect(data.forget({ session: createToken() })).rejects.toThrow(/This is no session/);
      await expect(data.forget({ session: personOf('ada') })).rejects.toThrow(/the id of a person.* give \{ user \}/);
    });
  });
}

function textOf(reply: unknown): string {
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (Array.isArray(reply)) return reply.map(textOf).join(' ');
  if (typeof reply === 'object' && reply !== null) return Object.entries(reply).flat().map(textOf).join(' ');
  return String(reply);
}
