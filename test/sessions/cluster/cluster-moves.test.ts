import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { hashSlot, Keys, PARTITION_TAGS, partitionOf } from '../../../src/redis/index.ts';
import { type SessionData, StoreUnavailableError } from '../../../src/sessions/index.ts';
import type { TestClusterNode } from '../../support/test-cluster.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { inParallel } from '../session-data/session-data-stage.suite.ts';
import { type ClusterStage, tokenOn, useClusterStage } from './cluster-stage.ts';

/* Slots move and masters fail over while sessions are used. */

const keys = new Keys('sw');

/** Uses sessions until it is stopped: reads, and adds one to a field. What it was told it remembers. */
class Visitors {
  readonly #data: SessionData;
  readonly #working: Promise<unknown>;
  /** How often `n` was raised, as was acknowledged, and how often nobody knows. */
  readonly acknowledged = new Map<string, number>();
  readonly doubtful = new Map<string, number>();
  readonly failures: unknown[] = [];
  absences = 0;
  #stopped = false;

  constructor(data: SessionData, tokens: readonly string[]) {
    this.#data = data;
    this.#working = Promise.all(tokens.map((token) => this.#visit(token)));
  }

  get visits(): number {
    return [...this.acknowledged.values()].reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
  }

  async #visit(token: string): Promise<void> {
    while (!this.#stopped) {
      try {
        if ((await this.#data.load(token)) === undefined) this.absences += 1;
      } catch (error) {
        this.failures.push(error);
      }
      let counts = this.acknowledged;
      try {
        await this.#data.increment(token, 'n');
      } catch (error) {
        this.failures.push(error);
        counts = this.doubtful;
      }
      counts.set(token, (counts.get(token) ?? 0) + 1);
      // What is refused at once would else leave no turn to anybody.
      await nextTurn();
    }
  }
}

/** What was acknowledged is there, and nothing else but what nobody knows. */
async function expectCounts(
  stage: ClusterStage,
  data: SessionData,
  tokens: readonly string[],
  visitors: Visitors,
): Promise<void> {
  for (const token of tokens) {
    const { n } = (await stage.values(data, token)) as { n: number };
    const least = visitors.acknowledged.get(token) ?? 0;
    expect(n).toBeGreaterThanOrEqual(least);
    expect(n).toBeLessThanOrEqual(least + (visitors.doubtful.get(token) ?? 0));
  }
}

describe('session data in a Cluster: a slot that moves', () => {
  const stage = useClusterStage();

  /** Tokens of sessions of one partition of the first master. */
  function tokensOfOnePartition(count: number): { partition: number; slot: number; tokens: string[] } {
    const partition = partitionOf(sessionOf(tokenOn(0)));
    const tokens: string[] = [];
    while (tokens.length < count) {
      const token = createToken();
      if (partitionOf(sessionOf(token)) === partition) tokens.push(token);
    }
    return { partition, slot: hashSlot(PARTITION_TAGS[partition]!), tokens };
  }

  it('loses nothing, and lets reads and saves go on; what needs several keys is done as a whole or not at all', async () => {
    const data = stage.open({ deadlineMs: 1_000 });
    await waitUntil('the store is up', () => data.isUp);
    const { partition, slot, tokens } = tokensOfOnePartition(60);
    const user = createToken();
    const visited = tokens.slice(0, 20);
    const [toEnd, toRotate, toIdentify, fresh] = tokens.slice(20) as [string, string, string, string];
    const saved = tokens.filter((token) => token !== fresh);
    await inParallel(saved.length, (i) => data.save(saved[i]!, { n: 0, i }));
    const visitors = new Visitors(data, visited);
    const [from, to] = [0, 1];
    await stage.cluster.moveSlot(slot, from, to, async () => {
      const before = visitors.visits;
      await waitUntil('they go on', () => visitors.visits > before + 200);
      const others = saved.filter((token) => !visited.includes(token));
      await inParallel(others.length, async (i) => {
        const loaded = (await data.load(others[i]!))!;
        expect(await data.save(others[i]!, { ...data.valuesOf(loaded), more: i }, loaded)).toBeDefined();
      });
      // These reach several keys, of which some are here and some there.
      for (const operation of [
        () => data.end(toEnd),
        () => data.rotate(toRotate),
        () => data.identify(toIdentify, user),
        () => data.save(fresh, { a: 1 }),
      ]) {
        await expect(operation()).rejects.toThrow(StoreUnavailableError);
      }
      expect(await data.load(fresh)).toBeUndefined();
      expect(await stage.values(data, toEnd)).toMatchObject({ n: 0 });
    });
    await stage.cluster.untilWell();
    const before = visitors.visits;
    await waitUntil('they go on', () => visitors.visits > before + 200);
    await visitors.stop();
    expect(visitors.absences).toBe(0);
    expect(visitors.failures).toEqual([]);
    await expectCounts(stage, data, visited, visitors);
    expect(data.infoOf((await data.load(toIdentify))!).userId).toBeUndefined();
    expect(data.infoOf((await data.load(toRotate))!).byPreviousSecret).toBe(false);
    // Where it is now, all of them work, and the index came along.
    const due = await stage.redis.command<string[]>('ZRANGE', keys.due(partition), '0', '-1');
    expect(due.sort()).toEqual(saved.map(sessionOf).sort());
    expect(await data.identify(toIdentify, user)).toEqual([]);
    expect(await data.rotate(toRotate)).toBeDefined();
    expect(await data.end(toEnd)).toBe(true);
    expect(await data.save(fresh, { a: 1 })).toBeDefined();
    expect((await stage.lifecycle(toEnd)).map(({ event }) => event)).toEqual(['created', 'ended']);
  }, 60_000);
});

describe('session data in a Cluster: a master that fails over', () => {
  // A replica is master after the first test; the second kills another server.
  const stage = useClusterStage({ replicas: 1, eachTest: 'kept' });

  it.each(['on request', 'killed'])(
    '%s: nobody is logged out, and what has ended stays so',
    async (how) => {
      const data = stage.open({ deadlineMs: 1_000 });
      await waitUntil('the store is up', () => data.isUp);
      const user = createToken();
      const tokens = await inParallel(30, async (i) => {
        const token = tokenOn(i % 3);
        await data.identify(token, user, {}, await data.save(token, { n: 0 }));
        return token;
      });
      const ended = await inParallel(10, async () => {
        const token = tokenOn(0);
        await data.save(token, { n: 0 });
        await data.end(token);
        return token;
      });
      await stage.settled();
      const master = await stage.cluster.masterOf(keys.record(sessionOf(tokens[0]!)));
      await replicated(master);

      const visitors = new Visitors(data, tokens);
      await waitUntil('they work', () => visitors.visits > 200);
      if (how === 'killed') stage.cluster.kill(master, 'SIGKILL');
      else await stage.cluster.failover(master);
      await stage.cluster.untilWell(30_000);
      const before = visitors.visits;
      await waitUntil('they go on', () => visitors.visits > before + 500, 20_000);
      const failures = visitors.failures.length;
      const visits = visitors.visits;
      await waitUntil('without failures', () => visitors.visits > visits + 500, 20_000);
      expect(visitors.failures).toHaveLength(failures);
      await visitors.stop();

      expect(visitors.absences).toBe(0);
      for (const failure of visitors.failures) expect(failure).toBeInstanceOf(StoreUnavailableError);
      const elsewhere = tokens.filter((_, i) => i % 3 !== 0);
      // A replica that takes over on request has everything; one that takes over from the dead what had reached it.
      await expectCounts(stage, data, how === 'killed' ? elsewhere : tokens, visitors);
      expect(await data.sessionsOf(user)).toHaveLength(30);
      for (const token of ended) {
        expect(await data.load(token)).toBeUndefined();
        expect(await data.save(token, { n: 1 })).toBeUndefined();
      }
      await waitUntil('the store is up', () => data.isUp);
      if (how === 'killed') await stage.cluster.restart(master);
    },
    90_000,
  );

  /** Resolves when a master's replica has all that it has now. */
  async function replicated(master: TestClusterNode): Promise<void> {
    await waitUntil('the replica has it all', async () => {
      const info = await master.command<string>('INFO', 'replication');
      const own = /^master_repl_offset:(\d+)/m.exec(info)?.[1];
      return own !== undefined && new RegExp(`^slave0:.*state=online,offset=${own},`, 'm').test(info);
    });
  }
});
