import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionwise } from '../../src/adapters/express/index.ts';
import { personOf, SessionClient, sessionOf } from '../../src/index.ts';
import { SubjectNames } from '../../src/knowledge/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { openNamespace, type Service, startService } from '../../src/service/index.ts';
import { userReference } from '../../src/sessions/tokens/user-reference.ts';
import { EXPRESS } from '../adapters/express/express-under-test.ts';
import { USER_AGENT, Visitor } from '../adapters/suite/adapter-site.ts';
import { placesOf } from '../support/grep-redis.ts';
import { allFilesOf } from '../support/redis-files.ts';
import { useRedis } from '../support/use-redis.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';

/* What a dump of Redis tells of visitors and people, where the knowledge is asked about over channels: no cookie, and with
 * a list of all user ids no person. */

const USERS = ['ada@example.org', 'grace@example.org', 'edsger@example.org'];
const ADDRESS = '203.0.113.77';
const keys = new Keys('sw');
const server = useRedis({ persistence: true, eachTest: 'kept' });
const { redis } = server;
let service: Service;
let client: SessionClient;
const visitors: { readonly user: string; readonly cookie: string; readonly id: string }[] = [];

/** All forms of a user id that a program makes of it without the secret. */
function formsOf(user: string): string[] {
  const hashed = ['sha1', 'sha256', 'md5'].flatMap((name) =>
    (['hex', 'base64', 'base64url', 'latin1'] as const).map((form) =>
      createHash(name).update(user).digest().toString(form),
    ),
  );
  return [user, personOf(user), sessionOf(user), userReference(user), userReference(user).slice(3), ...hashed];
}

describe('a dump of Redis', () => {
  beforeAll(async () => {
    service = await startService({ redis: server.url, secret: TEST_SECRET });
    client = new SessionClient({ redis: server.url, deadlineMs: 10_000 });
    expect(await client.ready()).toBe(true);
    const app = express();
    app.set('trust proxy', true);
    app.use(sessionwise<Request>({ client, user: ({ headers }) => headers['x-user'] as string | undefined }));
    app.use(async (request, response) => {
      await request.sessionwise.request('pageview', request.url);
      response.json({ id: request.sessionwise.id });
    });
    const running = app.listen(0, '127.0.0.1');
    await once(running, 'listening');
    const url = `http://127.0.0.1:${(running.address() as AddressInfo).port}`;
    for (const user of USERS) {
      const visitor = new Visitor({ url } as never, EXPRESS.cookies);
      await visitor.get('/anonymous', { 'user-agent': USER_AGENT, 'x-forwarded-for': ADDRESS });
      const cookie = visitor.visitorCookie!.split('=')[1]!.split('.')[0]!;
      visitors.push({ user, cookie, id: visitor.visitorId! });
      const answer = await visitor.get('/known', {
        'user-agent': USER_AGENT,
        'x-forwarded-for': ADDRESS,
        'x-user': user,
      });
      expect(answer.body).toEqual({ id: personOf(user) });
    }
    running.close();
    running.closeAllConnections();
  }, 30_000);
  afterAll(async () => {
    await client?.close();
    await service?.stop();
  });

  it('holds no visitor’s cookie, in no form: only its hash, which is none', async () => {
    const files = await allFilesOf(server);
    for (const { cookie, id } of visitors) {
      const bytes = Buffer.from(cookie, 'base64url');
      expect(cookie).toMatch(/^[\w-]{32}$/);
      for (const form of [cookie, bytes.toString('hex'), bytes.toString('latin1'), bytes.toString('base64')]) {
        expect(files.includes(form)).toBe(false);
      }
      expect(await placesOf(server.url, [cookie])).toEqual([]);
      expect(files).toContain(id);
      expect(id).toBe(sessionOf(cookie));
    }
  });

  it('holds neither the address nor the User-Agent of a visitor', async () => {
    const files = await allFilesOf(server);
    for (const hidden of [ADDRESS, USER_AGENT, 'Mozilla']) expect(files.includes(hidden)).toBe(false);
  });

  it('and a list of all user ids name no person, and link none to a visitor a minute after the login', async () => {
    const names = USERS.map((user) => keys.subject(new SubjectNames(TEST_SECRET, 'sw').of(personOf(user))));
    for (const [i, user] of USERS.entries()) {
      expect(await placesOf(server.url, formsOf(user))).toEqual([]);
      // They are there, under a name that the secret makes.
      expect(await redis.command('EXISTS', names[i]!)).toBe(1);
    }
    const files = await allFilesOf(server);
    for (const form of USERS.flatMap(formsOf)) expect(files.includes(form)).toBe(false);
    // Until then the claim links them.
    const claim = keys.claim(visitors[0]!.id);
    expect(await placesOf(server.url, [names[0]!.split(':')[2]!])).toContain(claim);
    const namespace = await openNamespace({ redis: server.url, secret: TEST_SECRET });
    for (const { id } of visitors) {
      await redis.command('HSET', keys.claim(id), 'at', String((Date.now() - 120_000) * 1_000));
      await namespace.knowledge.people.lookAt(id);
    }
    await namespace.redis.close();
    const left = await placesOf(
      server.url,
      visitors.map(({ id }) => id),
    );
    expect(left.filter((place) => place !== 'the snapshot')).toEqual([]);
  });

  it('and the secret name each person, and tell of each page whether they saw it', async () => {
    const namespace = await openNamespace({ redis: server.url, secret: TEST_SECRET });
    const { knowledge } = namespace;
    const pages = knowledge.items.ofAll('page', ['/anonymous', '/known', '/other']);
    for (const user of USERS) {
      expect(await knowledge.read(personOf(user)).hasSeen('page', pages)).toEqual([true, true, false]);
    }
    await namespace.redis.close();
  });
});
