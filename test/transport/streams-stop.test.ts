import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { Keys, makeStep, PARTITION_TAGS, partitionOf, RedisClock, Script } from '../../src/redis/index.ts';
import { Admission } from '../../src/transport/service/admission.ts';
import { PayloadSeal } from '../../src/transport/streams/payload-seal.ts';
import { StreamReceiver } from '../../src/transport/streams/stream-receiver.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const HANDLER_MS = 2_000;
const keys = new Keys('sw');
const count = new Script<unknown>(`return redis.call('INCR', KEYS[1])`);

const { redis } = useRedis();

it('an instance over streams finishes what is in hand when it stops, though that takes longer than a lease', async () => {
  const clock = new RedisClock();
  await clock.measure(redis);
  const subscriber = await redis.duplicate().connect();
  onTestFinished(() => subscriber.close());
  let begun = 0;
  const done: string[] = [];
  const receiver = new StreamReceiver({
    redis,
    subscriber,
    keys,
    instance: 'only',
    others: () => [],
    admission: new Admission(),
    enabled: () => true,
    now: clock.now,
    hasPassed: (atMs) => clock.hasPassed(atMs, redis),
    seal: new PayloadSeal('a secret of the tests, long enough', 'sw'),
    dispatch: async (_command, session, _payload, apply) => {
      begun += 1;
      await sleep(HANDLER_MS);
      const key = `counts:{${PARTITION_TAGS[partitionOf(session)]}}`;
      await apply!(makeStep(count, [key], [], () => undefined));
      done.push(session);
      return { json: 'null' };
    },
    events: {
      committed: () => {},
      repeated: () => {},
      deadLettered: () => {},
      failing: () => {},
      expired: () => {},
      unclaimed: () => {},
      replyFailed: () => {},
    },
  });
  await receiver.start();
  const session = 'abc';
  const partition = partitionOf(session);
  await redis.command('XADD', keys.requests(partition), '*', 'c', 'pageview', 's', session, 'r', '_1', 'p', '/x');
  await waitUntil('it is in hand', () => begun === 1);
  expect(await receiver.stop(5_000)).toBe(true);
  expect(done).toEqual([session]);
  expect(begun).toBe(1);
  expect(await redis.command('XLEN', keys.requests(partition))).toBe(0);
  await waitUntil('the lease was given back', async () => (await redis.command('EXISTS', keys.owner(partition))) === 0);
});
