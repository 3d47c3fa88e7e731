import { beforeEach, describe, expect, it } from 'vitest';
import { Keys, makeStep, PARTITIONS, partitionOf, Script, type Step } from '../../src/redis/index.ts';
import { BatchScripts, MOST_MIXED_SCRIPTS } from '../../src/transport/streams/batch-scripts.ts';
import { BATCH_LIMITS, CommitQueue, countItems } from '../../src/transport/streams/commit-queue.ts';
import { PartitionSteps, refusalOf } from '../../src/transport/streams/partition-steps.ts';
import { REFUSED } from '../../src/transport/streams/scripts/commit-lua.ts';
import { decodeEntry, type StreamEntry } from '../../src/transport/streams/stream-entry.ts';
import { useRedis } from '../support/use-redis.ts';

/* What an owner commits in one step: its bounds, and that a part which fails harms no other. */

const TOKEN = 'instance:token';
const PARTITION = partitionOf('neighbours');
const keys = new Keys('sw');
const [REQUESTS, DONE, TRIES, DEAD] = [
  keys.requests(PARTITION),
  keys.done(PARTITION),
  keys.tries(PARTITION),
  keys.deadLetters(PARTITION),
];

const server = useRedis();
const { redis } = server;
let queue: CommitQueue;
let hasEnded: boolean;
let lastSession: number;
let lastRequest: number;

beforeEach(async () => {
  lastSession = 0;
  lastRequest = 0;
  hasEnded = false;
  const steps = new PartitionSteps(redis, redis, keys, PARTITION, TOKEN);
  queue = new CommitQueue(steps, () => hasEnded, new BatchScripts());
  await redis.command('SET', keys.owner(PARTITION), TOKEN);
});

/** Another session of the partition each time. */
function newSession(): string {
  for (;;) {
    lastSession += 1;
    if (partitionOf(`s${lastSession}`) === PARTITION) return `s${lastSession}`;
  }
}

interface Added {
  readonly request?: string;
  readonly payload?: string;
  readonly isOnce?: boolean;
}

/** An entry that was added to the stream. */
async function add({ request, payload = '/a', isOnce = false }: Added = {}): Promise<StreamEntry> {
  lastRequest += 1;
  const fields = ['c', 'log', 's', newSession(), 'r', request ?? `_${lastRequest}`, 'p', payload];
  if (isOnce) fields.push('o', '0');
  const id = await redis.command<string>('XADD', REQUESTS, '*', ...fields);
  return decodeEntry(PARTITION, PARTITIONS, id, fields)!;
}

const addSome = (count: number, added?: Added): Promise<StreamEntry[]> =>
  Promise.all(Array.from({ length: count }, () => add(added)));

const count = new Script("return redis.call('INCR', KEYS[1])");
const breaking = new Script("redis.call('INCR', KEYS[1]) return redis.call('LPUSH', KEYS[1], 'x')");
const erring = new Script("redis.call('INCR', KEYS[1]) local nothing return nothing.field");

function stepOf(script: Script<unknown>, { session }: StreamEntry): Step<unknown> {
  return makeStep(script, [keys.subject(session)], [], (answer) => answer);
}

/** Commits an entry. Returns the answer, or the error's message. */
function commit(entry: StreamEntry, step?: Step<unknown>, items = 1): Promise<unknown> {
  return new Promise((resolve) => {
    const settle = (error: unknown, answer: unknown): void =>
      resolve(error === undefined ? answer : refusalOf(error) || (error as Error).message);
    queue.add({ entry, step, items, settle });
  });
}

const counted = (entry: StreamEntry): Promise<string | null> => redis.command('GET', keys.subject(entry.session));
const waiting = (): Promise<number> => redis.command('XLEN', REQUESTS);

/** How many commits Redis did meanwhile: each begins with one HDEL. */
async function commitsDuring(work: () => Promise<unknown>): Promise<number> {
  await redis.command('CONFIG', 'RESETSTAT');
  await work();
  const info = await redis.command<string>('INFO', 'commandstats');
  return Number(/^cmdstat_hdel:calls=(\d+)/m.exec(info)?.[1]);
}

describe('a batch of commits', () => {
  it('takes all that is ready, 32 entries at the most, and each does its effects once', async () => {
    const entries = await addSome(2 * BATCH_LIMITS.requests + 2);
    const commits = await commitsDuring(async () => {
      const answers = await Promise.all(entries.map((entry) => commit(entry, stepOf(count, entry))));
      expect(answers).toEqual(entries.map(() => 1));
    });
    expect(commits).toBe(3);
    expect(await waiting()).toBe(0);
    expect(await redis.command('ZCARD', DONE)).toBe(entries.length);
  });

  it('waits for the one that is under way, and takes what became ready meanwhile', async () => {
    const steps = new PartitionSteps(redis, redis, keys, PARTITION, TOKEN);
    const sizes: number[] = [];
    let release!: () => void;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow: Pick<PartitionSteps, 'commit'> = {
      async commit(batch, script) {
        sizes.push(batch.length);
        await released;
        return steps.commit(batch, script);
      },
    };
    queue = new CommitQueue(slow, () => false, new BatchScripts());
    const entries = await addSome(5);
    const work: Promise<unknown>[] = [];
    for (const entry of entries) {
      work.push(commit(entry, stepOf(count, entry)));
      await redis.command('PING');
    }
    // A lone one does not wait, and no second batch begins beside it.
    expect(sizes).toEqual([1]);
    release();
    expect(await Promise.all(work)).toEqual([1, 1, 1, 1, 1]);
    expect(sizes).toEqual([1, 4]);
  });

  it('has bounds that docs/adr/0021 gives', () => {
    expect(BATCH_LIMITS).toEqual({ requests: 32, items: 256, bytes: 65_536 });
  });

  it.each([
    ['items', { items: BATCH_LIMITS.items / 2 }, 5],
    ['items', { items: BATCH_LIMITS.items * 4 }, 10],
    ['bytes', { payload: 'x'.repeat(BATCH_LIMITS.bytes / 2) }, 5],
    ['bytes', { payload: 'x'.repeat(BATCH_LIMITS.bytes + 1) }, 10],
  ])('is bounded by %s', async (_, { items = 1, ...added }: { items?: number; payload?: string }, expected) => {
    const entries = await addSome(10, added);
    const commitAll = () => Promise.all(entries.map((entry) => commit(entry, stepOf(count, entry), items)));
    expect(await commitsDuring(commitAll)).toBe(expected);
    expect(await Promise.all(entries.map(counted))).toEqual(entries.map(() => '1'));
  });

  it('counts the items of a list by its commas', () => {
    expect(['/a,b', '', '[]', '["a"]', '["a","b","c"]', '{"items":["a","b"]}'].map(countItems)).toEqual([
      1, 1, 1, 1, 3, 2,
    ]);
  });

  it('mixes steps of several kinds, and entries without effects', async () => {
    const kinds = [
      new Script('return { #KEYS, #ARGV, KEYS[2], ARGV[3] }'),
      new Script('return nil'),
      new Script("return redis.status_reply('FINE')"),
      new Script('-- the last line is a comment\nlocal x = ARGV[1]\nreturn x -- here too'),
    ];
    const entries = await addSome(kinds.length + 1);
    const args = ['1', 2, 'three'];
    const commits = await commitsDuring(async () => {
      const answers = await Promise.all(
        entries.map((entry, i) => {
          const key = keys.subject(entry.session);
          return commit(entry, kinds[i] && makeStep(kinds[i], [key, `${key}-2`], args, (answer) => answer));
        }),
      );
      expect(answers).toEqual([[2, 3, `${keys.subject(entries[0]!.session)}-2`, 'three'], null, 'FINE', '1', null]);
    });
    expect(commits).toBe(1);
    expect(await waiting()).toBe(0);
    // What had no effects is not remembered.
    expect(await redis.command('ZCARD', DONE)).toBe(kinds.length);
  });

  it('takes a step with more arguments than Lua unpacks, and more keys than a byte counts', async () => {
    const [large, small] = await addSome(2);
    const far = new Script('return { #KEYS, #ARGV, KEYS[#KEYS], ARGV[#ARGV] }');
    const names = Array.from({ length: 300 }, (_, i) => `${keys.subject(large!.session)}-${i}`);
    const args = Array.from({ length: 20_000 }, (_, i) => i);
    const answers = await Promise.all([
      commit(
        large!,
        makeStep(far, names, args, (answer) => answer),
      ),
      commit(small!, stepOf(count, small!)),
    ]);
    expect(answers).toEqual([[300, 20_000, names.at(-1), '19999'], 1]);
  });

  it('makes no more scripts than Redis should keep', () => {
    const scripts = new BatchScripts();
    const kinds = Array.from({ length: 40 }, (_, i) => new Script(`return ${i}`));
    for (const kind of kinds) expect(scripts.of([kind])).toBeDefined();
    const [first, ...others] = kinds;
    const mixed = others.map((other) => scripts.of([first!, other]));
    expect(mixed.filter((made) => made !== undefined)).toHaveLength(MOST_MIXED_SCRIPTS);
    // The set counts, and not its order.
    expect(scripts.of([others[0]!, first!])).toBe(mixed[0]);
  });

  it('ends before a step whose script would be one too many', async () => {
    const kinds = Array.from({ length: MOST_MIXED_SCRIPTS + 3 }, (_, i) => new Script(`return ${1000 + i}`));
    for (const kind of kinds) {
      const [one, other] = await addSome(2);
      const answers = await Promise.all([commit(one!, stepOf(count, one!)), commit(other!, stepOf(kind, other!))]);
      expect(answers).toEqual([1, 1000 + kinds.indexOf(kind)]);
    }
    expect(await waiting()).toBe(0);
  });
});

describe('a part of a batch that fails', () => {
  it.each([
    ['at its second command', breaking, 'WRONGTYPE'],
    ['by an error of Lua', erring, 'nothing'],
  ])('%s is a dead letter; those before and behind it are done once', async (_, script, reason) => {
    const entries = await addSome(9);
    const steps = entries.map((entry, i) => stepOf(i === 4 ? script : count, entry));
    const commits = await commitsDuring(async () => {
      const answers = await Promise.all(entries.map((entry, i) => commit(entry, steps[i])));
      expect(answers).toEqual(entries.map((__, i) => (i === 4 ? REFUSED.broken : 1)));
    });
    // The failure ends its batch: what stood behind it is the next one.
    expect(commits).toBe(2);
    expect(await Promise.all(entries.map(counted))).toEqual(entries.map(() => '1'));
    expect(await waiting()).toBe(0);
    const [[, letter]] = (await redis.command<[string, string[]][]>('XRANGE', DEAD, '-', '+')) as [[string, string[]]];
    const fields = Object.fromEntries(letter.flatMap((name, i) => (i % 2 ? [] : [[name, letter[i + 1]!]])));
    const { id, session, request } = entries[4]!;
    expect(fields).toMatchObject({ c: 'log', s: session, r: request, p: '/a', d: '0', id, half: '1' });
    expect(fields.reason).toContain(reason);
    expect(await redis.command('XLEN', DEAD)).toBe(1);
  });

  it('does not take those behind it along where all would fail: they wait until the ownership has ended', async () => {
    const entries = await addSome(9);
    const settled = Promise.all(
      entries.map((entry) =>
        commit(entry, stepOf(breaking, entry)).then((answer) => {
          hasEnded = true;
          return answer;
        }),
      ),
    );
    expect(await settled).toEqual([REFUSED.broken, ...entries.slice(1).map(() => REFUSED.notOwner)]);
    expect(await waiting()).toBe(8);
    expect(await redis.command('XLEN', DEAD)).toBe(1);
  });

  it('before it has begun leaves its entry as it was', async () => {
    const [once, remembered, last] = [await add({ isOnce: true }), await add(), await add({ isOnce: true })];
    await redis.command('SET', DONE, 'not a sorted set');
    const answers = await Promise.all([once, remembered, last].map((entry) => commit(entry, stepOf(count, entry))));
    expect(answers).toEqual([1, expect.stringContaining('WRONGTYPE'), 1]);
    expect(await counted(remembered)).toBeNull();
    expect((await redis.command<[string][]>('XRANGE', REQUESTS, '-', '+')).map(([id]) => id)).toEqual([remembered.id]);
    expect(await redis.command('XLEN', DEAD)).toBe(0);
  });

  it('at XDEL is undone', async () => {
    const entries = await addSome(3);
    await redis.command('ACL', 'SETUSER', 'default', '-xdel');
    const answers = await Promise.all(entries.map((entry) => commit(entry, stepOf(count, entry))));
    await redis.command('ACL', 'SETUSER', 'default', '+xdel');
    for (const answer of answers) expect(answer).toMatch(/NOPERM|can't run this command|ACL/);
    expect([await waiting(), await redis.command('ZCARD', DONE)]).toEqual([3, 0]);
    expect(await Promise.all(entries.map(counted))).toEqual([null, null, null]);
    expect(await Promise.all(entries.map((entry) => commit(entry, stepOf(count, entry))))).toEqual([1, 1, 1]);
  });

  it('because it was done, or is not there, says so and does nothing', async () => {
    const first = await add({ request: '_same' });
    const entries = [first, { ...(await add({ request: '_same' })), session: first.session }, await add(), await add()];
    await redis.command('XDEL', REQUESTS, entries[2]!.id);
    const answers = await Promise.all(entries.map((entry) => commit(entry, stepOf(count, entry))));
    expect(answers).toEqual([1, REFUSED.repeated, REFUSED.gone, 1]);
    expect(await counted(first)).toBe('1');
    expect(await counted(entries[2]!)).toBeNull();
    expect(await waiting()).toBe(0);
    expect(await redis.command('ZSCORE', DONE, `${entries[2]!.session}:${entries[2]!.request}`)).toBeNull();
  });
});

describe('a batch of commits under a lost lease', () => {
  it('does nothing at all', async () => {
    const entries = await addSome(5);
    await redis.command('SET', keys.owner(PARTITION), 'other:token');
    const answers = await Promise.all(entries.map((entry) => commit(entry, stepOf(count, entry))));
    expect(answers).toEqual(entries.map(() => REFUSED.notOwner));
    expect(await waiting()).toBe(5);
    expect(await Promise.all(entries.map(counted))).toEqual(entries.map(() => null));
  });
});

describe('the notes about a committed entry', () => {
  it('of its tries go with it, and its id is remembered unless its producer sends it once', async () => {
    const [once, other] = [await add({ isOnce: true }), await add()];
    await redis.command('HSET', TRIES, once.id, '1', other.id, '2', 'another', '1');
    await Promise.all([once, other].map((entry) => commit(entry, stepOf(count, entry))));
    expect(await redis.command('HKEYS', TRIES)).toEqual(['another']);
    expect(await redis.command('ZRANGE', DONE, '0', '-1')).toEqual([`${other.session}:${other.request}`]);
  });
});
