import { describe, expect, it } from 'vitest';
import { InstanceWatch } from '../../src/dashboard/health/instance-watch.ts';
import { PartitionWatch } from '../../src/dashboard/health/partition-watch.ts';
import { quantile, trafficOf } from '../../src/dashboard/health/traffic.ts';
import { encodeHeartbeat } from '../../src/protocol/index.ts';
import {
  decodeFigures,
  encodeFigures,
  type InstanceFigures,
  LATENCY_BOUNDS_S,
} from '../../src/protocol/internal/index.ts';
import { Keys, PARTITIONS, type RedisConnection } from '../../src/redis/index.ts';

const NONE = [...LATENCY_BOUNDS_S, 0].map(() => 0);

function figures(more: Partial<InstanceFigures> = {}): InstanceFigures {
  const counts = { requests: 0, failed: 0, late: 0, refused: 0, inFlight: 0, backlog: 0, partitions: 0, overlap: 0 };
  return { instance: 'a', version: '1.0.0', transport: 'streams', uptimeS: 1, ...counts, latency: NONE, ...more };
}

function latency(counts: Readonly<Record<number, number>>): number[] {
  return NONE.map((_, i) => counts[i] ?? 0);
}

describe('quantile', () => {
  it('is about the time within which a share was answered', () => {
    expect(quantile(NONE, 0.5)).toBeNull();
    // 100 between 1 and 2.5 ms.
    expect(quantile(latency({ 4: 100 }), 0.5)).toBeCloseTo(1.75);
    expect(quantile(latency({ 0: 99, 9: 1 }), 0.5)).toBeCloseTo(0.0505, 3);
    expect(quantile(latency({ 0: 90, 9: 10 }), 0.99)).toBeCloseTo(95);
    // What took longer than all bounds is said to have taken as long as the last.
    expect(quantile(latency({ 11: 1 }), 0.5)).toBe(500);
  });
});

describe('traffic', () => {
  it('is what instances did within a while, and not before', () => {
    let now = 0;
    const watch = new InstanceWatch(() => now);
    const tell = (at: number, requests: number, more: Partial<InstanceFigures> = {}) => {
      now = at;
      watch.takeFigures(encodeFigures(figures({ requests, ...more })));
    };
    tell(0, 1_000, { latency: latency({ 11: 1_000 }), failed: 900 });
    tell(10_000, 1_100, { latency: latency({ 11: 1_000, 0: 100 }), failed: 900 });
    tell(20_000, 1_300, { latency: latency({ 11: 1_010, 0: 290 }), failed: 905, late: 5, refused: 3 });
    const { perSecond, degraded, refusedPerMinute, p50Ms } = trafficOf(watch.all(), 10_000, now);
    expect([perSecond, refusedPerMinute]).toEqual([20, 18]);
    // 5 failed, 5 were late and 10 took longer than a page waits, of 200.
    expect(degraded).toBeCloseTo(0.1);
    expect(p50Ms).toBeLessThan(0.1);
    expect(trafficOf([], 10_000, now)).toMatchObject({ perSecond: 0, degraded: null, p99Ms: null });
  });
});

describe('figures', () => {
  it('come back as they were sent, and nothing else is taken for some', () => {
    expect(decodeFigures(encodeFigures(figures()))).toEqual(figures());
    const refused = [
      '',
      'null',
      '7',
      '{}',
      encodeFigures(figures({ latency: [1] })),
      encodeFigures(figures({ requests: -1 })),
    ];
    const long = [
      encodeFigures(figures({ version: 'x'.repeat(65) })),
      `${encodeFigures(figures())}${' '.repeat(5_000)}`,
    ];
    for (const message of [...refused, ...long, encodeFigures(figures({ instance: 7 as never }))]) {
      expect(decodeFigures(message), message.slice(0, 80)).toBeUndefined();
    }
  });
});

describe('instances', () => {
  it('are remembered for ten minutes, whether they left or fell silent', () => {
    let now = 0;
    const watch = new InstanceWatch(() => now);
    const beat = (instance: string, leaving = false) =>
      watch.takeHeartbeat(
        encodeHeartbeat({ instance, glob: '?*', commands: [], leaving, streams: true, channels: false }),
      );
    beat('a');
    beat('b');
    now = 500;
    beat('b', true);
    expect(watch.all().map(({ id, transport, saidGoodBye }) => [id, transport, saidGoodBye])).toEqual([
      ['a', 'streams', false],
      ['b', 'streams', true],
    ]);
    now = 10 * 60_000 + 1;
    expect(watch.all()).toEqual([]);
  });

  it('that forged messages name are held up to a number, and not with long ids', () => {
    const watch = new InstanceWatch();
    watch.takeHeartbeat('no heartbeat');
    for (let i = 0; i < 500; i += 1) watch.takeFigures(encodeFigures(figures({ instance: `forged${i}` })));
    expect(watch.all()).toHaveLength(200);
    for (let i = 0; i < 500; i += 1) watch.takeFigures(encodeFigures(figures({ instance: 'forged0' })));
    expect(watch.all()[0]).toMatchObject({ id: 'forged0', figures: { length: 124 } });
  });
});

describe('who took over', () => {
  const none = null as unknown as RedisConnection;
  const all = (owner: string | null): (string | null)[] => Array.from({ length: PARTITIONS }, () => owner);

  it('is noted once an owner follows another, also where nobody was between them', () => {
    let now = 1_000;
    const watch = new PartitionWatch(none, new Keys('sw'), () => now);
    expect(watch.note(all('a')).takeovers).toEqual([]);
    expect(watch.note(all(null)).takeovers).toEqual([]);
    now = 2_000;
    watch.note(all('b').fill(null, 2));
    now = 2_500;
    const { takeovers } = watch.note(all('b').fill(null, 4));
    expect(takeovers).toEqual([{ at: 2_000, from: 'a', to: 'b', partitions: [0, 1, 2, 3] }]);
    now = 60_000;
    expect(
      watch.note(all('a')).takeovers.map(({ at, from, to, partitions }) => [at, from, to, partitions.length]),
    ).toEqual([
      [60_000, 'b', 'a', 4],
      [2_000, 'a', 'b', 4],
    ]);
  });
});
