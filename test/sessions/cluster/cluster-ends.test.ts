import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys, PARTITION_TAGS, PARTITIONS, partitionOf } from '../../../src/redis/index.ts';
import { Archiver } from '../../../src/sessions/archive/archiver.ts';
import type { ArchivedSession } from '../../../src/sessions/archived-session.ts';
import { stepKeys } from '../../../src/sessions/cluster/deferred-index-writes.ts';
import { Outbox } from '../../../src/sessions/cluster/outbox.ts';
import { UserIndex } from '../../../src/sessions/cluster/user-index.ts';
import { recordOf } from '../../../src/sessions/index.ts';
import { Sweeper } from '../../../src/sessions/maintenance/index.ts';
import { endRecord } from '../../../src/sessions/users/scripts/end-record.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { inParallel, type LifecycleEntry } from '../session-data/session-data-stage.suite.ts';
import { tokenOn, useClusterStage } from './cluster-stage.ts';

/* What happens to sessions in a Cluster, and that it is told: the events lie beside the records, and are moved. */

const keys = new Keys('sw');
const stage = useClusterStage();

/** All that was told, in order. */
async function told(): Promise<LifecycleEntry[]> {
  const entries = await stage.redis.command<[string, string[]][]>('XRANGE', keys.lifecycle(), '-', '+');
  return entries.map(([, flat]) => {
    const fields: Record<string, string> = {};
    for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!;
    return fields as unknown as LifecycleEntry;
  });
}

/** Ends a session as a process does that dies in the next moment: nothing is moved. */
async function endAndDie(token: string): Promise<void> {
  const session = sessionOf(token);
  const args = { namespace: 'sw', session, secretHash: '', reason: 'destroyed', user: '', isForestalled: false };
  const limits = { absoluteMs: 0, lifecycleLength: 1_000, notAfter: 0 };
  const script = endRecord.for(stage.redis);
  const { status } = await script.run(stage.redis, stepKeys(stage.redis, keys, session), { ...args, ...limits });
  expect(status).toBe('done');
}

const outboxOf = (length = 1_000): Outbox => new Outbox(stage.redis, keys, new UserIndex(keys), length);

describe('a sweep in a Cluster', () => {
  it('of three processes at once ends 300 sessions and tells each once; then nothing is left', async () => {
    const data = stage.open({ idleMs: 1, touchEveryMs: 0 });
    const lasting = stage.open({ idleMs: 2_000, touchEveryMs: 0 });
    const user = createToken();
    const tokens = await inParallel(300, async (i) => {
      const token = tokenOn(i % 3);
      if (i % 10 !== 0) await data.save(token, { i });
      else await lasting.identify(token, user, {}, await lasting.save(token, { i }));
      return token;
    });
    const sweepers = [0, 1, 2].map(() => new Sweeper(stage.redis, 'sw', { lifecycleLength: 10_000 }));
    await waitUntil('all have ended', async () => {
      await Promise.all(sweepers.map((sweeper) => sweeper.sweep()));
      return (await stage.keys()).every((key) => !key.endsWith(':s'));
    });
    await stage.settled();
    const events = await told();
    const expired = events.filter(({ event }) => event === 'expired').map(({ session }) => session);
    expect(expired.sort()).toEqual(tokens.map(sessionOf).sort());
    expect(events.filter(({ event }) => event === 'created')).toHaveLength(300);
    // In order for each session, and each with an id of its own.
    for (const token of tokens) {
      const own = events.filter(({ session }) => session === sessionOf(token)).map(({ event }) => event);
      expect([own[0], own.at(-1)]).toEqual(['created', 'expired']);
    }
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    await waitUntil('the outboxes are gone', async () => {
      await sweepers[0]!.sweep();
      return (await stage.keys()).length === 2;
    });
    expect(await stage.keys()).toEqual([keys.lifecycle(), keys.moved()].sort());
  });

  it('moves what a process left that died, and takes the session out of the index of its user', async () => {
    const data = stage.open();
    const token = await stage.saved(data, {});
    await data.identify(token, 'ada');
    await stage.settled();
    await endAndDie(token);
    expect((await told()).map(({ event }) => event)).toEqual(['created', 'identified']);
    expect(await indexesInUse()).toBe(1);
    await new Sweeper(stage.redis, 'sw', { lifecycleLength: 100 }).sweep();
    expect((await told()).at(-1)).toEqual({
      event: 'ended',
      session: sessionOf(token),
      reason: 'destroyed',
      id: expect.stringMatching(new RegExp(`^${PARTITION_TAGS[partitionOf(sessionOf(token))]}-\\d+-\\d+$`)),
    });
    expect(await indexesInUse()).toBe(0);
  });

  it('finds a session whose end was shortened, by a touch or by a save, when that end has come', async () => {
    const data = stage.open({ idleMs: 600_000 });
    const short = stage.open({ idleMs: 1, touchEveryMs: 0 });
    const [touched, saved] = [await stage.saved(data, {}), await stage.saved(data, {})];
    expect(await short.touch(touched, {})).toBe(true);
    const loaded = (await data.load(saved))!;
    expect(await short.save(saved, { cookie: { originalMaxAge: 1, expires: new Date() } }, loaded)).toBeDefined();
    const sweeper = new Sweeper(stage.redis, 'sw', { lifecycleLength: 100 });
    await waitUntil('both are gone', async () => {
      await sweeper.sweep();
      return (await stage.keys()).every((key) => !key.endsWith(':s'));
    });
  });

  it('of those that work goes on where one holds no lease', async () => {
    const data = stage.open({ idleMs: 1, touchEveryMs: 0 });
    await inParallel(10, () => stage.saved(data, {}));
    const started = [0, 1].map(() => new Sweeper(stage.redis, 'sw', { lifecycleLength: 100, intervalMs: 20 }).start());
    onTestFinished(() => {
      for (const sweeper of started) sweeper.stop();
    });
    const count = async () => (await told()).filter(({ event }) => event === 'expired').length;
    await waitUntil('it is swept', async () => (await count()) === 10);
  });

  async function indexesInUse(): Promise<number> {
    return (await stage.keys()).filter((key) => key.includes('@user:')).length;
  }
});

describe('the outbox of a Cluster', () => {
  it('is moved by several at once, and each event is told once and in order', async () => {
    const data = stage.open();
    const tokens = await inParallel(60, () => stage.saved(data, {}));
    await stage.settled();
    await inParallel(tokens.length, (i) => endAndDie(tokens[i]!));
    const movers = [outboxOf(), outboxOf(), outboxOf(), outboxOf()];
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    await Promise.all(movers.flatMap((mover) => partitions.map((partition) => mover.move(partition))));
    const ended = (await told()).filter(({ event }) => event === 'ended').map(({ session }) => session);
    expect(ended.sort()).toEqual(tokens.map(sessionOf).sort());
  });

  it('holds more than is moved at once', async () => {
    const outbox = keys.outbox(7);
    const ids = Array.from({ length: 350 }, (_, i) => String(i));
    await inParallel(ids.length, (i) =>
      stage.redis.command('XADD', outbox, '*', 'event', 'ended', 'session', String(i).padStart(25, '0')),
    );
    expect(await outboxOf().move(7)).toBe(0);
    expect((await told()).map(({ session }) => session)).toEqual(ids.map((id) => id.padStart(25, '0')));
  });

  it('keeps the length of the stream', async () => {
    const data = stage.open({ lifecycleLength: 50 });
    await inParallel(600, () => stage.saved(data, {}));
    await stage.settled();
    const length = await stage.redis.command<number>('XLEN', keys.lifecycle());
    expect(length).toBeGreaterThanOrEqual(50);
    expect(length).toBeLessThanOrEqual(150);
  });

  it('close() lets what is on its way arrive', async () => {
    const data = stage.open();
    const tokens = await inParallel(50, () => stage.saved(data, {}));
    await data.close();
    expect((await told()).map(({ session }) => session).sort()).toEqual(tokens.map(sessionOf).sort());
  });
});

it('an archive gets each session that ends, from every master, and nothing is left but what keeps it ended', async () => {
  const taken: ArchivedSession[] = [];
  const archive = async (ended: ArchivedSession) => void taken.push(ended);
  const options = { lifecycleLength: 10_000, intervalMs: 10 };
  const archivers = [0, 1].map(() => new Archiver(stage.redis, 'sw', archive, options));
  onTestFinished(async () => void (await Promise.all(archivers.map((archiver) => archiver.stop()))));
  await Promise.all(archivers.map((archiver) => archiver.start()));
  const data = stage.open();
  const short = stage.open({ idleMs: 1, touchEveryMs: 0 });
  const tokens = await inParallel(60, async (i) => {
    const token = tokenOn(i % 3);
    if (i % 2 === 0) {
      await short.save(token, { i });
      return token;
    }
    await data.identify(token, `user ${i}`, {}, await data.save(token, { i }));
    await data.end(token);
    return token;
  });
  const sweeper = new Sweeper(stage.redis, 'sw', { lifecycleLength: 10_000 });
  await waitUntil('all are archived', async () => {
    await sweeper.sweep();
    return taken.length >= 60;
  });
  expect(taken.map(({ session }) => session).sort()).toEqual(tokens.map(sessionOf).sort());
  expect(taken.filter(({ reason }) => reason === 'expired')).toHaveLength(30);
  expect(
    taken.every(({ data: { i }, userId }) => (Number(i) % 2 === 0 ? userId === undefined : userId === `user ${i}`)),
  ).toBe(true);
  await waitUntil('all is told', async () => (await told()).filter(({ event }) => event === 'archived').length === 60);
  for (const token of tokens) {
    const events = (await told()).filter(({ session }) => session === sessionOf(token)).map(({ event }) => event);
    expect(events.at(-1)).toBe('archived');
  }
  const left = (await stage.keys()).filter((key) => /@(due|ended|failed|user:)/.test(key) || key.endsWith(':s'));
  expect(left).toHaveLength(30);
  expect(left.every((key) => key.endsWith(':s'))).toBe(true);
});

describe('sessions of connect-redis in a Cluster', () => {
  it('are taken over from whatever slot, once, and what has ended does not come back', async () => {
    const stores = [stage.open({ importFrom: 'sess:' }), stage.open({ importFrom: 'sess:' })];
    const tokens = await inParallel(60, async (i) => {
      const token = `sid-${i}-${randomBytes(12).toString('base64url')}`;
      const cookie = { originalMaxAge: 600_000, expires: new Date(Date.now() + 600_000), path: '/' };
      await stage.redis.command('SET', `sess:${token}`, JSON.stringify({ cookie, i }), 'EX', '600');
      return token;
    });
    const loaded = await Promise.all(tokens.flatMap((token) => stores.map((store) => store.load(token))));
    expect(loaded.map((one) => recordOf(one!).values(Date.now()).i)).toEqual(tokens.flatMap((_, i) => [i, i]));
    await stage.settled();
    expect((await told()).map(({ event, session }) => `${event} ${session}`).sort()).toEqual(
      tokens.map((token) => `created ${sessionOf(token)}`).sort(),
    );
    expect((await stage.keys()).filter((key) => key.startsWith('sess:'))).toEqual([]);
    const [first] = tokens as [string];
    await stores[0]!.end(first);
    await stage.redis.command('SET', `sess:${first}`, '{"cookie":{"originalMaxAge":null},"i":0}');
    expect(await stores[1]!.load(first)).toBeUndefined();
    expect(await stores[1]!.load(first)).toBeUndefined();
  });
});
