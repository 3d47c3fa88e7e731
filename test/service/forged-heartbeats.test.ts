import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { type Overlap, SessionClient } from '../../src/index.ts';
import { encodeHeartbeat, type Heartbeat, parseSessionGlob } from '../../src/protocol/index.ts';
import { createConnection, PARTITIONS, type RedisConnection } from '../../src/redis/index.ts';
import { type Service, type ServiceOptions, startService } from '../../src/service/index.ts';
import { InstanceBeat } from '../../src/service/instance-beat.ts';
import { metricOf } from '../support/metric-of.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Anybody may publish heartbeats: whatever they say, pages are answered, nobody's memory or log grows, and partitions
 * stay with those who work them off. */

const FORGING_MS = 4_000;

const server = useRedis();
const { redis: forger } = server;
let log: RecordingLog;
beforeEach(async () => {
  log = new RecordingLog();
});

async function serve(options: Partial<ServiceOptions> = {}): Promise<Service> {
  const secret = 'a secret of the tests, long enough';
  const service = await startService({ redis: server.url, secret, transport: 'streams', log, ...options });
  onTestFinished(() => service.stop());
  return service;
}

async function open(transport: 'channels' | 'streams' = 'streams'): Promise<SessionClient> {
  const client = new SessionClient({ redis: server.url, transport, deadlineMs: 10_000 });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  return client;
}

const forge = (heartbeat: Partial<Heartbeat>): Promise<number> =>
  forger.command(
    'PUBLISH',
    'async:_instances',
    encodeHeartbeat({ instance: 'forged', glob: '?*', commands: ['pageview'], leaving: false, ...heartbeat }),
  );

const owned = (service: Service): Promise<number> => metricOf(service.metrics.ownedPartitions);

/** Asks on and on while somebody forges, and gives how many questions were answered. */
async function askWhile(client: SessionClient, forgeSome: (round: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + FORGING_MS;
  let answered = 0;
  for (let round = 0; performance.now() < end; round += 1) {
    await forgeSome(round);
    const session = `session-${round}`;
    expect(await client.request('surface', session, ['/a']), JSON.stringify(client.counters)).toEqual(['/a']);
    answered += 1;
  }
  return answered;
}

it('forged heartbeats: forged good-byes take no answer away, and a real one is followed at once', async () => {
  const [one, two] = [await serve(), await serve()];
  const client = await open();
  await waitUntil('both have their share', async () => (await owned(one)) > 0 && (await owned(two)) > 0);
  await waitUntil('all are owned', async () => (await owned(one)) + (await owned(two)) === PARTITIONS);
  const answered = await askWhile(client, () =>
    Promise.all([one, two].map(({ instance }) => forge({ instance, leaving: true, streams: true }))),
  );
  expect(answered).toBeGreaterThan(20);
  expect(client.counters.degraded).toEqual({});
  await one.stop();
  await waitUntil('the other has all', async () => (await owned(two)) === PARTITIONS, 5_000);
  expect(await client.request('surface', 'abc', ['/a'])).toEqual(['/a']);
}, 30_000);

it('forged heartbeats: instances that somebody invents are given no partition, and take no answer away', async () => {
  const service = await serve();
  const client = await open();
  await waitUntil('all are owned', async () => (await owned(service)) === PARTITIONS);
  let fewest = PARTITIONS;
  await askWhile(client, async (round) => {
    for (let i = 0; i < 20; i += 1) await forge({ instance: `invented-${i}`, streams: true });
    for (let i = 0; i < 100; i += 1) await forge({ instance: `passing-${round}-${i}`, streams: i % 2 === 0 });
    fewest = Math.min(fewest, await owned(service));
  });
  expect(fewest).toBe(PARTITIONS);
  expect(client.counters.degraded).toEqual({});
}, 30_000);

it('forged heartbeats: overlap is told once a second at most, in the log and by the client', async () => {
  await serve({ transport: 'both' });
  const client = await open('channels');
  const told: Overlap[] = [];
  client.on('overlap', (overlap) => told.push(overlap));
  const began = performance.now();
  await askWhile(client, async (round) => {
    for (let i = 0; i < 20; i += 1) {
      const instance = `invented-${(round * 20 + i) % 300}`;
      await forge({ instance });
      await forge({ instance, leaving: true });
    }
  });
  const seconds = Math.ceil((performance.now() - began) / 1_000);
  const warned = log.with('serves some of the same sessions').length;
  for (const count of [warned, told.length]) {
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(seconds + 1);
  }
  expect(client.counters.degraded).toEqual({});
}, 30_000);

it('forged heartbeats: an instance that has said good-bye does not take it back when another comes', async () => {
  const connect = async (): Promise<RedisConnection> => {
    const connection = await createConnection(server.url).connect();
    onTestFinished(() => connection.close());
    return connection;
  };
  const [redis, subscriber, ear] = [await connect(), await connect(), await connect()];
  const glob = parseSessionGlob('?*');
  const self = { id: 'leaving', glob, commands: ['pageview'], streams: false, channels: true };
  const beat = new InstanceBeat(redis, 'sw', self, () => {});
  const heard: string[] = [];
  await ear.subscribe('async:_instances', (message) => heard.push(message));
  await beat.start(subscriber);
  await beat.stop();
  for (let i = 0; i < 3; i += 1) await forge({ instance: `newcomer-${i}` });
  await waitUntil('it has heard them', () => beat.presence.present().length >= 3);
  // What it would have published stands before this on its connection.
  await redis.command('PUBLISH', 'async:_instances', 'the end');
  await waitUntil('all is heard', () => heard.includes('the end'));
  const own = heard.filter((message) => message.includes('"leaving"') && message.includes('"instance":"leaving"'));
  expect(own.at(-1)).toContain('"leaving":true');
});
