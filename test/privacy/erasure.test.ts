import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresArchive } from '../../src/archive/index.ts';
import { createToken, personOf, SessionClient, SessionData, sessionOf } from '../../src/index.ts';
import { SubjectNames } from '../../src/knowledge/index.ts';
import { Keys, partitionOf } from '../../src/redis/index.ts';
import { startService } from '../../src/service/index.ts';
import { userReference } from '../../src/sessions/tokens/user-reference.ts';
import { placesOf } from '../support/grep-redis.ts';
import { filesOf, rewriteAppendOnlyFile } from '../support/redis-files.ts';
import { type CliResult, runCli } from '../support/run-cli.ts';
import { StreamProducer } from '../support/stream-producer.ts';
import { postgresFolder, startTestPostgres, type TestPostgres } from '../support/test-postgres.ts';
import { ARCHIVE_MIGRATION } from '../support/use-archive.ts';
import { useRedis } from '../support/use-redis.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What is left of a user and of a visitor after `sessionwise erase`: in keys and values, in a snapshot, in an append-only
 * file that was rewritten (in Redis's default form, where streams lie as blocks), and in the archive. Everything that can
 * be kept of them is there before: session data, a session that waits for the archive and one that is in it, knowledge in
 * small and large form, read notices, events, waiting requests and dead letters. Neighbours share their blocks and keep
 * everything. */

const USER = 'ada.lovelace@example.org';
const OTHER = 'grace.hopper@example.org';
const DEVICE = 'a-device-that-is-hers';
const ITEM = 'a-thing-in-the-cart-of-hers';
const OWN_NOTICE = 'a notice to one of them';
const keys = new Keys('sw');
const server = useRedis({ persistence: true, extraArgs: ['--rdbcompression', 'no'], eachTest: 'kept' });
const { redis } = server;

const tokens = Array.from({ length: 4 }, createToken);
const [, , ended, archived] = tokens as [string, string, string, string];
const sessions = tokens.map(sessionOf);
const visitor = sessionOf(createToken());
const neighbour = createToken();
const person = personOf(USER);
const personName = new SubjectNames(TEST_SECRET, 'sw').of(person);
/** What nothing may hold any more. */
const texts = [
  USER,
  userReference(USER),
  userReference(USER).slice(3),
  person,
  personName,
  ...sessions,
  visitor,
  DEVICE,
  ITEM,
];
let postgres: TestPostgres | undefined;
let store: SessionData;

const cli = (...args: string[]): Promise<CliResult> =>
  runCli([...args, '--redis', server.url], { env: { SESSIONWISE_SECRET: TEST_SECRET } });

/** Writes the append-only file anew, and reads all of it. */
async function appendOnlyFile(): Promise<string> {
  await rewriteAppendOnlyFile(server);
  return filesOf(server, /appendonly.*\.(aof|rdb)$/);
}

/** Which of some texts stand in which places: keys by their name, the snapshot, the append-only file. */
async function found(some: readonly string[]): Promise<string[]> {
  const places = await placesOf(server.url, some);
  const file = await appendOnlyFile();
  return some.some((text) => file.includes(text)) ? [...places, 'the append-only file'] : places;
}

async function lifecycleOf(session: string): Promise<string[]> {
  const entries = await redis.command<[string, string[]][]>('XRANGE', keys.lifecycle(), '-', '+');
  return entries.filter(([, fields]) => fields[3] === session).map(([, fields]) => fields[1]!);
}

async function visit(client: SessionClient, subject: string): Promise<void> {
  const handle = client.session(subject, { deadlineMs: 10_000 });
  for (const page of ['/a', '/b', '/c']) await handle.request('pageview', page);
  for (const item of ['x', 'y', 'z']) await handle.markSeen([item]);
  await handle.notices.markRead(['foreign', 'n1']);
  await client.notices.publish({ to: { session: subject }, id: `own-${subject}`, text: OWN_NOTICE });
}

async function useTheSite(): Promise<void> {
  const service = await startService({
    redis: server.url,
    secret: TEST_SECRET,
    transport: 'both',
    seen: { exactLimit: 2 },
  });
  const client = new SessionClient({ redis: server.url, transport: 'streams', deadlineMs: 10_000 });
  await client.ready();
  for (const [i, token] of [...tokens, neighbour].entries()) {
    await store.save(token, { cart: [token === neighbour ? 'tea' : ITEM] });
    await store.identify(token, token === neighbour ? OTHER : USER, {
      device: token === neighbour ? 'Tablet' : DEVICE,
    });
    if (i === 0) await store.rotate(token, { grace: true });
  }
  for (const subject of [...sessions, visitor, sessionOf(neighbour), person]) await visit(client, subject);
  await redis.command('SET', keys.archiving(partitionOf(sessionOf(ended))), '1');
  await store.end({ session: sessionOf(ended) });
  await redis.command('DEL', keys.archiving(partitionOf(sessionOf(ended))));
  await service.stop();
  // Nobody serves: these wait.
  for (const subject of [sessions[0]!, sessionOf(neighbour), visitor, person]) {
    await client.publish('pageview', subject, '/waits');
  }
  await client.close();
}

async function addDeadLetters(): Promise<void> {
  for (const subject of [sessions[0]!, visitor, person]) {
    for (const session of [subject, sessionOf(neighbour)]) {
      const letter = ['c', 'pageview', 's', session, 'r', 'a-1', 'p', '/dead', 'reason', 'broken'];
      await redis.command('XADD', keys.deadLetters(partitionOf(subject)), '*', ...letter);
    }
  }
}

describe('an erasure', () => {
  let archive: string[] = [];

  beforeAll(async () => {
    if (postgresFolder !== undefined) {
      postgres = await startTestPostgres();
      await postgres.query(ARCHIVE_MIGRATION);
      const rows = postgresArchive({ connectionString: postgres.connectionString });
      const times = { createdAt: 1, lastSeenAt: 2, endedAt: 3, reason: 'ended', activity: null } as const;
      for (const [session, userId] of [
        [sessionOf(archived), USER],
        ['long-gone', USER],
        ['another', OTHER],
      ] as const) {
        await rows({ namespace: 'sw', session, userId, device: DEVICE, data: { item: ITEM }, ...times });
      }
      await rows.close();
      archive = ['--archive', `postgres://sessionwise@/postgres?host=${hostOf(postgres.connectionString)}`];
    }
    store = new SessionData({ redis: server.url, sweep: false, deadlineMs: 20_000 });
    await useTheSite();
    await addDeadLetters();
  }, 60_000);
  afterAll(async () => {
    await store?.close();
    await postgres?.stop();
  });

  it('has something to do in all places', async () => {
    const places = await found(texts);
    expect(places).toEqual(expect.arrayContaining(['the snapshot', 'the append-only file', keys.lifecycle()]));
    for (const key of keys.all(sessions[0]!).filter((key) => !/:[ac]$/.test(key))) expect(places).toContain(key);
    const partition = partitionOf(sessions[0]!);
    for (const key of [keys.deadLetters(partition), keys.record(sessions[0]!), keys.recordBefore(sessions[0]!)])
      expect(places).toContain(key);
    expect(places).toContain(keys.ended(partitionOf(sessionOf(ended))));
    expect(places).toContain(keys.userSessions(userReference(USER)));
  }, 60_000);

  it('says what it erased, of the user and of the visitor', async () => {
    const user = await cli('erase', '--user', USER, ...archive, '--json');
    expect(user).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(user.stdout)).toMatchObject({
      sessions: 4,
      waitingForArchive: 1,
      // Created, identified, ended of each; one was rotated.
      lifecycleEvents: 13,
      // Of each a notice and a mark of what no list holds tells nothing.
      noticeEvents: 5,
      requests: 2,
      deadLetters: 2,
      archived: postgres ? 2 : null,
      unreadable: 0,
    });
    // Record, two filters with counts, read notices, own notices and that there are some; of the person and of four
    // sessions.
    expect(JSON.parse(user.stdout).knowledge).toBe(5 * 8);
    const visits = await cli('erase', '--session', visitor, '--json');
    expect(JSON.parse(visits.stdout)).toMatchObject({ sessions: 0, knowledge: 8, requests: 1, deadLetters: 1 });
  }, 60_000);

  it('leaves two marks without content for a session and for the person, and nothing else', async () => {
    const marks = [...sessions, visitor].flatMap((session) => [keys.record(session), keys.subject(session)]);
    const left = await placesOf(server.url, texts);
    const ofPerson = [keys.subject(personName), keys.erased(personName)];
    expect(left.sort()).toEqual([...marks, ...ofPerson, 'the snapshot'].sort());
    // Their hour is over.
    for (const mark of [...marks, ...ofPerson]) {
      expect(await redis.command<number>('TTL', mark)).toBeGreaterThan(3_000);
      await redis.command('DEL', mark);
    }
    // Redis deletes the files that a rewritten AOF has replaced a moment later.
    await waitUntil('nothing is left', async () => (await found(texts)).length === 0, 20_000);
    expect(await found(texts)).toEqual([]);
  }, 60_000);

  it.skipIf(postgresFolder === undefined)('leaves no row of the user in the archive', async () => {
    expect(await postgres!.query('SELECT session FROM archived_sessions')).toEqual([{ session: 'another' }]);
  });

  it('takes nothing from neighbours', async () => {
    const session = sessionOf(neighbour);
    expect(await store.userOf(session)).toBe(OTHER);
    expect(await lifecycleOf(session)).toEqual(['created', 'identified']);
    const producer = await StreamProducer.connect(server.url);
    expect(await producer.waiting(session)).toBe(1);
    await producer.close();
    const letters = await Promise.all(
      [sessions[0]!, visitor, person].map((subject) =>
        redis.command<unknown[]>('XRANGE', keys.deadLetters(partitionOf(subject)), '-', '+'),
      ),
    );
    expect(new Set(letters.flat().map((letter) => JSON.stringify(letter))).size).toBe(3);
    const known = await cli('inspect', session, '--json');
    expect(JSON.parse(known.stdout)).toMatchObject({ totalPages: 3, items: 3, noticesMarked: 2 });
  });

  it('and docs/privacy.md name the same kinds, keys and marks', async () => {
    const document = readFileSync(new URL('../../docs/privacy.md', import.meta.url), 'utf8');
    const [, section = ''] = /^## Disclosure and erasure\n([\s\S]*?)^## /m.exec(document) ?? [];
    const named = [...section.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm)].flatMap(([, kinds]) => kinds!.match(/\w+/g)!);
    const { stdout } = await cli('erase', '--user', 'nobody', '--json');
    expect(named.sort()).toEqual(Object.keys(JSON.parse(stdout)).sort());
    const parts = keys.all('any').map((key) => `\`${key.split(':').at(-1)}\``);
    expect(section).toContain(`: ${parts.join(', ')} |`);
    for (const mark of [keys.record('any'), keys.subject('any')]) {
      expect(section).toMatch(new RegExp(`\`(<ns>:\\{<tag>\\}:<session>)?:${mark.split(':').at(-1)}\``));
    }
  });

  it('done again finds nothing', async () => {
    const again = await cli('erase', '--user', USER, ...archive);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toContain('Nothing was there to erase.');
  });
});

function hostOf(connectionString: string): string {
  return new URL(connectionString.replace(':///', '://x/')).searchParams.get('host')!;
}
