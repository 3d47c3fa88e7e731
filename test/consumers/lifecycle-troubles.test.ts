import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createToken } from '../../src/protocol/index.ts';
import { createConnection } from '../../src/redis/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import {
  connectionsOf,
  consumersOf,
  hasGroup,
  keys,
  openStore,
  pendingOf,
  sessionsOf,
  take,
  write,
} from './consumer-stage.ts';

/* What becomes of a loop over events while Redis is away, refuses, or has lost what the loop had not got; and how it ends. */

const server = useRedis();
const { redis } = server;
const OWN = 'sessionwise-consumer';

describe('a loop over events, as it ends', () => {
  const ends: Readonly<Record<string, (loop: AsyncIterableIterator<unknown>) => Promise<void>>> = {
    async break(loop) {
      for await (const _ of loop) break;
    },
    async 'return while it waits'(loop) {
      await loop.next();
      const waiting = loop.next();
      await waitUntil('it waits', async () => (await connectionsOf(redis, OWN)) === 1);
      await loop.return!();
      expect(await waiting).toEqual({ done: true, value: undefined });
    },
    async 'return before it is begun'(loop) {
      await loop.return!();
    },
    async 'return in the middle of its first connect'(loop) {
      const first = loop.next();
      await loop.return!();
      await first;
    },
  };

  it.each(Object.entries(ends))('by %s: no connection is left, and nothing is told any more', async (_, end) => {
    const store = openStore(server.url);
    await write(redis, 'a');
    const loop = store.lifecycle({ group: 'mail', from: 'start' });
    await end(loop);
    await waitUntil('no connection is left', async () => (await connectionsOf(redis, OWN)) === 0);
    expect(await loop.next()).toEqual({ done: true, value: undefined });
  });

  it('by its signal: what is handled meanwhile is acknowledged', async () => {
    const store = openStore(server.url);
    await write(redis, 'a', 'b');
    const controller = new AbortController();
    const told: string[] = [];
    for await (const event of store.lifecycle({ group: 'mail', from: 'start', signal: controller.signal })) {
      told.push(...sessionsOf([event]));
      controller.abort();
    }
    expect(told).toEqual(['a']);
    expect(await pendingOf(redis, 'mail')).toBe(0);
    expect(await consumersOf(redis, 'mail')).toEqual([]);
    expect(await connectionsOf(redis, OWN)).toBe(0);
    const never = store.lifecycle({ group: 'mail', signal: controller.signal });
    expect(await never.next()).toEqual({ done: true, value: undefined });
  });

  it('with its store, also while it waits', async () => {
    const store = openStore(server.url);
    const loop = store.lifecycle({ group: 'mail' });
    const waiting = loop.next();
    await waitUntil('it waits', async () => (await connectionsOf(redis, OWN)) === 1);
    await store.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await waitUntil('no connection is left', async () => (await connectionsOf(redis, OWN)) === 0);
    expect(await store.lifecycle({ group: 'mail' }).next()).toEqual({ done: true, value: undefined });
  });

  it('gives back what it had in hand, and leaves no consumer of its own', async () => {
    const store = openStore(server.url);
    await write(redis, 'a');
    for await (const _ of store.lifecycle({ group: 'mail', from: 'start' })) break;
    expect(await consumersOf(redis, 'mail')).toEqual(['returned']);
    expect(await take(store.lifecycle({ group: 'mail' }), 1)).toMatchObject([{ session: 'a', tries: 2 }]);
  });

  it('leaves its event to others where it never asks for the next one', async () => {
    const store = openStore(server.url);
    await write(redis, 'a', 'b', 'c');
    const idle = store.lifecycle({ group: 'mail', from: 'start', takeOverMs: 300 });
    await idle.next();
    const busy = store.lifecycle({ group: 'mail', takeOverMs: 300 });
    expect(sessionsOf(await take(busy, 3))).toEqual(['b', 'c', 'a']);
    // Its event was taken over, and what it says of it changes nothing.
    await idle.return!();
    await busy.return!();
    expect(await take(store.lifecycle({ group: 'mail' }), 1)).toMatchObject([{ session: 'a', tries: 3 }]);
  });
});

describe('a loop over events, while Redis is away', () => {
  it('begins when Redis is there', async () => {
    server.kill('SIGKILL');
    const downs: Error[] = [];
    const store = openStore(server.url);
    const first = store.lifecycle({ group: 'mail', from: 'start', onDown: (error) => downs.push(error) }).next();
    await waitUntil('it is told', () => downs.length > 0);
    await server.restart();
    await waitUntil('Redis is back', () => redis.isReady);
    await write(redis, 'a');
    expect((await first).value).toMatchObject({ session: 'a' });
    expect(downs).toHaveLength(1);
  });

  it('stops trying at once when it ends', async () => {
    server.kill('SIGKILL');
    const loop = openStore(server.url).lifecycle({ group: 'mail' });
    const first = loop.next();
    await loop.return!();
    expect(await first).toEqual({ done: true, value: undefined });
  });
});

describe('a loop over events, with a Redis that keeps its data', () => {
  const kept = useRedis({ persistence: true });

  it('misses nothing through restarts, and is told nothing twice that it was done with', async () => {
    const store = openStore(kept.url);
    const controller = new AbortController();
    const told: string[] = [];
    const done = (async () => {
      for await (const event of store.lifecycle({ group: 'mail', from: 'start', signal: controller.signal })) {
        told.push(...sessionsOf([event]));
      }
    })();
    const names: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const some = Array.from({ length: 25 }, (_, i) => `${round}-${i}`);
      names.push(...some);
      await write(kept.redis, ...some);
      await waitUntil('some are told', () => told.length > 25 * round);
      await kept.restart();
      await waitUntil('Redis is back', () => kept.redis.isReady);
    }
    await waitUntil('all are told', () => new Set(told).size === names.length, 20_000);
    controller.abort();
    await done;
    expect([...new Set(told)]).toEqual(names);
    // In each restart at most the one whose acknowledgement was under way.
    expect(told.length).toBeLessThanOrEqual(names.length + 4);
    expect(await pendingOf(kept.redis, 'mail')).toBe(0);
  }, 60_000);
});

describe('a loop over events, where the stream has lost some', () => {
  it('tells a gap, once, and goes on with what is there', async () => {
    const store = openStore(server.url);
    await write(redis, 'a', 'b', 'c', 'd');
    const loop = store.lifecycle({ group: 'mail', from: 'start' });
    expect(sessionsOf(await take(loop, 1))).toEqual(['a']);
    const ids = await write(redis, 'e', 'f');
    await redis.command('XTRIM', keys.lifecycle(), 'MAXLEN', '2');
    const [gap, ...others] = await take(loop, 3);
    expect(gap).toEqual({ event: 'gap', from: expect.any(Number), until: Number.parseInt(ids[0]!, 10) });
    expect(sessionsOf(others)).toEqual(['e', 'f']);
    await loop.return!();
    await redis.command('XTRIM', keys.lifecycle(), 'MAXLEN', '0');
    await write(redis, 'g', 'h');
    await redis.command('XTRIM', keys.lifecycle(), 'MAXLEN', '1');
    // The last one was in hand.
    expect(sessionsOf(await take(store.lifecycle({ group: 'mail' }), 3))).toEqual(['gap', 'h', 'gap']);
  });

  it('tells none that began with the oldest, or waited for the first', async () => {
    const store = openStore(server.url);
    const first = store.lifecycle({ group: 'first' }).next();
    await waitUntil('it is begun', () => hasGroup(redis, 'first'));
    await write(redis, 'a', 'b', 'c');
    expect((await first).value).toMatchObject({ session: 'a' });
    await redis.command('XTRIM', keys.lifecycle(), 'MAXLEN', '2');
    expect(sessionsOf(await take(store.lifecycle({ group: 'start', from: 'start' }), 2))).toEqual(['b', 'c']);
  });

  it('tells one where what was in hand of a process that died was dropped', async () => {
    const store = openStore(server.url);
    await write(redis, 'a', 'b');
    await redis.command('XGROUP', 'CREATE', keys.lifecycle(), 'mail', '0');
    const dead = ['XREADGROUP', 'GROUP', 'mail', 'dead', 'COUNT', '1', 'STREAMS', keys.lifecycle(), '>'];
    await redis.command(...dead);
    await redis.command('XTRIM', keys.lifecycle(), 'MAXLEN', '1');
    const loop = store.lifecycle({ group: 'mail', takeOverMs: 100 });
    const events = sessionsOf(await take(loop, 3));
    expect(events.filter((event) => event === 'gap')).toHaveLength(2);
    expect(events).toContain('b');
  });

  it('tells none where events were erased', async () => {
    const store = openStore(server.url);
    const tokens = [createToken(), createToken()];
    const loop = store.lifecycle({ group: 'mail', from: 'start', takeOverMs: 300 });
    await write(redis, 'first');
    for (const [i, token] of tokens.entries()) {
      await store.save(token, {});
      await store.identify(token, `user ${i}`);
    }
    expect(sessionsOf(await take(loop, 2))[0]).toBe('first');
    // One is in hand, the others still to come.
    await store.forget({ user: 'user 0' });
    await write(redis, 'last');
    const events = await take(loop, 3);
    expect(events.map(({ event }) => event)).toEqual(['created', 'identified', 'created']);
    expect(sessionsOf(events).at(-1)).toBe('last');
    await loop.return!();
  });

  it.each([
    ['Redis was emptied', () => redis.command('FLUSHALL')],
    ['the group was destroyed', () => redis.command('XGROUP', 'DESTROY', keys.lifecycle(), 'mail')],
  ])('tells a gap where %s, and goes on', async (_, lose) => {
    const store = openStore(server.url);
    await write(redis, 'a');
    const loop = store.lifecycle({ group: 'mail', from: 'start' });
    await take(loop, 1);
    await lose();
    await write(redis, 'b');
    expect(sessionsOf(await take(loop, 2))).toEqual(['gap', 'b']);
    const next = loop.next();
    await write(redis, 'c');
    expect((await next).value).toMatchObject({ session: 'c', tries: 1 });
  });
});

describe('a loop over events, where Redis refuses', () => {
  /** A store whose user lacks some rights. */
  async function openAs(...rules: string[]) {
    await redis.command('ACL', 'SETUSER', 'worker', 'reset', 'on', '>pass', '~*', '&*', '+@all', ...rules);
    onTestFinished(() => void redis.command('ACL', 'DELUSER', 'worker').catch(() => undefined));
    return openStore(server.url, { redis: { path: server.socketPath, username: 'worker', password: 'pass' } as never });
  }

  it.each(['evalsha', 'xread'])('says which right is missing, and ends: %s', async (command) => {
    const denied = command === 'evalsha' ? ['-evalsha', '-eval'] : [`-${command}`];
    const store = await openAs(...denied);
    const loop = store.lifecycle({ group: 'mail' });
    await expect(loop.next()).rejects.toMatchObject({
      code: 'CONSUMER_REFUSED',
      message: expect.stringMatching(/lifecycle events \(NOPERM.*sessionwise acl --consume/),
    });
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    await waitUntil('no connection is left', async () => (await connectionsOf(redis, OWN)) === 0);
  });

  it('ends where another kind of key stands in the place of the stream', async () => {
    await redis.command('SET', keys.lifecycle(), 'x');
    const loop = openStore(server.url).lifecycle({ group: 'mail' });
    await expect(loop.next()).rejects.toMatchObject({
      code: 'CONSUMER_REFUSED',
      message: /WRONGTYPE.*sw:lifecycle ours/,
    });
  });

  it.each([
    ['READONLY', () => redis.command('REPLICAOF', '127.0.0.1', '1'), () => redis.command('REPLICAOF', 'NO', 'ONE')],
    [
      'OOM',
      () => redis.command('CONFIG', 'SET', 'maxmemory', '1'),
      () => redis.command('CONFIG', 'SET', 'maxmemory', '0'),
    ],
  ])('tells %s, waits without haste, and goes on by itself', async (code, refuse, allow) => {
    const store = openStore(server.url);
    await waitUntil('it is up', () => store.isUp);
    await refuse();
    onTestFinished(() => void allow().catch(() => undefined));
    const downs: Error[] = [];
    const loop = store.lifecycle({ group: 'mail', from: 'start', onDown: (error) => downs.push(error) });
    const first = loop.next();
    await waitUntil('it is told', () => downs.length > 0);
    expect(downs[0]!.message).toContain(code);
    await redis.command('CONFIG', 'RESETSTAT');
    const later = performance.now() + 2_000;
    await waitUntil('two seconds have passed', () => performance.now() > later);
    const calls = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.command('INFO', 'commandstats'))?.[1] ?? '0';
    expect(Number(calls)).toBeLessThan(20);
    await allow();
    await write(redis, 'a');
    expect((await first).value).toMatchObject({ session: 'a', tries: 1 });
    expect(downs).toHaveLength(1);
  });

  it('goes on with what is there in a full Redis', async () => {
    const store = openStore(server.url);
    await write(redis, 'a', 'b');
    const loop = store.lifecycle({ group: 'mail', from: 'start' });
    expect(sessionsOf(await take(loop, 1))).toEqual(['a']);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    onTestFinished(() => void redis.command('CONFIG', 'SET', 'maxmemory', '0'));
    expect(sessionsOf(await take(loop, 1))).toEqual(['b']);
    await loop.return!();
    expect(await pendingOf(redis, 'mail')).toBe(1);
    expect(await consumersOf(redis, 'mail')).toEqual(['returned']);
  });

  it('warns once after a while, where nobody is told', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    onTestFinished(() => warned.mockRestore());
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    onTestFinished(() => void redis.command('CONFIG', 'SET', 'maxmemory', '0'));
    const loop = openStore(server.url).lifecycle({ group: 'waits' });
    const first = loop.next();
    await waitUntil('it is warned', () => warned.mock.calls.length > 0);
    expect(warned.mock.calls[0]![0]).toMatch(/The consumer group "waits" gets no lifecycle events: .*OOM/);
    await loop.return!();
    await first;
  }, 20_000);
});

describe('a loop over events, of a long stream', () => {
  const MANY = Number(process.env.SESSIONWISE_SOAK_SECONDS ?? 0) > 0 ? 100_000 : 20_000;

  it('takes over from a process that died also where hundreds that were given back rest before it', async () => {
    const failing = Array.from({ length: 250 }, (_, i) => `failing-${i}`);
    await write(redis, ...failing, 'lost');
    const lifecycle = keys.lifecycle();
    await redis.command('XGROUP', 'CREATE', lifecycle, 'mail', '0');
    for (const [consumer, count, idleMs] of [
      // As if they rested for a minute more.
      ['returned', failing.length, 86_400_000 - 60_000],
      ['died', 1, 3_600_000],
    ] as const) {
      const read = ['XREADGROUP', 'GROUP', 'mail', consumer, 'COUNT', String(count), 'STREAMS', lifecycle, '>'];
      const reply = await redis.command<Record<string, [string, string[]][]>>(...read);
      const taken = reply[lifecycle]!.map(([id]) => id);
      await redis.command('XCLAIM', lifecycle, 'mail', consumer, '0', ...taken, 'IDLE', String(idleMs), 'JUSTID');
    }
    await write(redis, 'new');
    const loop = openStore(server.url).lifecycle({ group: 'mail' });
    expect(sessionsOf(await take(loop, 2))).toEqual(['lost', 'new']);
    expect(await pendingOf(redis, 'mail')).toBe(failing.length + 1);
  });

  it('takes one at a time, however many wait', async () => {
    const store = openStore(server.url);
    const admin = await createConnection(server.url, 'filler').connect();
    onTestFinished(() => admin.close());
    const fill = `for i = 1, tonumber(ARGV[1]) do
      redis.call('XADD', KEYS[1], '*', 'event', 'created', 'session', 's' .. i)
    end`;
    await admin.command('EVAL', fill, '1', keys.lifecycle(), String(MANY));
    let count = 0;
    for await (const event of store.lifecycle({ group: 'mail', from: 'start' })) {
      if (event.event === 'gap') continue;
      count += 1;
      if (count % 10_000 === 0) expect(await pendingOf(redis, 'mail')).toBe(1);
      if (count === MANY) break;
    }
    expect(count).toBe(MANY);
  }, 120_000);
});

describe('the options of a loop over events', () => {
  const lifecycle = (options: unknown) => () => openStore(server.url).lifecycle(options as never);

  it.each([
    [undefined, /lifecycle\(\) takes its options as an object/],
    [{}, /group undefined cannot be used/],
    [{ group: '' }, /group "" cannot be used: give the name of a consumer group, 1 to 128/],
    [{ group: 'x'.repeat(129) }, /cannot be used/],
    [{ group: '\ud800' }, /cannot be used/],
    [{ group: 7 }, /group 7 cannot be used/],
    [{ group: 'g', from: 'end' }, /from "end" cannot be used/],
    [{ group: 'g', takeOverMs: 99 }, /takeOverMs 99 cannot be used: give milliseconds from 100 to 86400000/],
    [{ group: 'g', takeoverMs: 1_000 }, /did you mean "takeOverMs"/],
    [{ group: 'g', signal: {} }, /signal cannot be used: give the signal of an AbortController/],
    [{ group: 'g', onDown: 1 }, /onDown 1 cannot be used/],
  ])('%j are refused', (options, message) => {
    expect(lifecycle(options)).toThrow(RangeError);
    expect(lifecycle(options)).toThrow(message);
  });
});
