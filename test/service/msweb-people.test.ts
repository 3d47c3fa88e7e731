import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { personOf, SessionClient } from '../../src/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { openNamespace, startService } from '../../src/service/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { useRedis } from '../support/use-redis.ts';

/* Visits of a real site through the service, every third one that of a person: 32,711 sessions of www.microsoft.com in a week
 * of February 1998 (UCI, Breese, Heckerman and Kadie: Anonymous Microsoft Web Data). SESSIONWISE_TEST_MSWEB names the file
 * `msweb.data.gz`; what is not there is skipped. A small set of the same form is made here. */

const SECRET = 'a secret of the tests, long enough';
const FILE = process.env.SESSIONWISE_TEST_MSWEB;
const AT_ONCE = 64;
const keys = new Keys('sw');

interface Site {
  /** The pages of each session, in their order. */
  readonly sessions: readonly (readonly string[])[];
  readonly pages: readonly string[];
  readonly people: number;
}

/** Reads UCI's form: `A` an area, `C` a session, `V` a view of the session above. */
function readMsweb(file: string): Site {
  const areas = new Map<string, string>();
  const sessions: string[][] = [];
  for (const line of gunzipSync(readFileSync(file)).toString('latin1').split('\n')) {
    const [kind, id = '', , , path = ''] = line.trim().split(',');
    if (kind === 'A') areas.set(id, path.replaceAll('"', ''));
    if (kind === 'C') sessions.push([]);
    if (kind === 'V') sessions.at(-1)!.push(areas.get(id)!);
  }
  return { sessions, pages: [...new Set(areas.values())], people: 5_000 };
}

/** A few pages are seen by most, and most pages by few. */
function makeSite(): Site {
  const random = new SeededRandom(7);
  const pages = Array.from({ length: 120 }, (_, i) => `/area-${i}`);
  const some = (): string => pages[Math.floor(pages.length * random.next() ** 3)]!;
  const sessions = Array.from({ length: 900 }, () => Array.from({ length: 1 + random.below(6) }, some));
  return { sessions, pages, people: 100 };
}

async function eachOf<Item>(items: readonly Item[], work: (item: Item, i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const i = next++;
      await work(items[i]!, i);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

describe.each([
  ['of a small made one', makeSite, true],
  ['of www.microsoft.com in 1998', () => readMsweb(FILE!), FILE !== undefined],
] as const)('people of a real site, %s', (_, read, isThere) => {
  const server = useRedis({ eachTest: 'kept' });

  it.skipIf(!isThere)('have seen what they saw, on all their visits', { timeout: 600_000 }, async () => {
    const { sessions, pages, people } = read();
    const service = await startService({ redis: server.url, secret: SECRET, transport: 'inline' });
    onTestFinished(() => service.stop());
    const client = new SessionClient({ transport: service.inline, deadlineMs: 60_000 });
    onTestFinished(() => client.close());
    const random = new SeededRandom(3);
    const seen = Array.from({ length: people }, () => ({ views: 0, pages: new Set<string>() }));
    const startedAt = performance.now();
    const must = async <Answer>(answer: Promise<Answer | undefined>): Promise<Answer> => {
      const given = await answer;
      if (given === undefined) throw new Error('A request was not answered.');
      return given;
    };
    await eachOf(sessions, async (visited, i) => {
      const session = `visitor-${i}`;
      // Half before the login, half behind it.
      const user = i % 3 === 0 ? random.below(people) : undefined;
      const half = user === undefined ? visited.length : Math.ceil(visited.length / 2);
      for (const page of visited.slice(0, half)) await must(client.request('pageview', session, page));
      if (user === undefined) return;
      const person = personOf(`user-${user}`);
      await must(client.request('identify', person, session));
      for (const page of visited.slice(half)) await must(client.request('pageview', person, page));
      seen[user]!.views += visited.length;
      for (const page of visited) seen[user]!.pages.add(page);
    });
    const seconds = Math.round((performance.now() - startedAt) / 1_000);

    let [falseFresh, falseSeen, wrongViews, asked] = [0, 0, 0, 0];
    await eachOf(seen, async ({ views, pages: own }, user) => {
      if (views === 0) return;
      const person = personOf(`user-${user}`);
      const fresh = new Set(await must(client.request('surface', person, [...pages])));
      asked += pages.length;
      for (const page of pages) {
        if (fresh.has(page) && own.has(page)) falseFresh += 1;
        if (!fresh.has(page) && !own.has(page)) falseSeen += 1;
      }
      if ((await must(client.request('session-analytics', person, ''))).totalPages !== views) wrongViews += 1;
    });
    const bytes = await bytesOfPeople(seen.flatMap(({ views }, user) => (views === 0 ? [] : [user])));
    const merged = sessions.filter((_visited, i) => i % 3 === 0).length;
    console.log(
      `${sessions.length} sessions, ${sessions.flat().length} views, ${merged} merged into ${bytes.length} people in ${seconds} s; ` +
        `of ${asked} questions ${falseFresh} false "fresh", ${falseSeen} false "seen"; bytes a person: ${spread(bytes)}`,
    );
    expect({ falseFresh, falseSeen, wrongViews }).toEqual({ falseFresh: 0, falseSeen: 0, wrongViews: 0 });
  });

  /** Bytes of Redis for each person, all keys together. */
  async function bytesOfPeople(users: readonly number[]): Promise<number[]> {
    const { knowledge, redis } = await openNamespace({ redis: server.url, secret: SECRET });
    onTestFinished(() => redis.close());
    const bytes: number[] = [];
    await eachOf(users, async (user) => {
      const { subject } = knowledge.read(personOf(`user-${user}`));
      const sizes = await Promise.all(
        [...keys.all(subject), keys.merged(subject), keys.beside(subject)].map((key) =>
          redis.command<number | null>('MEMORY', 'USAGE', key),
        ),
      );
      bytes.push(sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0));
    });
    return bytes;
  }
});

function spread(bytes: readonly number[]): string {
  const sorted = [...bytes].sort((one, other) => one - other);
  const mean = sorted.reduce((sum, size) => sum + size, 0) / sorted.length;
  return `mean ${Math.round(mean)}, median ${sorted[sorted.length >> 1]}, most ${sorted.at(-1)}`;
}
