import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Knowledge, MARKS, SubjectNames } from '../../src/knowledge/index.ts';
import { personOf, sessionOf } from '../../src/protocol/index.ts';
import { PARTITIONS, partitionOf } from '../../src/redis/index.ts';
import { userReference } from '../../src/sessions/tokens/user-reference.ts';
import { placesOf } from '../support/grep-redis.ts';
import { allFilesOf, rewriteAppendOnlyFile } from '../support/redis-files.ts';
import { TEST_SECRET, useTestData } from '../support/use-test-data.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Somebody has a dump of Redis (keys, values, a snapshot, the append-only file) and a list of all user ids, and not the secret:
 * whose record is whose? And which visitor has become which person? With the secret the same attack finds all, and before
 * the visitors have retired it finds those: so it would find them.
 *
 * What it may find is the partition of a user's record, which everybody can compute: one of 64. */

const USERS = Array.from({ length: 640 }, (_, i) => `user-${i}@example.org`);
const visitorOf = (user: string): string => sessionOf(`a cookie of ${user}`);

/** All that can be made of a user id without a secret: what is stored of it, and what anybody would try. */
function formsOf(user: string): string[] {
  const person = personOf(user);
  const texts = [user, person, person.slice(0, -1), `person\0${user}`, sessionOf(user), userReference(user)];
  const hashed = texts.flatMap((text) =>
    ['sha256', 'sha1', 'md5', 'sha512'].flatMap((algorithm) => {
      const digest = createHash(algorithm).update(text).digest();
      const folded = BigInt(`0x${digest.toString('hex')}`).toString(36);
      return [
        digest.toString('hex'),
        digest.toString('base64url'),
        digest.toString('latin1'),
        folded.slice(-23),
        folded.slice(-25),
      ];
    }),
  );
  return [...texts, userReference(user).slice(3), ...hashed];
}

const PREFIX = 8;

/** The forms that stand in a text, in one pass: there are tens of thousands of forms, and megabytes of text. */
function foundIn(text: string, forms: readonly string[]): string[] {
  const byPrefix = new Map<string, string[]>();
  for (const form of forms) {
    const prefix = form.slice(0, PREFIX);
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), form]);
  }
  const found = new Set<string>();
  for (let at = 0; at + PREFIX <= text.length; at += 1) {
    for (const form of byPrefix.get(text.slice(at, at + PREFIX)) ?? []) if (text.startsWith(form, at)) found.add(form);
  }
  return [...found];
}

describe('a dump of Redis and a list of all user ids', () => {
  const stage = useTestData({ persistence: true, eachTest: 'kept', extraArgs: ['--rdbcompression', 'no'] });
  const { redis, keys } = stage;
  const names = new Map<string, string>();
  let knowledge: Knowledge;

  beforeAll(async () => {
    knowledge = stage.with({ retireMs: 0 });
    const [a, b, c] = knowledge.items.ofAll('page', ['/a', '/b', '/c']);
    const items = knowledge.items.ofAll('item', ['lamp']);
    await Promise.all(
      USERS.map(async (user) => {
        const [visitor, person] = [visitorOf(user), knowledge.read(personOf(user)).subject];
        names.set(user, person);
        for (const page of [a!, b!]) await knowledge.recordView(visitor, page);
        await knowledge.markItems(visitor, items);
        await knowledge.notices.markIds(knowledge.read(visitor), ['n1'], MARKS.read);
        await knowledge.people.identify(person, visitor);
        await knowledge.recordView(person, c!);
      }),
    );
  }, 60_000);

  const recordNames = async (): Promise<string[]> =>
    (await redis.command<string[]>('KEYS', '*_:k')).map((key) => key.split(':').at(-2)!);
  /** Keys whose values name a person. */
  const namingPersons = async (): Promise<string[]> =>
    (await placesOf(stage.server.url, [...names.values()])).filter(
      (place) => !/_:[a-z]+$/.test(place) && place !== 'the snapshot',
    );

  it('before they retire, visitors name their person', async () => {
    expect(await recordNames()).toHaveLength(USERS.length);
    expect((await namingPersons()).length).toBe(USERS.length);
  }, 60_000);

  it('links no user to a record, in keys, values, a snapshot and the append-only file', async () => {
    const [files, records] = [await allFilesOf(stage.server), await recordNames()];
    expect(foundIn(files, USERS.flatMap(formsOf))).toEqual([]);
    const all = new Set(records);
    expect(USERS.filter((user) => formsOf(user).some((form) => all.has(`${form}_`) || all.has(form)))).toEqual([]);
    // With the secret the attack finds each.
    const secret = new SubjectNames(TEST_SECRET, 'sw');
    expect(USERS.filter((user) => all.has(secret.of(personOf(user))))).toEqual(USERS);
    const named = USERS.map((user) => secret.of(personOf(user)));
    expect(new Set(foundIn(files, named)).size).toBe(USERS.length);
    // Another secret is no better than none.
    const other = new SubjectNames(`${TEST_SECRET}!`, 'sw');
    expect(USERS.filter((user) => all.has(other.of(personOf(user))))).toEqual([]);
  }, 120_000);

  it('narrows a user down to the records of a partition, and no further', async () => {
    const sizes = Array.from({ length: PARTITIONS }, () => 0);
    for (const name of await recordNames()) sizes[partitionOf(name)]! += 1;
    const candidates = USERS.map((user) => sizes[partitionOf(personOf(user))]!);
    console.log(`A record is one of ${Math.min(...candidates)} to ${Math.max(...candidates)}, of ${USERS.length}.`);
    // The share of one partition of 64: 10 of 640, and chance.
    expect(Math.min(...candidates)).toBeGreaterThan(1);
    expect(candidates.reduce((sum, size) => sum + size, 0) / USERS.length).toBeGreaterThan(8);
  });

  it('links no visitor to a person when the visitors have retired', async () => {
    for (const user of USERS) await knowledge.people.lookAt(visitorOf(user));
    expect(await namingPersons()).toEqual([]);
    expect(
      await placesOf(stage.server.url, USERS.map(visitorOf)).then((places) =>
        places.filter((place) => place !== 'the snapshot'),
      ),
    ).toEqual([]);
    // What is left of a source is a keyed hash: it is not that of any visitor.
    const sources = new Set<string>();
    const digests = new Set<string>();
    for (const name of names.values()) {
      const merged = await redis.command<Record<string, string>>('HGETALL', keys.merged(name));
      for (const [field, value] of Object.entries(merged)) {
        // Behind a word, a digest of what the source did with notices: that two did the same does not show.
        if (field.includes(' ')) digests.add(value);
        else sources.add(field);
      }
    }
    expect(sources.size).toBe(USERS.length);
    expect(digests.size).toBe(USERS.length);
    expect(USERS.filter((user) => formsOf(visitorOf(user)).some((form) => sources.has(form.slice(0, 11))))).toEqual([]);
    // Nor in the files, when the append-only file is rewritten.
    await rewriteAppendOnlyFile(stage.server);
    await waitUntil('the old files are gone', async () => {
      return foundIn(await allFilesOf(stage.server), USERS.map(visitorOf)).length === 0;
    });
  }, 120_000);
});
