import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createToken, personOf, SessionClient, SessionData, sessionOf } from '../../src/index.ts';
import { SubjectNames } from '../../src/knowledge/index.ts';
import { Keys, partitionOf as partition, type RedisConnection } from '../../src/redis/index.ts';
import {
  type ErasableArchive,
  exportSubject,
  forgetSubject,
  type Namespace,
  openNamespace,
  type Service,
  startService,
} from '../../src/service/index.ts';
import { StreamProducer } from '../support/stream-producer.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';
import { waitUntil } from '../support/wait-until.ts';

const keys = new Keys('sw');
const nameOf = (person: string): string => new SubjectNames(TEST_SECRET, 'sw').of(person);
const NONE = {
  sessions: 0,
  copies: 0,
  knowledge: 0,
  waitingForArchive: 0,
  lifecycleEvents: 0,
  noticeEvents: 0,
  requests: 0,
  deadLetters: 0,
  requestIds: 0,
  archived: null,
  unreadable: 0,
};

/** Erases and exports over the service's connection: streams, dead letters, persons, the archive. */
export function describeForgetting(
  name: string,
  target: { readonly url: string; readonly redis: RedisConnection },
): void {
  describe(`a subject, ${name}`, () => {
    let namespace: Namespace;
    let producer: StreamProducer;
    let service: Service | undefined;

    beforeAll(() => () => Promise.all([namespace?.redis.close(), producer?.close()]).then(() => undefined));
    const open = async (): Promise<void> => {
      namespace ??= await openNamespace({ redis: target.url, secret: TEST_SECRET });
      producer ??= await StreamProducer.connect(target.url);
    };
    afterEach(async () => {
      await service?.stop();
      service = undefined;
    });
    const serve = async (): Promise<SessionClient> => {
      service = await startService({ redis: target.url, secret: TEST_SECRET, transport: 'streams' });
      const client = new SessionClient({ redis: target.url, transport: 'streams', deadlineMs: 10_000 });
      onTestFinished(() => client.close());
      expect(await client.ready()).toBe(true);
      return client;
    };
    const openStore = (): SessionData => {
      const store = new SessionData({ redis: target.url, sweep: false, deadlineMs: 20_000 });
      onTestFinished(() => store.close());
      return store;
    };

    it('of which nothing is known is erased without an effect on others', async () => {
      await open();
      const neighbour = sessionOf(createToken());
      await producer.ask('pageview', neighbour, 'a-1', '/a');
      expect(await forgetSubject(namespace, { session: sessionOf(createToken()) })).toEqual(NONE);
      expect(await forgetSubject(namespace, { user: createToken() })).toEqual(NONE);
      expect(await producer.waiting(neighbour)).toBe(1);
      await forgetSubject(namespace, { session: neighbour });
    });

    it('loses requests that wait, dead letters and ids of requests, and only its own', async () => {
      await open();
      const [session, other] = [sessionOf(createToken()), sessionOf(createToken())];
      for (let i = 0; i < 450; i += 1) await producer.ask('pageview', i % 3 === 0 ? session : other, `a-${i}`, '/a');
      // It merges the session into a person, and its payload names it.
      await producer.ask('identify', other, 'a-x', session);
      for (const dead of [session, other]) {
        const letter = ['c', 'pageview', 's', dead, 'r', 'a-1', 'p', '/a', 'reason', 'broken'];
        await producer.redis.command('XADD', keys.deadLetters(partition(dead)), '*', ...letter);
        await producer.redis.command('ZADD', keys.done(partition(dead)), '1', `${dead}:a-1`, '1', `${dead}:a-2`);
      }
      expect(await forgetSubject(namespace, { session })).toEqual({
        ...NONE,
        requests: 151,
        deadLetters: 1,
        requestIds: 2,
      });
      expect(await forgetSubject(namespace, { session: other })).toEqual({
        ...NONE,
        requests: 300,
        deadLetters: 1,
        requestIds: 2,
      });
    });

    it('is not brought back by requests that come later', async () => {
      await open();
      const client = await serve();
      const session = sessionOf(createToken());
      await client.session(session).request('pageview', '/a');
      expect(await forgetSubject(namespace, { session })).toMatchObject({ knowledge: 1 });
      await client.session(session).request('pageview', '/b');
      await client.session(session).markSeen(['tea']);
      expect(await target.redis.command('STRLEN', keys.subject(session))).toBe(0);
      expect(await client.session(session).figures()).toMatchObject({ totalPages: 0 });
      expect(await forgetSubject(namespace, { session })).toMatchObject({ knowledge: 0 });
    });

    it('is erased while its views arrive: afterwards nothing of it is known', async () => {
      await open();
      const client = await serve();
      const session = sessionOf(createToken());
      let views = 0;
      let hasEnded = false;
      const viewing = (async () => {
        while (!hasEnded) {
          await client.publish('pageview', session, `/page-${views}`);
          views += 1;
        }
      })();
      await waitUntil('views arrive', () => views > 20);
      await forgetSubject(namespace, { session });
      hasEnded = true;
      await viewing;
      await waitUntil('the stream is empty', async () => (await producer.waiting(session)) === 0);
      expect(await target.redis.command('STRLEN', keys.subject(session))).toBe(0);
      expect(await target.redis.command('EXISTS', ...keys.all(session))).toBe(1);
    });

    it('that is a user loses sessions, knowledge of the person, and what the wire holds of the person', async () => {
      await open();
      const client = await serve();
      const store = openStore();
      const user = `ada ${createToken()}`;
      const person = personOf(user);
      const tokens = [createToken(), createToken()];
      for (const token of tokens) {
        await store.save(token, { cart: ['tea'] });
        await store.identify(token, user, { device: 'Firefox' });
        await client.session(sessionOf(token)).request('pageview', '/a');
      }
      await client.session(person).request('pageview', '/a');
      await client.session(person).markSeen(['tea']);
      await client.session(person).track('bought', { count: 3 });
      await client.session(person).track('returned');
      const exported = await exportSubject(namespace, { user }, { candidates: ['/a', '/b', 'tea'] });
      expect(exported.sessions.map(({ session, data }) => [session, data]).sort()).toEqual(
        tokens.map((token) => [sessionOf(token), { cart: ['tea'] }]).sort(),
      );
      expect(exported.knowledge.map(({ of }) => of).sort()).toEqual([...tokens.map(sessionOf), 'person'].sort());
      const ofPerson = exported.knowledge.find(({ of }) => of === 'person')!;
      for (const { first, last } of ofPerson.events) {
        for (const time of [first, last]) expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
        expect(Date.parse(first)).toBeLessThanOrEqual(Date.parse(last));
      }
      expect(ofPerson).toMatchObject({
        views: 1,
        uniquePages: 1,
        items: 1,
        activeMinutes: 1,
        minutes: [expect.stringMatching(/Z$/)],
        events: [
          { count: 3, first: expect.stringMatching(/Z$/), last: expect.stringMatching(/Z$/) },
          { count: 1, first: expect.stringMatching(/Z$/), last: expect.stringMatching(/Z$/) },
        ],
        seen: { '/a': true, '/b': false, tea: true },
      });
      const erased = await forgetSubject(namespace, { user });
      expect(erased).toMatchObject({ sessions: 2, knowledge: 3, lifecycleEvents: 6, requestIds: expect.any(Number) });
      expect(await exportSubject(namespace, { user })).toEqual({
        sessions: [],
        lifecycleEvents: [],
        unreadable: [],
        knowledge: [],
        deadLetters: [],
        archived: null,
      });
      expect(await forgetSubject(namespace, { user })).toMatchObject({ sessions: 0, knowledge: 0, lifecycleEvents: 0 });
      await client.session(person).request('pageview', '/late');
      expect(await target.redis.command('STRLEN', keys.subject(nameOf(person)))).toBe(0);
    });

    it('that is a user loses the sessions that were merged into the person, and their late views', async () => {
      await open();
      const client = await serve();
      const user = `ada ${createToken()}`;
      const [person, source] = [personOf(user), sessionOf(createToken())];
      await client.session(source).request('pageview', '/a');
      expect(await client.request('identify', person, source)).toMatchObject({ merged: true });
      expect((await exportSubject(namespace, { user })).knowledge.map(({ of }) => of).sort()).toEqual(
        ['person', source].sort(),
      );
      expect(await forgetSubject(namespace, { user })).toMatchObject({ knowledge: expect.any(Number) });
      expect(await target.redis.command('ZSCORE', keys.merging(partition(source)), source)).toBeNull();
      expect(await target.redis.command('EXISTS', ...keys.all(source))).toBe(1);
      await client.session(source).request('pageview', '/late');
      for (const subject of [source, nameOf(person)])
        expect(await target.redis.command('STRLEN', keys.subject(subject))).toBe(0);
      expect((await exportSubject(namespace, { user })).knowledge).toEqual([]);
    });

    it.each(['in the clear', 'sealed', 'as a part of a message', 'as a dead letter'])(
      'is not brought back by a merge that waits in a stream, %s',
      async (how) => {
        await open();
        const client = await serve();
        const user = `ada ${createToken()}`;
        const [person, source, neighbour] = [personOf(user), sessionOf(createToken()), sessionOf(createToken())];
        for (const session of [source, neighbour]) await client.session(session).request('pageview', '/before');
        await service!.stop();
        service = undefined;
        const ask = async (asked: string, from: string): Promise<void> => {
          const request = `a-${createToken().slice(0, 8)}`;
          const context = { command: 'identify', session: asked, request };
          const fields = ['c', 'identify', 's', asked, 'r', request];
          if (how === 'in the clear') await producer.add(asked, ...fields, 'p', from);
          if (how === 'sealed') await producer.add(asked, ...fields, 'e', namespace.seal.close(context, from));
          if (how === 'as a part of a message') {
            await producer.ask(
              'together',
              asked,
              request,
              JSON.stringify([
                ['surface', ['/a']],
                ['identify', from],
              ]),
            );
          }
          if (how !== 'as a dead letter') return;
          const sealed = namespace.seal.close(context, from);
          const dead = keys.deadLetters(partition(asked));
          await producer.redis.command('XADD', dead, '*', ...fields, 'e', sealed, 'reason', 'broken');
        };
        const other = personOf(`bob ${createToken()}`);
        await ask(person, source);
        await ask(other, neighbour);
        await producer.ask('pageview', source, 'a-2', '/waits');
        expect((await exportSubject(namespace, { user })).knowledge.map(({ of }) => of)).toEqual([source]);
        const erased = await forgetSubject(namespace, { user });
        const [requests, deadLetters] = how === 'as a dead letter' ? [1, 1] : [2, 0];
        expect(erased).toMatchObject({ knowledge: 1, requests, deadLetters });
        // Their hour is over, and the site serves again.
        for (const subject of [source, nameOf(person)]) {
          await target.redis.command('DEL', keys.subject(subject));
          await target.redis.command('DEL', keys.record(subject));
        }
        // A visitor who is erased: what would merge them into somebody names them.
        expect(await forgetSubject(namespace, { session: neighbour })).toMatchObject({
          knowledge: 1,
          requests: how === 'as a dead letter' ? 0 : 1,
          deadLetters,
        });
        await target.redis.command('DEL', keys.subject(neighbour));
        await serve();
        await waitUntil('all is worked off', async () => (await producer.waiting(person)) === 0);
        for (const subject of [source, nameOf(person), neighbour, nameOf(other)]) {
          expect(await target.redis.command('EXISTS', ...keys.all(subject))).toBe(0);
        }
      },
    );

    it('is erased from an archive, also where an archiver had a session in hand', async () => {
      await open();
      const store = openStore();
      const user = `ada ${createToken()}`;
      const token = createToken();
      const session = sessionOf(token);
      await store.save(token, { a: 1 });
      await store.identify(token, user);
      await target.redis.command('SET', keys.archiving(partition(session)), '1');
      await store.end(token);
      await target.redis.command('DEL', keys.archiving(partition(session)));
      const asked: unknown[] = [];
      // The second look finds what was written in between, and names a session that has left Redis.
      const archive: ErasableArchive = {
        erase: async (...subject) => (asked.push(subject) === 1 ? [] : [session, 'long-gone']),
        export: async () => [{ session }],
      };
      await producer.ask('pageview', 'long-gone', 'a-1', '/a');
      expect((await exportSubject(namespace, { user }, { archive })).archived).toEqual([{ session }]);
      const erased = await forgetSubject(namespace, { user }, { archive });
      expect(erased).toMatchObject({ sessions: 1, waitingForArchive: 1, archived: 2, requests: 1 });
      expect(asked).toEqual([
        ['sw', { user }],
        ['sw', { user }],
      ]);
      expect(await forgetSubject(namespace, { user }, { archive })).toMatchObject({
        waitingForArchive: 0,
        archived: 2,
      });
      expect(asked).toHaveLength(3);
    });
  });
}
