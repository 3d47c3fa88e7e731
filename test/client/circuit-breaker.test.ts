import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { BREAKER_MISSES, BREAKER_PROBE_MS, CircuitBreaker } from '../../src/client/circuit-breaker.ts';
import type { SessionClientOptions } from '../../src/client/client-options.ts';
import { SessionClient } from '../../src/client/session-client.ts';
import { parseSessionGlob } from '../../src/protocol/index.ts';
import { InstanceBeat } from '../../src/service/instance-beat.ts';
import { ChannelReceiver } from '../../src/transport/channels/channel-receiver.ts';
import { Admission } from '../../src/transport/service/admission.ts';
import type { Dispatch } from '../../src/transport/transport.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('a circuit breaker', () => {
  let answers: boolean;
  let probes: number;
  let breaker: CircuitBreaker;

  beforeEach(() => {
    vi.useFakeTimers();
    answers = false;
    probes = 0;
    breaker = new CircuitBreaker(async () => {
      probes += 1;
      return answers;
    });
  });
  afterEach(() => {
    breaker.stop();
    vi.useRealTimers();
  });

  const miss = (times: number) => {
    for (let i = 0; i < times; i += 1) breaker.miss();
  };

  it('opens after five misses in a row', () => {
    expect(BREAKER_MISSES).toBe(5);
    miss(4);
    expect(breaker.isOpen).toBe(false);
    breaker.succeed();
    miss(4);
    expect(breaker.isOpen).toBe(false);
    miss(1);
    expect(breaker.isOpen).toBe(true);
    expect(probes).toBe(0);
  });

  it('probes each half second while it is open, and no more for further misses', async () => {
    expect(BREAKER_PROBE_MS).toBe(500);
    miss(50);
    await vi.advanceTimersByTimeAsync(499);
    expect(probes).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(probes).toBe(1);
    await vi.advanceTimersByTimeAsync(2000);
    expect(probes).toBe(5);
    expect(breaker.isOpen).toBe(true);
  });

  it('closes with the first answer to a probe, and counts from nothing again', async () => {
    miss(5);
    answers = true;
    await vi.advanceTimersByTimeAsync(500);
    expect(breaker.isOpen).toBe(false);
    await vi.advanceTimersByTimeAsync(5000);
    expect(probes).toBe(1);
    miss(4);
    expect(breaker.isOpen).toBe(false);
    miss(1);
    expect(breaker.isOpen).toBe(true);
  });

  it('closes with an answer to a request that was under way', async () => {
    miss(5);
    breaker.succeed();
    expect(breaker.isOpen).toBe(false);
    await vi.advanceTimersByTimeAsync(5000);
    expect(probes).toBe(0);
  });

  it('does not open again by the answer to a probe that came too late', async () => {
    let finish: ((answered: boolean) => void) | undefined;
    const slow = new CircuitBreaker(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    for (let i = 0; i < 5; i += 1) slow.miss();
    await vi.advanceTimersByTimeAsync(500);
    slow.succeed();
    finish!(false);
    await vi.advanceTimersByTimeAsync(5000);
    expect(slow.isOpen).toBe(false);
  });

  it('ends its probes when it is stopped', async () => {
    miss(5);
    breaker.stop();
    miss(5);
    await vi.advanceTimersByTimeAsync(5000);
    expect(probes).toBe(0);
    expect(breaker.isOpen).toBe(false);
  });
});

describe('the breaker of a client', () => {
  const server = useRedis({ eachTest: 'kept' });
  const { redis } = server;
  let proxy: RedisProxy;

  beforeAll(async () => {
    proxy = await startRedisProxy(server.socketPath);
  });
  afterAll(async () => {
    await proxy?.close();
  });

  /** An instance whose answers are ours: it hangs until `answering`. */
  async function startInstance(glob: string, namespace: string) {
    const subscriber = await redis.duplicate().connect();
    const instance = {
      id: `instance ${glob}`,
      answering: false,
      heard: [] as string[],
      async stop() {
        await beat.stop();
        await receiver.stop(10);
        await subscriber.close();
      },
    };
    const commands = ['pageview', 'surface', 'combo'];
    const dispatch: Dispatch = (command) => {
      instance.heard.push(command);
      return instance.answering ? Promise.resolve({ json: '[]' }) : new Promise(() => {});
    };
    const receiver = new ChannelReceiver(subscriber, redis, {
      namespace,
      glob: parseSessionGlob(glob),
      commands,
      dispatch,
      admission: new Admission(),
      events: { refused: () => {}, unclaimed: () => {}, replyFailed: () => {} },
    });
    await receiver.start();
    const self = { id: instance.id, glob: parseSessionGlob(glob), commands, streams: false, channels: true };
    const beat = new InstanceBeat(redis, namespace, self, () => {});
    await beat.start(subscriber);
    onTestFinished(() => instance.stop());
    return instance;
  }

  /** Has a client hear of an instance: the reply comes over the connection that brings heartbeats, behind the first. */
  async function meet(client: SessionClient, instance: Awaited<ReturnType<typeof startInstance>>): Promise<void> {
    instance.answering = true;
    expect(await client.request('combo', 'abc', '', { deadlineMs: 10_000 })).toEqual([]);
    instance.answering = false;
    instance.heard = [];
  }

  async function openClient(namespace: string, options: Partial<SessionClientOptions> = {}): Promise<SessionClient> {
    const client = new SessionClient({ redis: proxy.url, namespace, deadlineMs: 30, ...options });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    return client;
  }

  it('opens after five deadlines; then a page costs nothing, and its views still count', async () => {
    const client = await openClient('costs');
    const instance = await startInstance('?*', 'costs');
    await meet(client, instance);
    for (let i = 1; i <= 5; i += 1) {
      expect(await client.request('combo', 'abc', '')).toBeUndefined();
      expect(client.counters.degraded).toEqual({ deadline: i });
    }
    await waitUntil('all are heard', () => instance.heard.length === 5);

    proxy.reset();
    const before = performance.now();
    for (let i = 0; i < 200; i += 1) expect(await client.request('combo', 'abc', '')).toBeUndefined();
    // Two hundred deadlines would be six seconds.
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(client.counters.degraded).toEqual({ deadline: 5, 'breaker-open': 200 });
    const published = () =>
      proxy
        .commands('sessionwise-client')
        .filter(([name, channel]) => name === 'PUBLISH' && !channel!.includes(':surface:'));
    expect(published()).toEqual([]);

    for (let i = 0; i < 3; i += 1) expect(await client.request('pageview', 'abc', '/a')).toBeUndefined();
    await waitUntil('the views are heard', () => instance.heard.filter((name) => name === 'pageview').length === 3);
    // They want no reply: nobody waits.
    expect(published().map(([, channel]) => channel)).toEqual(
      [1, 2, 3].map(() => expect.stringMatching(/^costs:ss:pageview:abc:_\d+$/)),
    );
    expect(client.counters.degraded).toEqual({ deadline: 5, 'breaker-open': 203 });
  });

  it('closes when the service answers a probe of its own', async () => {
    const client = await openClient('probe');
    const instance = await startInstance('?*', 'probe');
    await meet(client, instance);
    for (let i = 0; i < 6; i += 1) await client.request('combo', 'abc', '');
    expect(client.counters.degraded).toEqual({ deadline: 5, 'breaker-open': 1 });
    // It goes on probing while nothing answers, and asks for nothing that leaves a trace.
    await waitUntil('two probes', () => instance.heard.filter((name) => name === 'surface').length >= 2);
    expect(new Set(instance.heard)).toEqual(new Set(['combo', 'surface']));
    expect(client.counters.requests).toBe(7);
    instance.answering = true;
    // A deadline that no stall of the machine reaches; while the breaker is open there is no wait at all.
    const ask = () => client.request('combo', 'abc', '', { deadlineMs: 10_000 });
    await waitUntil('it is closed', async () => (await ask()) !== undefined);
    expect(client.counters.degraded.deadline).toBe(5);
    const probes = instance.heard.filter((name) => name === 'surface').length;
    for (let i = 0; i < 20; i += 1) expect(await ask()).toEqual([]);
    expect(instance.heard.filter((name) => name === 'surface')).toHaveLength(probes);
  });

  it('is one for each instance: where one hangs, the sessions of the other go on', async () => {
    const client = await openClient('each');
    const [hanging, well] = [await startInstance('[a-m]*', 'each'), await startInstance('[n-z]*', 'each')];
    well.answering = true;
    // Its reply comes over the connection that brought the heartbeats before it.
    expect(await client.request('combo', 'zoe', '', { deadlineMs: 10_000 })).toEqual([]);
    for (let i = 0; i < 8; i += 1) await client.request('combo', 'abc', '');
    expect(client.counters.degraded).toEqual({ deadline: 5, 'breaker-open': 3 });
    for (let i = 0; i < 20; i += 1) {
      expect(await client.request('combo', 'zoe', '', { deadlineMs: 10_000 })).toEqual([]);
      expect(await client.request('combo', 'bob', '')).toBeUndefined();
    }
    expect(client.counters.degraded).toEqual({ deadline: 5, 'breaker-open': 23 });
    expect(hanging.heard.filter((name) => name === 'combo')).toHaveLength(5);
  });

  it('is not opened where nobody listens, nor by error replies', async () => {
    const client = await openClient('none', { deadlineMs: 10_000 });
    for (let i = 0; i < 20; i += 1) await client.request('combo', 'abc', '');
    expect(client.counters.degraded).toEqual({ 'nobody-listens': 20 });
    const instance = await startInstance('?*', 'none');
    instance.answering = true;
    expect(await client.request('combo', 'abc', '')).toEqual([]);
  });

  it('does not open for deadlines between which there were answers', async () => {
    const client = await openClient('mixed');
    const instance = await startInstance('?*', 'mixed');
    await meet(client, instance);
    for (let i = 0; i < 4; i += 1) {
      instance.answering = false;
      for (let misses = 0; misses < 3; misses += 1) expect(await client.request('combo', 'abc', '')).toBeUndefined();
      instance.answering = true;
      expect(await client.request('combo', 'abc', '', { deadlineMs: 10_000 })).toEqual([]);
    }
    expect(client.counters.degraded).toEqual({ deadline: 12 });
  });
});
