import { describe, expect, it } from 'vitest';
import { type Knowledge, MINUTE_MS, SEEN_ITEMS_DEFAULTS } from '../../src/knowledge/index.ts';
import { useTestData } from '../support/use-test-data.ts';

/* Parts beside a record and what may befall them. A step that Redis refuses half-way, because a right is missing or a key
 * holds something else: what was known stays known, and the step did not happen. */

describe('a part beside a record', () => {
  const stage = useTestData();
  const LIMIT = 5;
  const names = Array.from({ length: LIMIT }, (_, i) => `/${i}`);
  const small = (): Knowledge => stage.with({ seen: { ...SEEN_ITEMS_DEFAULTS, exactLimit: LIMIT } });
  const change = (right: string): Promise<unknown> => stage.redis.command('ACL', 'SETUSER', 'default', right);
  /** Does something without a right. It is refused. */
  async function without(right: string, work: () => Promise<unknown>): Promise<void> {
    await change(`-${right}`);
    await expect(work()).rejects.toThrow(/permission|can't run/i);
    await change(`+${right}`);
  }
  const endless = async (): Promise<string[]> => {
    const keys = await stage.redis.command<string[]>('KEYS', '*');
    const ttls = await Promise.all(keys.map((key) => stage.redis.command<number>('TTL', key)));
    return keys.filter((_, i) => ttls[i]! < 0);
  };

  it.each(['pfadd', 'exists', 'pexpire'])(
    'that Redis refuses while pages outgrow the record loses none of them (%s)',
    async (right) => {
      const knowledge = small();
      const hashes = stage.pages(...names);
      for (const hash of hashes) await knowledge.recordView('v', hash);
      const before = await stage.redis.commandForBuffers('GET', stage.keys.subject('v'));
      const view = () => knowledge.recordView('v', stage.pages('/next')[0]!);
      await without(right, view);
      expect(await stage.redis.commandForBuffers('GET', stage.keys.subject('v'))).toEqual(before);
      expect(await knowledge.read('v').hasSeen('page', hashes)).toEqual(names.map(() => true));
      expect(await endless()).toEqual([]);
      expect(await view()).toMatchObject({ totalPages: LIMIT + 1, uniquePages: LIMIT + 1, previouslyVisited: false });
      expect(await knowledge.read('v').hasSeen('page', hashes)).toEqual(names.map(() => true));
    },
  );

  it('that Redis refuses while marked items outgrow the record loses none of them', async () => {
    const knowledge = small();
    const hashes = knowledge.items.ofAll('item', names);
    await knowledge.markItems('v', hashes);
    const mark = () => knowledge.markItems('v', knowledge.items.ofAll('item', ['next']));
    await without('pfadd', mark);
    expect(await knowledge.read('v').hasSeen('item', hashes)).toEqual(names.map(() => true));
    expect(await mark()).toEqual([false]);
    expect(await knowledge.read('v').hasSeen('item', hashes)).toEqual(names.map(() => true));
  });

  it('that Redis refuses makes no record of a new subject', async () => {
    const knowledge = stage.with({ seen: { ...SEEN_ITEMS_DEFAULTS, exactLimit: 0 } });
    const [page] = stage.pages('/');
    await without('pfadd', () => knowledge.recordView('v', page!));
    await without('pfadd', () => knowledge.markItems('v', [1]));
    expect(await stage.redis.command('DBSIZE')).toBe(0);
    expect(await knowledge.recordView('v', page!)).toMatchObject({ totalPages: 1, previouslyVisited: false });
  });

  it('that holds something else lets no view count', async () => {
    const knowledge = stage.with({ seen: { ...SEEN_ITEMS_DEFAULTS, exactLimit: 0 } });
    const [page] = stage.pages('/');
    await knowledge.recordView('v', page!);
    await stage.redis.command('SET', stage.keys.uniqueCount('v', 'page'), 'no count');
    for (let i = 0; i < 3; i += 1) await expect(knowledge.recordView('v', stage.pages('/a')[0]!)).rejects.toThrow();
    await stage.redis.command('DEL', stage.keys.uniqueCount('v', 'page'));
    expect(await knowledge.recordView('v', page!)).toMatchObject({ totalPages: 2 });
  });

  it('that Redis refuses while minutes outgrow the record loses none of them', async () => {
    const { knowledge, clock } = stage;
    const [page] = stage.pages('/');
    const start = clock.now;
    let views = 0;
    const view = async (): Promise<void> => {
      await knowledge.recordView('v', page!, { at: start + 2 * views * MINUTE_MS });
      views += 1;
    };
    // The window keeps twenty of them, the record 96.
    while (views < 116) await view();
    await without('hset', view);
    await view();
    const minutes = await knowledge.read('v').minutes(start, start + 2 * views * MINUTE_MS);
    expect(minutes.filter(Boolean)).toHaveLength(views);
    const { totalPages, activeMinutes } = await knowledge.read('v').visit(start);
    expect({ totalPages, activeMinutes }).toEqual({ totalPages: views, activeMinutes: views });
  });

  it('of a record that is gone does not come back with the next one', async () => {
    const { knowledge, clock, redis, keys } = stage;
    const [page] = stage.pages('/');
    const start = clock.now;
    const view = (minute: number) => knowledge.recordView('v', page!, { at: start + minute * MINUTE_MS });
    for (let i = 0; i < 120; i += 1) await view(2 * i);
    // As a server that is full may choose, or a hand.
    await redis.command('DEL', keys.subject('v'));
    for (let i = 0; i < 120; i += 1) await view(1_000 + 2 * i);
    const minutes = await knowledge.read('v').minutes(start, start + 1_240 * MINUTE_MS);
    expect(minutes.flatMap((active, i) => (active ? [i] : []))).toEqual(
      Array.from({ length: 120 }, (_, i) => 1_000 + 2 * i),
    );
  });

  it('that Redis refuses a late minute keeps all that it has', async () => {
    const { knowledge, clock } = stage;
    const [page] = stage.pages('/');
    const start = clock.now;
    const view = (minute: number) => knowledge.recordView('v', page!, { at: start + minute * MINUTE_MS });
    for (let i = 0; i < 120; i += 1) await view(2 * i);
    await without('hset', () => view(1));
    const active = async (): Promise<number> => {
      return (await knowledge.read('v').minutes(start, start + 240 * MINUTE_MS)).filter(Boolean).length;
    };
    expect(await active()).toBe(120);
    await view(1);
    expect(await active()).toBe(121);
  });
});
