import { randomBytes } from 'node:crypto';
import { createClient } from 'redis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SessionStore, type SessionStoreOptions } from '../../../src/adapters/express/index.ts';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { ConnectionOptionsError } from '../../../src/redis/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

describe('the store without express-session', () => {
  const server = useRedis({ eachTest: 'kept' });

  describe('methods', () => {
    const cookie = { originalMaxAge: null } as never;

    it('promises', async () => {
      const store = new SessionStore({ redis: server.url, namespace: 'promises', sweep: false });
      const token = createToken();
      expect(await store.get(token)).toBeNull();
      expect(await store.set(token, { cookie, a: 1 } as never)).toBeUndefined();
      expect(await store.get(token)).toMatchObject({ a: 1, cookie: { originalMaxAge: null } });
      expect(await store.touch(token, { cookie })).toBeUndefined();
      expect(await store.length()).toBe(1);
      expect(await store.ids()).toEqual([sessionOf(token)]);
      expect(await store.all()).toMatchObject([{ a: 1, id: sessionOf(token) }]);
      expect(await store.destroy(token)).toBeUndefined();
      expect(await store.destroy(token)).toBeUndefined();
      expect(await store.get(token)).toBeNull();
      await store.set(createToken(), { cookie });
      expect(await store.clear()).toBeUndefined();
      expect(await store.length()).toBe(0);
      await store.close();
      await store.close();
    });

    it('all() and ids() give ids by which a session is ended, and neither read nor written', async () => {
      const store = new SessionStore({ redis: server.url, namespace: 'ids', sweep: false });
      const tokens = [createToken(), createToken(), 'a token of another framework'];
      for (const token of tokens) await store.set(token, { cookie, user: 'ada' } as never);
      const [first, second] = (await store.ids()) as [string, string];
      expect(await store.get(first)).toBeNull();
      const refused = { name: 'RangeError', message: expect.stringMatching(/public id.*nothing was written/) };
      await expect(store.set(first, { cookie, user: 'eve' } as never)).rejects.toMatchObject(refused);
      await expect(store.touch(first, { cookie })).rejects.toMatchObject(refused);
      expect((await store.all()).map((one) => (one as { user?: unknown }).user)).toEqual(['ada', 'ada', 'ada']);
      await store.destroy(second);
      expect((await store.ids()).sort()).toEqual(
        tokens
          .map(sessionOf)
          .filter((id) => id !== second)
          .sort(),
      );
      for (const { id } of await store.all()) await new Promise((done) => store.destroy(id, done));
      expect(await store.length()).toBe(0);
      await store.destroy(first);
      await store.close();
    });

    it('an id whose read has failed ends its session again after a minute; what a request carries never does', async () => {
      const store = new SessionStore({ redis: server.url, namespace: 'unread', sweep: false, deadlineMs: 500 });
      onTestFinished(() => store.close());
      const tokens = [createToken(), createToken()];
      for (const token of tokens) await store.set(token, { cookie });
      const [id, carried] = (await store.ids()) as [string, string];
      store.createSession({ sessionID: carried } as never, { cookie } as never);
      server.kill('SIGSTOP');
      try {
        for (const one of [id, carried])
          await expect(store.get(one)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      } finally {
        server.kill('SIGCONT');
      }
      await waitUntil('the store is back', () =>
        store.length().then(
          (length) => length === 2,
          () => false,
        ),
      );
      for (const one of [id, carried]) await expect(store.destroy(one)).rejects.toThrow('so it was not ended');
      const real = performance.now.bind(performance);
      vi.spyOn(performance, 'now').mockImplementation(() => real() + 60_000);
      onTestFinished(() => void vi.restoreAllMocks());
      for (const one of [id, carried]) await store.destroy(one);
      expect(await store.ids()).toEqual([carried]);
    });

    it('tokens of a framework that look like public ids stay tokens', async () => {
      const store = new SessionStore({ redis: server.url, namespace: 'cuids', sweep: false });
      const token = 'cjld2cjxh0000qzrmn831i7rn';
      await store.set(token, { cookie, a: 1 } as never);
      await store.set(token, { cookie, a: 2 } as never);
      expect(await store.get(token)).toMatchObject({ a: 2 });
      await store.destroy(token);
      expect(await store.get(token)).toBeNull();
      await store.close();
    });

    it('callbacks: each gets its result once, and nothing is returned', async () => {
      const store = new SessionStore({ redis: server.url, namespace: 'callbacks', sweep: false });
      const token = createToken();
      const call = <Result>(work: (callback: (error: unknown, result?: Result) => void) => unknown): Promise<Result> =>
        new Promise((resolve, reject) => {
          const returned = work((error, result) => (error ? reject(error) : resolve(result as Result)));
          if (returned !== undefined) reject(new Error('It returned something beside calling back.'));
        });
      expect(await call((callback) => store.get(token, callback))).toBeNull();
      expect(await call((callback) => store.set(token, { cookie, a: 1 } as never, callback))).toBeUndefined();
      expect(await call((callback) => store.get(token, callback))).toMatchObject({ a: 1 });
      expect(await call((callback) => store.touch(token, { cookie }, callback))).toBeUndefined();
      expect(await call((callback) => store.length(callback))).toBe(1);
      expect(await call((callback) => store.ids(callback))).toEqual([sessionOf(token)]);
      expect(await call((callback) => store.all(callback))).toMatchObject([{ a: 1 }]);
      const loaded = await call<{ a?: unknown; id: string }>((callback) => store.load(token, callback as never));
      expect([loaded.a, loaded.id]).toEqual([1, token]);
      expect(await call((callback) => store.load(createToken(), callback as never))).toBeUndefined();
      expect(await call((callback) => store.destroy(token, callback))).toBeUndefined();
      expect(await call((callback) => store.clear(callback))).toBeUndefined();
      await expect(call((callback) => store.set('', { cookie }, callback))).rejects.toThrow(RangeError);
      await expect(call((callback) => store.set(token, { cookie, b: 1n } as never, callback))).rejects.toThrow(/"b"/);
      await store.close();
      await expect(call((callback) => store.get(token, callback as never))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
    });

    it('a store that express-session does not know cannot regenerate, and says so', async () => {
      const store = new SessionStore({ redis: server.url, sweep: false });
      expect(() => store.generate({} as never)).toThrow(/express-session/);
      await store.close();
    });

    it.each<[string, Partial<SessionStoreOptions>]>([
      ['plain', {}],
      ['encrypted', { encryption: { keys: [randomBytes(32)] } }],
    ])('what is saved beside or after an end brings nothing back: 1,000 times, %s', async (namespace, kept) => {
      const store = new SessionStore({ redis: server.url, namespace, sweep: false, deadlineMs: 20_000, ...kept });
      onTestFinished(() => store.close());
      for (let round = 0; round < 20; round += 1) {
        const rounds = Array.from({ length: 50 }, async (_, i) => {
          const token = store.genid();
          await store.set(token, { cookie, a: 1 } as never);
          const loaded = (await store.get(token))!;
          const copy = { ...loaded };
          const work = [
            () => store.destroy(token),
            () => store.set(token, Object.assign(loaded, { user: 'again' })),
            () => store.set(token, Object.assign(copy, { user: 'again' })),
            () => store.touch(token, loaded),
          ];
          const begin = (round + i) % work.length;
          await Promise.all([...work.slice(begin), ...work.slice(0, begin)].map((operation) => operation()));
          expect(await store.get(token)).toBeNull();
          await store.set(token, loaded);
          await store.set(token, copy);
          expect(await store.get(token)).toBeNull();
        });
        await Promise.all(rounds);
      }
    });

    it('methods without a session say so', async () => {
      const store = new SessionStore({ redis: server.url, sweep: false });
      onTestFinished(() => store.close());
      const none = {} as Parameters<SessionStore['rotate']>[0];
      for (const operation of [
        async () => store.rotate(none),
        async () => store.increment(none, 'n'),
        async () => store.identify(none, 'ada'),
      ]) {
        await expect(operation()).rejects.toThrow(/no session/);
      }
      expect(store.info(none)).toBeUndefined();
      expect(store.isDegraded(none)).toBe(false);
    });

    it('a callback that is missing where the caller wants none', async () => {
      const store = new SessionStore({ redis: server.url, sweep: false });
      const token = createToken();
      await store.set(token, { cookie }, undefined);
      await store.touch(token, { cookie }, undefined);
      expect(await store.get(token)).not.toBeNull();
      await store.destroy(token, undefined);
      await store.close();
    });
  });

  describe('construction', () => {
    it.each(['connected', 'not connected'])(
      'with a client of the package redis, %s: it is only asked for its address',
      async (state) => {
        const client = createClient({ socket: { path: server.socketPath, tls: false } });
        if (state === 'connected') await client.connect();
        const store = new SessionStore({ redis: client, sweep: false });
        const token = createToken();
        await store.set(token, { cookie: { originalMaxAge: null }, a: 1 } as never);
        expect(await store.get(token)).toMatchObject({ a: 1 });
        await store.close();
        expect(client.isOpen).toBe(state === 'connected');
        if (client.isOpen) {
          expect(await client.ping()).toBe('PONG');
          await client.close();
        }
      },
    );

    it('with a URL or the parts of an address, and usable at once', async () => {
      for (const address of [server.url, { path: server.socketPath }]) {
        const store = new SessionStore({ redis: address, sweep: false });
        expect(await store.get(createToken())).toBeNull();
        await store.close();
      }
    });

    it.each<[string, object]>([
      ['fail', { fail: 'never' }],
      ['redis', { redis: undefined }],
      ['namespace', { namespace: 'UPPER' }],
      ['idleMs', { idleMs: -1 }],
      ['onSessionLimit', { onSessionLimit: 'kick' }],
      ['encryption', { encryption: { keys: ['short'] } }],
    ])('a wrong %s is refused by name', (name, options) => {
      const create = (): SessionStore => new SessionStore({ redis: server.url, ...options } as SessionStoreOptions);
      expect(create).toThrow(RangeError);
      expect(create).toThrow(new RegExp(name));
    });

    it('a wrong address is refused', () => {
      expect(() => new SessionStore({ redis: 'http://127.0.0.1' })).toThrow(ConnectionOptionsError);
      expect(() => new SessionStore({ redis: { prot: 6379 } as never })).toThrow(/"prot"/);
    });

    it('close ends it: what comes afterwards is refused', async () => {
      const store = new SessionStore({ redis: server.url, sweep: false });
      await store.get(createToken());
      await store.close();
      await expect(store.get(createToken())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', status: 503 });
      await expect(store.destroy(createToken())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
  });
});
