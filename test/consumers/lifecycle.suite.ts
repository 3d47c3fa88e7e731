import { describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../src/protocol/index.ts';
import type { RedisConnection } from '../../src/redis/index.ts';
import { waitUntil } from '../support/wait-until.ts';
import { hasGroup, openStore, pendingOf, sessionsOf, take, write } from './consumer-stage.ts';

/** What a loop over lifecycle events promises, on any kind of Redis. */
export function describeLifecycle(
  name: string,
  server: { readonly url: string; readonly redis: RedisConnection },
): void {
  const { redis } = server;

  describe(`a loop over lifecycle events, ${name}`, () => {
    it('is told what happens to sessions, each once and in order', async () => {
      const store = openStore(server.url);
      const [one, two] = [createToken(), createToken()];
      const loop = store.lifecycle({ group: 'mail', from: 'start' });
      await store.save(one, {});
      await store.identify(one, 'ada');
      const next = await store.rotate(one);
      await store.save(two, {});
      await store.end(next);
      await store.endSessionsOf('ada');
      const events = await take(loop, 5);
      const of = (token: string) => events.filter((event) => 'session' in event && event.session === sessionOf(token));
      const session = sessionOf(one);
      const common = { id: expect.any(String), at: expect.any(Number), tries: 1 };
      expect(of(one)).toEqual([
        { event: 'created', session, ...common },
        { event: 'identified', session, ...common },
        { event: 'rotated', session, ...common },
        { event: 'ended', reason: 'destroyed', session, ...common },
      ]);
      expect(of(two)).toEqual([{ event: 'created', session: sessionOf(two), ...common }]);
      expect(new Set(events.map((event) => 'id' in event && event.id)).size).toBe(5);
    });

    it('acknowledges an event when the next one is asked for, and not before', async () => {
      const loop = openStore(server.url).lifecycle({ group: 'mail', from: 'start' });
      await write(redis, 'a', 'b');
      expect(sessionsOf(await take(loop, 1))).toEqual(['a']);
      expect(await pendingOf(redis, 'mail')).toBe(1);
      expect(sessionsOf(await take(loop, 1))).toEqual(['b']);
      expect(await pendingOf(redis, 'mail')).toBe(1);
      const asked = loop.next();
      await waitUntil('the last one is acknowledged', async () => (await pendingOf(redis, 'mail')) === 0);
      await loop.return!();
      expect(await asked).toEqual({ done: true, value: undefined });
    });

    it('begins with what happens from now on, or with what is kept; a group that is there goes on', async () => {
      const store = openStore(server.url);
      await write(redis, 'before');
      const now = store.lifecycle({ group: 'now' });
      const first = now.next();
      await waitUntil('the group is there', () => hasGroup(redis, 'now'));
      await write(redis, 'after');
      expect((await first).value).toMatchObject({ session: 'after' });
      await write(redis, 'between');
      expect(sessionsOf(await take(now, 1))).toEqual(['between']);
      expect(sessionsOf(await take(store.lifecycle({ group: 'start', from: 'start' }), 3))).toEqual([
        'before',
        'after',
        'between',
      ]);
    });

    it('shares the events with the other loops of its group, and each group gets all', async () => {
      const stores = [openStore(server.url), openStore(server.url, { ownConnection: true })];
      const names = Array.from({ length: 40 }, (_, i) => `s${i}`);
      await write(redis, ...names);
      const shared: string[][] = [[], []];
      const controller = new AbortController();
      const done = Promise.all(
        shared.map(async (told, i) => {
          const loop = stores[i]!.lifecycle({ group: 'shared', from: 'start', signal: controller.signal });
          for await (const event of loop) if ('session' in event) told.push(event.session);
        }),
      );
      await waitUntil('all are told', () => shared.flat().length >= names.length);
      controller.abort();
      await done;
      expect(shared.flat().sort()).toEqual(names.slice().sort());
      expect(await pendingOf(redis, 'shared')).toBe(0);
      const alone = await take(stores[0]!.lifecycle({ group: 'alone', from: 'start' }), names.length);
      expect(sessionsOf(alone).sort()).toEqual(names.slice().sort());
    });

    it('gives an event back that it ended over: it comes again and is counted, and others come meanwhile', async () => {
      const store = openStore(server.url);
      await write(redis, 'poison');
      const tries: number[] = [];
      const others: string[] = [];
      while (tries.length < 3) {
        try {
          for await (const event of store.lifecycle({ group: 'mail', from: 'start', takeOverMs: 10_000 })) {
            if (event.event === 'gap') continue;
            if (event.session === 'poison') {
              tries.push(event.tries);
              await write(redis, `other ${tries.length}`);
              throw new Error('This event cannot be handled.');
            }
            others.push(event.session);
          }
        } catch {}
      }
      expect(tries).toEqual([1, 2, 3]);
      expect(others).toEqual(['other 1', 'other 2']);
    });

    it('takes over what a loop had in hand whose process died', async () => {
      const store = openStore(server.url);
      await write(redis, 'held', 'free');
      expect(sessionsOf(await take(store.lifecycle({ group: 'mail', from: 'start' }), 1))).toEqual(['held']);
      const heir = store.lifecycle({ group: 'mail', takeOverMs: 500 });
      expect(await take(heir, 2)).toMatchObject([
        { session: 'free', tries: 1 },
        { session: 'held', tries: 2 },
      ]);
    });

    it('goes by any name of a group', async () => {
      const store = openStore(server.url);
      await write(redis, 'a', 'b');
      for (const group of [
        ' ',
        '$',
        '>',
        '0',
        'a b\n"c"',
        "it's",
        '{x}',
        'NOGROUP OOM ',
        '🙂'.repeat(64),
        'returned',
      ]) {
        const loop = store.lifecycle({ group, from: 'start' });
        expect(sessionsOf(await take(loop, 2)), group).toEqual(['a', 'b']);
        await loop.return!();
      }
    });
  });
}
