import { describe, expect, it } from 'vitest';
import { type ItemHash, Knowledge, SEEN_ITEMS_DEFAULTS } from '../../../src/knowledge/index.ts';
import { personOf } from '../../../src/protocol/index.ts';
import { Keys, type RedisConnection } from '../../../src/redis/index.ts';
import { TEST_SECRET } from '../../support/use-test-data.ts';

/* Merging against a plain model: random schedules of views, identifications, retirements and erasures, of two persons and
 * three sessions, whose steps are lost, or whose answers are, at random. Never a view lost or counted twice, never a page
 * lost, nothing back after an erasure, and a session knows nothing of a person. */

const STEPS = 40;
const MERGING = ['claim-session', 'push-knowledge', 'settle-claim', 'read-person'];

/** A random number generator that can be repeated. */
function makeRandom(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}

/** A connection over which the steps of a merge fail at random: before they are done, or only their answer. `late`: the
 *  steps that were sent and have not arrived yet. */
function breakMerges(
  redis: RedisConnection,
  random: (below: number) => number,
): RedisConnection & { rate: number; late: (() => Promise<unknown>)[] } {
  const breaks = <Reply>(args: readonly (string | Buffer)[], send: () => Promise<Reply>): Promise<Reply> => {
    const [name, script] = [String(args[0]), String(args[1])];
    // Each script travels whole here: `knownScripts` knows none.
    const isMerging = name === 'EVAL' && MERGING.some((merging) => script.startsWith(`-- ${merging}\n`));
    if (!isMerging || random(100) >= broken.rate) return send();
    const lost = new Error('The connection was lost.');
    if (random(2) === 0) return send().then(() => Promise.reject(lost));
    broken.late.push(send);
    return Promise.reject(lost);
  };
  const broken = Object.assign(Object.create(redis) as RedisConnection, {
    rate: 0,
    late: [] as (() => Promise<unknown>)[],
  });
  broken.knownScripts = () => new Set();
  broken.command = (...args) => breaks(args, () => redis.command(...args));
  broken.commandForBuffers = (...args) => breaks(args, () => redis.commandForBuffers(...args));
  return broken;
}

/** Merging on the server that `connect` gives. `schedules`: how many are tried of each kind. */
export function mergeModelSuite(title: string, connect: () => RedisConnection, schedules: number): void {
  describe(`merging, against a plain model, ${title}`, () => {
    it.each([
      [false, 512],
      [true, 512],
      [false, 5],
    ])(
      'keeps every view and page, once (erasures: %s, exactLimit %i)',
      { timeout: 900_000 },
      async (erases, exactLimit) => {
        for (let seed = 1; seed <= schedules; seed += 1) await runSchedule(connect(), seed, erases, exactLimit);
      },
    );
  });
}

interface Truth {
  views: number;
  pages: Set<number>;
}

async function runSchedule(redis: RedisConnection, seed: number, erases: boolean, exactLimit: number): Promise<void> {
  const keys = new Keys('sw');
  const clock = { now: Date.UTC(2026, 2, 10, 12) };
  // No schedule meets what another one has left.
  const own = `${exactLimit}-${erases}-${seed}`;
  const [PEOPLE, SESSIONS] = [
    ['ada', 'bob'],
    ['s0', 's1', 's2'],
  ].map((names) => names.map((name) => `${name}-${own}`)) as [string[], string[]];
  const random = makeRandom(seed);
  const flaky = breakMerges(redis, random);
  const knowledge = new Knowledge(flaky, keys, TEST_SECRET, () => clock.now, {
    seen: { ...SEEN_ITEMS_DEFAULTS, exactLimit },
    retireMs: 0,
  });
  const hashes: ItemHash[] = knowledge.items.ofAll(
    'page',
    Array.from({ length: 30 }, (_, i) => `/p${i}`),
  );
  const names = PEOPLE.map((user) => knowledge.read(personOf(user)).subject);
  const truth = new Map<string, Truth>([...SESSIONS, ...names].map((name) => [name, { views: 0, pages: new Set() }]));
  const erased = new Set<string>();
  const ownerOf = (session: string): Promise<string | null> => redis.command('HGET', keys.claim(session), 'to');
  const give = (from: Truth, to: Truth): void => {
    to.views += from.views;
    for (const page of from.pages) to.pages.add(page);
    Object.assign(from, { views: 0, pages: new Set() });
  };
  // What a step that may have failed has done: the claim tells.
  const follow = async (session: string, before: string | null): Promise<void> => {
    const now = await ownerOf(session);
    if (now !== null && now !== before) give(truth.get(session)!, truth.get(now)!);
  };
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    flaky.rate = 25;
    await work().catch(() => undefined);
    flaky.rate = 0;
  };
  for (let step = 0; step < STEPS; step += 1) {
    clock.now += 1_000 * random(90);
    const session = SESSIONS[random(3)]!;
    const person = names[random(2)]!;
    const page = random(30);
    const dice = random(100);
    if (dice < 45) {
      const owner = await ownerOf(session);
      const of = truth.get(owner ?? session)!;
      await attempt(() => knowledge.recordView(session, hashes[page]!));
      of.views += 1;
      of.pages.add(page);
    } else if (dice < 55) {
      await attempt(() => knowledge.recordView(person, hashes[page]!));
      truth.get(person)!.views += 1;
      truth.get(person)!.pages.add(page);
    } else if (dice < 63) {
      const before = await ownerOf(session);
      if (before !== null && before !== person) continue;
      const [of, others] = [truth.get(before ?? session)!, truth.get(person)!];
      await attempt(() =>
        Promise.allSettled([
          knowledge.people.identify(person, session),
          knowledge.recordView(session, hashes[page]!),
          knowledge.recordView(person, hashes[(page + 1) % 30]!),
          knowledge.people.identify(person, session),
          knowledge.recordView(session, hashes[page]!),
        ]),
      );
      of.views += 2;
      of.pages.add(page);
      others.views += 1;
      others.pages.add((page + 1) % 30);
      await follow(session, before);
      if (erased.has(person) && (await redis.command('EXISTS', keys.subject(session))) === 0) {
        Object.assign(truth.get(session)!, { views: 0, pages: new Set() });
      }
    } else if (dice < 80) {
      const before = await ownerOf(session);
      await attempt(() => knowledge.people.identify(person, session));
      await follow(session, before);
      // What is claimed for somebody who was erased goes with them.
      if (erased.has(person) && (await redis.command('EXISTS', keys.subject(session))) === 0) {
        Object.assign(truth.get(session)!, { views: 0, pages: new Set() });
      }
    } else if (dice < 92) {
      await attempt(() => knowledge.people.lookAt(session));
    } else if (dice < 95) {
      await attempt(() => knowledge.people.release(session));
    } else if (dice < 97) {
      // Of these only a claim may tell something new.
      const before = await Promise.all(SESSIONS.map(ownerOf));
      const late = flaky.late[random(flaky.late.length)];
      await late?.();
      for (const [i, each] of SESSIONS.entries()) await follow(each, before[i]!);
    } else if (erases && random(2) === 0) {
      await knowledge.people.erase(person);
      erased.add(person);
    } else if (erased.has(person)) {
      // An hour later they may come back.
      await redis.command('DEL', keys.subject(person));
      erased.delete(person);
      Object.assign(truth.get(person)!, { views: 0, pages: new Set() });
    }
  }
  for (const session of SESSIONS) await knowledge.people.lookAt(session);
  for (const [name, { views, pages }] of truth) {
    const reading = knowledge.read(name.endsWith('_') ? personOf(PEOPLE[names.indexOf(name)]!) : name);
    const known = await reading.hasSeen('page', hashes);
    const visit = await reading.visit(clock.now);
    if (erased.has(name))
      expect({ seed, known: known.includes(true), views: visit.totalPages }).toEqual({
        seed,
        known: false,
        views: 0,
      });
    else if (await redis.command('HGET', keys.claim(name), 'to')) continue;
    else {
      const seen = known.flatMap((isSeen, i) => (isSeen ? [i] : []));
      expect({ seed, name, seen, views: visit.totalPages }).toEqual({
        seed,
        name,
        seen: [...pages].sort((one, other) => one - other),
        views,
      });
    }
  }
}
