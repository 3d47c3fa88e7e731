import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Request } from 'express';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sessionwise } from '../../../src/adapters/express/index.ts';
import { createToken, personOf, SessionClient, sessionOf } from '../../../src/index.ts';
import { Keys, partitionOf } from '../../../src/redis/index.ts';
import { type Service, type ServiceOptions, startService } from '../../../src/service/index.ts';
import type { ArchivedSession } from '../../../src/sessions/archived-session.ts';
import { SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { serveStore, Visitor } from '../../adapters/express/session-store-stage.suite.ts';
import { type AclRedis, startAclRedis } from '../../support/acl-redis.ts';
import { askNotices } from '../../support/ask-notices.ts';
import { askRules } from '../../support/ask-rules.ts';
import { type CliResult, runCli } from '../../support/run-cli.ts';
import { unservedCommands } from '../../support/unserved-commands.ts';
import { TEST_SECRET } from '../../support/use-test-data.ts';
import { waitUntil } from '../../support/wait-until.ts';

/* All that the product does, under the rules that `sessionwise acl` prints: Redis refuses nothing of it. */

const DAY_MS = 86_400_000;
const keys = new Keys('sw');
const PATIENT_MS = 10_000;

let redis: AclRedis;

function openStore(options: Partial<SessionDataOptions> = {}): SessionData {
  const store = new SessionData({ redis: redis.as('store'), deadlineMs: PATIENT_MS, sweep: false, ...options });
  onTestFinished(() => store.close());
  return store;
}

async function openClient(
  replies: 'inbox' | 'list' = 'inbox',
  transport: 'channels' | 'streams' | 'mixed' = 'channels',
): Promise<SessionClient> {
  const client = new SessionClient({ redis: redis.as('app'), replies, transport, deadlineMs: PATIENT_MS });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  return client;
}

function openService(options: Partial<ServiceOptions> = {}): Promise<Service> {
  return startService({ redis: redis.as('service'), secret: TEST_SECRET, ...options });
}

/** Runs `sessionwise` as the service's user. */
async function cli(...args: string[]): Promise<CliResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sw-acl-'));
  const connection = join(folder, 'redis.json');
  writeFileSync(connection, JSON.stringify(redis.as('service')));
  const env = { SESSIONWISE_SECRET: TEST_SECRET };
  return runCli([...args, '--connection', connection], { cwd: folder, env }).finally(() =>
    rmSync(folder, { recursive: true }),
  );
}

/** Nothing of a good end is refused either. */
async function stopAll(service: Service | undefined): Promise<void> {
  await service?.stop();
  const refused = await redis?.refusals();
  await redis?.stop();
  expect(refused).toEqual([]);
}

const keysLike = (pattern: string): Promise<string[]> => redis.admin.command<string[]>('KEYS', pattern);

async function lifecycleOf(session: string): Promise<string[]> {
  const entries = await redis.admin.command<[string, string[]][]>('XRANGE', keys.lifecycle(), '-', '+');
  return entries.filter(([, fields]) => fields[3] === session).map(([, fields]) => fields[1]!);
}

describe('traffic under sessionwise acl, with a service that archives nothing', () => {
  let service: Service;

  beforeAll(async () => {
    redis = await startAclRedis({ store: true, consume: true, mirrorTo: 'sess:' });
    service = await openService({
      acceptTimes: true,
      suggestions: [{ name: 'cable', when: { seen: 'phone' }, suggest: 'cable', reason: 'It has none.' }],
    });
  });
  afterEach(async () => expect(await redis.refusals()).toEqual([]));
  afterAll(() => stopAll(service));

  describe.each(['inbox', 'list'] as const)('and %s replies', (replies) => {
    it('every command is asked and answered', async () => {
      const session = (await openClient(replies)).session(`visitor-${replies}`);
      expect(await session.request('pageview', '/a')).toMatchObject({ totalPages: 1, newToSite: true });
      expect(await session.publish('pageview', '/b')).toBe(true);
      await waitUntil('the published view counts', async () => (await session.figures())?.totalPages === 2);
      expect(await session.request('active', '')).toEqual({ active: true });
      expect(await session.markSeen(['phone'])).toEqual(['phone']);
      expect(await session.unseen(['/a', '/c'])).toEqual(['/c']);
      expect(await session.suggestions()).toMatchObject([{ rule: 'cable' }]);
      expect(await session.notices.annotate(['n1'])).toEqual([{ id: 'n1', seen: false }]);
      expect(await session.request('mark-notification-seen', ['n1'])).toEqual(['n1']);
      expect(await session.notices.annotate(['n1'])).toEqual([{ id: 'n1', seen: true }]);
      expect(await session.request('robots', { refused: 3 })).toEqual({ refused: 3 });
      await askNotices(await openClient(replies), `reader-${replies}`);
      await askRules(await openClient(replies), `buyer-${replies}`);
      expect(await session.request('together', [['surface', ['/a', '/c']]])).toEqual([['/c']]);
      const person = (await openClient(replies)).session(personOf(`ada-${replies}`));
      expect(await person.request('identify', session.id!)).toEqual({ from: session.id, merged: true });
      expect(await person.unseen(['/a', '/c'])).toEqual(['/c']);
      expect(await unservedCommands(service)).toEqual([]);
    });

    it('a page does without an answer, and the next one gets its own', async () => {
      const client = await openClient(replies);
      expect(await client.request('no-such-command' as 'combo', 'visitor', '')).toBeUndefined();
      expect(await client.request('session-analytics', 'nobody', '')).toMatchObject({ totalPages: 0 });
    });

    it('both come back after their connections were cut', async () => {
      const client = await openClient(replies);
      // A handle is a page's, and has one deadline.
      const view = () => client.session(`cut-${replies}`).request('pageview', '/a');
      await view();
      for (const user of ['app', 'service']) await redis.admin.command('CLIENT', 'KILL', 'USER', user);
      await waitUntil('views count again', async () => (await view()) !== undefined, 25_000);
    });
  });

  it('not even a connection is refused anything', async () => {
    await redis.admin.command('CONFIG', 'RESETSTAT');
    const client = await openClient('list');
    expect(await client.request('session-analytics', 'nobody', '')).toMatchObject({ totalPages: 0 });
    await openStore().sessions();
    const stats = await redis.admin.command<string>('INFO', 'stats');
    expect(stats).toMatch(/^total_error_replies:0\r$/m);
  });

  it('sessions grow out of their small forms, over more days than are kept', async () => {
    const session = (await openClient()).session('regular');
    const items = Array.from({ length: 600 }, (_, i) => `item-${i}`);
    await session.markSeen(items.slice(0, 500));
    await session.markSeen(items);
    const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
    await Promise.all(
      Array.from({ length: 600 }, (_, i) =>
        session.request('pageview', { path: `/${i}`, at: today - (600 - i) * (DAY_MS / 2) }),
      ),
    );
    expect(await session.unseen([...items, 'new', '/0', '/599'])).toEqual(['new']);
    expect(await session.figures()).toMatchObject({ totalPages: 600 });
    expect(await redis.admin.command('HLEN', keys.days('regular'))).toBe(35);
    const large = [keys.seenFilter('regular', 'page'), keys.seenFilter('regular', 'item')];
    expect(await redis.admin.command('EXISTS', ...large)).toBe(2);
  });

  it('notices are published and read, and a session is inspected', async () => {
    const done = { code: 0, stderr: '' };
    for (const args of [
      ['publish', '--group', 'customers', '--id', 'n9', '--text', 'Hello'],
      ['publish', '--session', 'reader', '--id', 'n10', '--text', 'Hello'],
      ['publish', '--segment', 'cable', '--id', 'n11', '--text', 'Hello'],
      ['edit', 'n9', '--text', 'Hello again'],
      ['list', '--group', 'customers'],
      ['list', '--session', 'reader'],
      ['group', 'customers', '--join', 'all'],
      ['withdraw', 'n10', '--session', 'reader'],
      ['withdraw', 'n11'],
      ['stats', 'n9'],
    ]) {
      expect(await cli('notices', ...args), args.join(' ')).toMatchObject(done);
    }
    const session = (await openClient()).session('reader');
    await session.request('pageview', '/a');
    const groups = ['customers'];
    expect(await session.notices.list({ groups })).toMatchObject({ notices: [{ id: 'n9', read: false }], unread: 1 });
    await session.notices.markRead(['n9']);
    expect(await session.notices.list({ groups })).toMatchObject({ notices: [{ id: 'n9', read: true }], unread: 0 });
    expect(await cli('inspect', 'reader', '--seen', '/a')).toMatchObject({ code: 0, stderr: '' });
  }, 120_000);

  it('a user and a session are exported and erased, by the store and by the command', async () => {
    const store = openStore();
    for (const user of ['ada', 'bob']) {
      const token = createToken();
      await store.save(token, { a: 1 });
      await store.identify(token, user);
      await redis.admin.command('SET', keys.archiving(partitionOf(sessionOf(token))), '1');
      await store.end({ session: sessionOf(token) });
      await redis.admin.command('DEL', keys.archiving(partitionOf(sessionOf(token))));
      const letter = ['c', 'pageview', 's', sessionOf(token), 'r', 'a-1', 'p', '/a'];
      await redis.admin.command('XADD', keys.deadLetters(1), '*', ...letter);
      await redis.admin.command('XADD', keys.requests(1), '*', ...letter);
    }
    await redis.admin.command('XGROUP', 'CREATE', keys.lifecycle(), 'reader', '0');
    await redis.admin.command('XREADGROUP', 'GROUP', 'reader', 'me', 'STREAMS', keys.lifecycle(), '>');
    expect((await store.export({ user: 'ada' })).sessions).toMatchObject([{ state: 'ended', data: { a: 1 } }]);
    expect(await store.forget({ user: 'ada' })).toMatchObject({
      sessions: 1,
      waitingForArchive: 1,
      lifecycleEvents: 3,
    });
    expect(await cli('export', '--user', 'bob', '--seen', '/a')).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout } = await cli('erase', '--user', 'bob', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sessions: 1, waitingForArchive: 1, requests: 1, deadLetters: 1 });
  });

  it('a store keeps, changes, rotates and lists sessions', async () => {
    const store = openStore();
    const token = createToken();
    const first = await store.save(token, { a: 1 });
    expect(store.valuesOf((await store.load(token))!)).toMatchObject({ a: 1 });
    // Others change it, so that the differences are applied.
    const other = await store.load(token);
    await store.save(token, { a: 1, b: 2 }, other);
    await store.save(token, { a: 3 }, first);
    expect(store.valuesOf((await store.load(token))!)).toMatchObject({ a: 3, b: 2 });
    expect(await store.increment(token, 'count', 2)).toBe(2);
    expect(await store.append(token, 'list', ['x'])).toEqual(['x']);
    const { version } = store.infoOf((await store.load(token))!);
    expect(await store.setIf(token, version, { c: 1 })).toMatchObject({ applied: true });
    expect(await store.isCurrent(token)).toBe(true);
    const next = await store.rotate(token, { grace: true });
    expect(await store.find(token)).toMatchObject({ byPreviousSecret: true });
    expect(await store.isCurrent(next)).toBe(true);
    expect(await store.touch(next, {})).toBe(true);
    expect(await store.sessions()).toContain(sessionOf(token));
  });

  it("a user's sessions are capped, listed and ended, and nothing is left of them", async () => {
    const client = await openClient();
    const store = openStore({ maxSessionsPerUser: 2, onSessionLimit: 'end-oldest' });
    const tokens = Array.from({ length: 4 }, () => createToken());
    for (const token of tokens) {
      await store.save(token, {});
      await client.session(sessionOf(token)).request('pageview', '/a');
      await client.session(sessionOf(token)).notices.markRead(['n1']);
      await store.identify(token, 'anna', { device: 'Firefox' });
    }
    const living = tokens.slice(2).map(sessionOf);
    expect((await store.sessionsOf('anna')).map(({ session }) => session).sort()).toEqual([...living].sort());
    expect(await store.endSession('anna', living[0]!)).toBe(true);
    expect(await store.endSessionsOf('anna')).toBe(1);
    for (const token of tokens) {
      const session = sessionOf(token);
      expect(await store.load(token)).toBeUndefined();
      expect(await lifecycleOf(session)).toEqual(['created', 'identified', 'ended']);
      // What keeps it ended.
      const left = [keys.subject(session), keys.record(session)];
      expect((await keysLike(`*:${session}:*`)).sort()).toEqual(left);
    }
  });

  it('events are consumed, also those that another loop had in hand', async () => {
    const store = openStore();
    await redis.admin.command('DEL', keys.lifecycle());
    await store.save(createToken(), {});
    for await (const _ of store.lifecycle({ group: 'mailer', from: 'start' })) break;
    for await (const event of store.lifecycle({ group: 'mailer' })) {
      expect(event).toMatchObject({ event: 'created', tries: 2 });
      break;
    }
    const client = new SessionClient({ redis: redis.as('app'), secret: TEST_SECRET, deadlineMs: PATIENT_MS });
    onTestFinished(() => client.close());
    await client.ready();
    await redis.admin.command('DEL', keys.live());
    await client.notices.publish({ to: { group: 'consumed' }, id: 'c1', text: 'T' });
    for await (const event of client.notices.events({ group: 'mailer', from: 'start' })) {
      expect(event).toMatchObject({ event: 'published', to: { group: 'consumed' } });
      break;
    }
  }, 20_000);

  it('a store sweeps, and clears', async () => {
    const sweeping = openStore({ sweep: true, idleMs: 1 });
    const token = createToken();
    await sweeping.save(token, {});
    await waitUntil('it is swept', async () => (await keysLike(keys.record(sessionOf(token)))).length === 0, 20_000);
    await sweeping.close();
    const store = openStore();
    await store.save(createToken(), {});
    await store.clear();
    expect(await store.sessions()).toEqual([]);
  });

  it("a store takes over connect-redis's sessions", async () => {
    const token = 'a-token-of-another-time';
    const values = { cookie: { originalMaxAge: 60_000, expires: null }, cart: ['x'] };
    await redis.admin.command('SET', `sess:${token}`, JSON.stringify(values), 'EX', '60');
    const store = openStore({ importFrom: 'sess:' });
    expect(store.valuesOf((await store.load(token))!)).toMatchObject({ cart: ['x'] });
    expect(await keysLike('sess:*')).toEqual([]);
  });

  it('a store writes for connect-redis too, merges what that wrote, and ends both', async () => {
    const failed: Error[] = [];
    const store = openStore({ mirrorTo: 'sess:' });
    store.on('mirror:failed', (error) => failed.push(error));
    const token = createToken();
    await store.save(token, { cookie: { originalMaxAge: null }, n: 1 }, undefined, { isNew: true });
    await redis.admin.command('SET', `sess:${token}`, '{"cookie":{"originalMaxAge":null},"n":2}', 'EX', '60');
    expect(store.valuesOf((await store.load(token))!)).toMatchObject({ n: 2 });
    const next = await store.rotate(token);
    expect(await keysLike('sess:*')).toEqual([`sess:${next}`]);
    await store.end(next);
    expect(await keysLike('sess:*')).toEqual([]);
    expect(failed).toEqual([]);
  });

  it('a site of Express counts views, logs in and out', async () => {
    const client = await openClient();
    const site = await serveStore({ redis: redis.as('store') }, {}, (app) => {
      app.use(sessionwise<Request>({ client, countWhen: 'start' }));
      app.get('/login', async (request, response) => {
        request.session.regenerate(async (error) => {
          if (error) return void response.sendStatus(500);
          await request.session.identify('ben');
          response.json({ id: request.sessionID });
        });
      });
      app.get('/logout', (request, response) =>
        request.session.destroy((error) => response.sendStatus(error ? 500 : 204)),
      );
      app.get('/', async (request, response) => {
        response.json({ figures: await request.sessionwise.request('session-analytics', '') });
      });
    });
    onTestFinished(() => site.stop());
    const visitor = new Visitor(site);
    expect(await (await visitor.get('/')).json()).toMatchObject({ figures: { totalPages: 1 } });
    expect(await (await visitor.get('/')).json()).toMatchObject({ figures: { totalPages: 2 } });
    expect((await visitor.get('/login')).status).toBe(200);
    expect((await visitor.get('/logout')).status).toBe(204);
    expect(site.errors).toEqual([]);
  });
});

describe.each(['a service', 'a store'] as const)('traffic under sessionwise acl, with %s that archives', (archiver) => {
  const archived: ArchivedSession[] = [];
  const archive = async (session: ArchivedSession): Promise<void> => {
    // The first try fails: it is put off.
    if (!seen.has(session.session)) {
      seen.add(session.session);
      throw new Error('not now');
    }
    archived.push(session);
  };
  const seen = new Set<string>();
  let service: Service;

  beforeAll(async () => {
    redis = await startAclRedis({ store: true, archive: archiver === 'a store' });
    service = await openService({ sessions: { sweep: false }, ...(archiver === 'a service' && { archive }) });
  });
  afterAll(() => stopAll(service));

  it('sessions that were ended and that expired arrive, with what was calculated', async () => {
    const client = await openClient();
    const store = openStore({ sweep: true, ...(archiver === 'a store' && { archive }) });
    const [ended, expired] = [createToken(), createToken()];
    const brief = openStore({ idleMs: 1_000 });
    await store.save(ended, { cart: 1 });
    await brief.save(expired, { cart: 2 });
    await waitUntil('ended sessions are kept', async () => (await keysLike('*:@archiving')).length === 64);
    for (const token of [ended, expired]) await client.session(sessionOf(token)).request('pageview', '/a');
    await store.end(ended);
    await waitUntil('both are archived', () => archived.length === 2, 20_000);
    const of = (token: string) => archived.find(({ session }) => session === sessionOf(token));
    expect(of(ended)).toMatchObject({ reason: 'ended', data: { cart: 1 }, activity: { totalPages: 1 } });
    expect(of(expired)).toMatchObject({ reason: 'expired', data: { cart: 2 }, activity: { activeMinutes: 1 } });
    const parts = keys.all('any').map((key) => key.split(':').at(-1));
    const isCalculated = new RegExp(`:(${parts.join('|')})$`);
    const calculated = async () => (await keysLike('*')).filter((key) => isCalculated.test(key));
    // Of the one that was ended an empty record.
    await waitUntil(
      'nothing calculated is left',
      async () => (await calculated()).join() === keys.subject(sessionOf(ended)),
    );
    expect(await redis.refusals()).toEqual([]);
  });
});

describe.each(['streams', 'both'] as const)('traffic under sessionwise acl, with requests over %s', (transport) => {
  let service: Service;

  beforeAll(async () => {
    redis = await startAclRedis({ transport, sessionglobs: ['?*', 'x*'] });
    service = await openService({ transport });
  });
  afterAll(() => stopAll(service));

  it('every command is asked and answered, and what must be kept is kept', async () => {
    const client = await openClient('inbox', transport === 'both' ? 'mixed' : 'streams');
    const session = client.session('visitor');
    expect(await session.request('pageview', '/a')).toMatchObject({ totalPages: 1 });
    expect(await session.publish('pageview', '/b')).toBe(true);
    expect(await session.publish('mark-item-seen', 'phone')).toBe(true);
    await waitUntil('both are done', async () => (await session.unseen(['/b', 'phone']))?.length === 0);
    expect(await session.figures()).toMatchObject({ totalPages: 2 });
    expect(await redis.refusals()).toEqual([]);
  });

  it('instances share the streams, and what nobody can read is buried', async () => {
    const second = await openService({ transport, sessionglob: 'x*' });
    onTestFinished(() => second.stop());
    const entry = ['c', 'pageview', 's', 'visitor', 'r', '_1', 'e', 'sealed-by-another'];
    const partition = partitionOf('visitor');
    await redis.admin.command('XADD', keys.requests(partition), '*', ...entry);
    const letters = () => redis.admin.command<number>('XLEN', keys.deadLetters(partition));
    await waitUntil('it is buried', async () => (await letters()) === 1);
    expect((await cli('deadletters', 'list')).stdout).toContain('pageview');
    expect(await cli('deadletters', 'retry', '--all')).toMatchObject({ code: 0, stderr: '' });
    await waitUntil('it is buried again', async () => (await letters()) === 1);
    expect(await cli('deadletters', 'drop', '--all')).toMatchObject({ code: 0, stderr: '' });
    expect(await letters()).toBe(0);
    expect(await redis.refusals()).toEqual([]);
  });
});
