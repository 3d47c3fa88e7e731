import { expect, it, onTestFinished } from 'vitest';
import { sessionOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { Archiver } from '../../../src/sessions/archive/archiver.ts';
import { type SessionData, StoreUnavailableError } from '../../../src/sessions/index.ts';
import { Sweeper } from '../../../src/sessions/maintenance/index.ts';
import type { TestClusterNode } from '../../support/test-cluster.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { inParallel } from '../session-data/session-data-stage.suite.ts';
import { tokenOn, useClusterStage, userOn } from './cluster-stage.ts';

/* One of three masters stands still or is gone, and nobody takes its place: its sessions cannot be reached, and the
 * others do not notice. */

const DEADLINE_MS = 500;
const keys = new Keys('sw');
// Else Redis itself refuses everything while a slot has no master.
const stage = useClusterStage({ persistence: true, extraArgs: ['--cluster-require-full-coverage', 'no'] });

interface Watched {
  readonly data: SessionData;
  readonly events: string[];
  /** Ten sessions on each master. */
  readonly tokens: readonly (readonly string[])[];
}

async function watched(): Promise<Watched> {
  const data = stage.open({ deadlineMs: DEADLINE_MS });
  const events: string[] = [];
  const tokens = await inParallel(3, (master) =>
    inParallel(10, async () => {
      const token = tokenOn(master);
      // The first ones come while the connection is being made.
      await waitUntil('it is saved', () => data.save(token, { n: 0 }).then(Boolean, () => false));
      return token;
    }),
  );
  await waitUntil('the store is up', () => data.isUp);
  data.on('store:down', () => events.push('down'));
  data.on('store:up', () => events.push('up'));
  return { data, events, tokens };
}

/** One of each operation; those that fail, with their errors. */
async function useAll(data: SessionData, tokens: readonly string[]): Promise<unknown[]> {
  const outcomes = await Promise.allSettled(
    tokens.flatMap((token) => [
      data.load(token).then((loaded) => {
        if (!loaded) throw new Error('A session that lives reads as absent.');
      }),
      data.increment(token, 'n'),
      data.touch(token, {}),
      data.isCurrent(token),
    ]),
  );
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
}

it.each(['SIGSTOP', 'SIGKILL'] as const)(
  'session data in a Cluster: %s of a master: the sessions of the others go on, its own settle in time, and come back',
  async (signal) => {
    const { data, events, tokens } = await watched();
    const [away] = stage.cluster.nodes as [TestClusterNode];
    stage.cluster.kill(away, signal);

    // For longer than until the connection is given up as lost.
    const end = performance.now() + 6_000;
    let rounds = 0;
    const others = (async () => {
      while (performance.now() < end) {
        expect(await useAll(data, [...tokens[1]!, ...tokens[2]!])).toEqual([]);
        rounds += 1;
      }
    })();
    while (performance.now() < end) {
      const begun = performance.now();
      const failures = await useAll(data, tokens[0]!);
      expect(failures).toHaveLength(40);
      for (const failure of failures) expect(failure).toBeInstanceOf(StoreUnavailableError);
      expect(performance.now() - begun).toBeLessThan(DEADLINE_MS + 3_000);
      // New sessions of the others, and logins of users whose index is there.
      const fresh = tokenOn(1);
      expect(await data.save(fresh, { fresh: true })).toBeDefined();
      expect(await data.identify(fresh, userOn(2))).toEqual([]);
      await expect(data.identify(fresh, userOn(0))).rejects.toThrow(StoreUnavailableError);
      await expect(data.save(tokenOn(0), {})).rejects.toThrow(StoreUnavailableError);
    }
    await others;
    expect(rounds).toBeGreaterThan(5);
    expect(events).toEqual(['down']);
    expect(data.isUp).toBe(false);

    if (signal === 'SIGSTOP') stage.cluster.kill(away, 'SIGCONT');
    else await stage.cluster.restart(away);
    await stage.cluster.untilWell();
    await waitUntil('the store is up', () => data.isUp, 20_000);
    expect(events).toEqual(['down', 'up']);
    expect(await useAll(data, tokens.flat())).toEqual([]);
  },
  60_000,
);

it('session data in a Cluster: a master that comes back has done nothing that was told as failed', async () => {
  const { data, tokens } = await watched();
  const [away] = stage.cluster.nodes as [TestClusterNode];
  const [kept, rotated, given] = tokens[0] as [string, string, string];
  const user = userOn(1);
  stage.cluster.kill(away, 'SIGSTOP');
  const failed = [data.end(kept), data.rotate(rotated), data.identify(given, user), data.increment(kept, 'n')];
  for (const outcome of await Promise.allSettled(failed)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_UNAVAILABLE' } });
  }
  stage.cluster.kill(away, 'SIGCONT');
  await waitUntil('it answers', () => data.load(kept).then(Boolean, () => false), 20_000);
  expect(await stage.values(data, kept)).toEqual({ n: 0 });
  expect(await stage.values(data, rotated)).toEqual({ n: 0 });
  expect(data.infoOf((await data.load(rotated))!).byPreviousSecret).toBe(false);
  expect(data.infoOf((await data.load(given))!).userId).toBeUndefined();
  expect(await data.sessionsOf(user)).toEqual([]);
}, 60_000);

it('session data in a Cluster: sweeping goes on for the others, also where the lease lies on the one that is gone', async () => {
  const data = stage.open({ idleMs: 200, touchEveryMs: 0 });
  const tokens = await inParallel(30, async (i) => {
    const token = tokenOn(i % 3);
    await data.save(token, {});
    return token;
  });
  const away = await stage.cluster.masterOf(keys.lease('sweep'));
  stage.cluster.kill(away, 'SIGKILL');
  const sweeper = new Sweeper(stage.redis, 'sw', { lifecycleLength: 100, intervalMs: 50 }).start();
  onTestFinished(() => sweeper.stop());
  const reached = tokens.filter((_, i) => i % 3 !== away.index);
  await waitUntil('theirs are gone', async () => {
    const records = await Promise.all(reached.map((token) => stage.bytes(token)));
    return records.every((record) => record === null);
  });
  await stage.cluster.restart(away);
  await waitUntil(
    'all are gone',
    async () =>
      (await Promise.all(tokens.map((token) => stage.bytes(token).catch(() => token)))).every((left) => left === null),
    20_000,
  );
  await stage.settled();
  const events = await Promise.all(tokens.map((token) => stage.lifecycle(token)));
  expect(events.map((own) => own.map(({ event }) => event))).toEqual(tokens.map(() => ['created', 'expired']));
}, 60_000);

it('session data in a Cluster: an archive goes on with the sessions of the others, and gets the rest when their master is back', async () => {
  const data = stage.open();
  // Who has the lease of the archive works; so another one goes.
  const holder = await stage.cluster.masterOf(keys.lease('archive'));
  const away = stage.cluster.nodes.find((node) => node.index !== holder.index)!;
  const taken: string[] = [];
  const failures: Error[] = [];
  let isOpen = false;
  const archiver = new Archiver(stage.redis, 'sw', async ({ session }) => void taken.push(session), {
    lifecycleLength: 100,
    intervalMs: 50,
    enabled: () => isOpen,
  });
  onTestFinished(() => archiver.stop());
  archiver.on('failed', (error) => failures.push(error));
  isOpen = true;
  await archiver.start();
  isOpen = false;
  const tokens = await inParallel(30, async (i) => {
    const token = tokenOn(i % 3);
    await data.save(token, { i });
    await data.end(token);
    return token;
  });
  stage.cluster.kill(away, 'SIGKILL');
  isOpen = true;
  const reached = tokens.filter((_, i) => i % 3 !== away.index).map(sessionOf);
  await waitUntil('theirs are archived', () => taken.length === reached.length, 20_000);
  expect([...taken].sort()).toEqual(reached.sort());
  await stage.cluster.restart(away);
  await waitUntil('all are archived', () => taken.length === tokens.length, 20_000);
  expect([...taken].sort()).toEqual(tokens.map(sessionOf).sort());
  expect(failures).toEqual([]);
}, 60_000);
