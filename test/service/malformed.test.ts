import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/client/session-client.ts';
import { COMMAND_NAMES } from '../../src/protocol/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { ForeignClient } from '../support/foreign-client.ts';
import { metricOf } from '../support/metric-of.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Ten thousand malformed messages, the same in each run, from a client that knows the wire. */

const MESSAGES = 10_000;
const ROUNDS = 5;
const MEGABYTE = 1024 * 1024;
const REFUSED = [
  '*',
  ':',
  '\n',
  '\r\n',
  ' ',
  '\u0000',
  '{',
  '}',
  '?',
  '[',
  ']',
  '\\',
  '.',
  'ä',
  '\ufffd',
  '/',
  '"',
  '%',
];
/** What no command takes, but for those that take any text: an item may be called so, and a rule (not "{"). */
const BAD_PAYLOADS = [
  '{',
  '[',
  '["a"',
  '[null]',
  '[[1]]',
  '[{}]',
  '{"path":7}',
  '{"groups":7}',
  '[1.5]',
  '{"a":}',
  '[""]',
];

/** They take texts that begin like JSON. */
const TAKING_TEXTS = ['pageview', 'combo', 'mark-item-seen', 'mark-notification-seen'];

const server = useRedis({ eachTest: 'kept' });
let service: Service;
let foreign: ForeignClient;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: 'a secret of the tests, long enough' });
  foreign = await ForeignClient.connect(server.url);
});
afterAll(async () => {
  await foreign?.close();
  await service?.stop();
});

/** A message that must be counted and never answered. */
function malformedChannel(random: SeededRandom, huge: boolean): Buffer {
  const command = random.pick(COMMAND_NAMES);
  const odd = () => `${'a'.repeat(random.below(3))}${random.pick(REFUSED)}${'b'.repeat(random.below(3))}`;
  if (huge) return Buffer.from(`ss:${command}:${'x'.repeat(MEGABYTE)}:r`);
  switch (random.below(8)) {
    case 0:
      return random.bytes(1 + random.below(64));
    case 1:
      return Buffer.concat([Buffer.from(`ss:${command}:`), random.bytes(1 + random.below(64))]);
    case 2:
      // Bytes above 127 alone are no UTF-8, and no session or request either.
      return Buffer.concat([Buffer.from(`ss:${command}:s`), Buffer.from([128 + random.below(64)]), Buffer.from(':r')]);
    case 3:
      return Buffer.from(`ss:${command}:${odd().replaceAll(':', ' ')}:r`);
    case 4:
      return Buffer.from(`ss:${command}:s:${odd().replaceAll(':', '*')}`);
    case 5:
      return Buffer.from(`ss:${command}::${odd()}:${odd()}`);
    case 6:
      return Buffer.from(`ss:${command}:${'s'.repeat(129)}:r`);
    default:
      return Buffer.from(
        `ss:${command}:s:${random.pick(['r'.repeat(129), 'box.', '.7', 'box.7.7', `box.${'1'.repeat(17)}`])}`,
      );
  }
}

function payloadOf(random: SeededRandom): Buffer {
  return random.below(2) === 0 ? random.bytes(random.below(200)) : Buffer.from(random.pick(BAD_PAYLOADS));
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

describe('ten thousand malformed messages', () => {
  it('leave the service serving, and every caller with an answer', { timeout: 120_000 }, async () => {
    const random = new SeededRandom(20_261_120);
    const client = new SessionClient({ redis: server.url, deadlineMs: 5_000 });
    expect(await client.ready()).toBe(true);
    const refusedBefore = await metricOf(service.metrics.refused);
    const requestsBefore = await metricOf(service.metrics.requests);
    const heaps: number[] = [];
    let receivers = 0;
    let unanswerable = 0;
    let waiting = 0;
    let errorReplies = 0;
    let parts = 0;
    let good = 0;

    for (let round = 0; round < ROUNDS; round += 1) {
      for (let sent = 0; sent < MESSAGES / ROUNDS; ) {
        const batch: Promise<unknown>[] = [];
        // One huge message a batch: more of them at once and Redis would end the subscription for its backlog.
        for (let i = 0; i < 50; i += 1, sent += 1) {
          const huge = i === 0;
          if (random.below(2) === 0) {
            const channel = malformedChannel(random, huge);
            unanswerable += 1;
            batch.push(
              foreign.redis.command<number>('PUBLISH', channel, payloadOf(random)).then((heard) => {
                receivers += heard;
              }),
            );
            continue;
          }
          const command = random.pick(COMMAND_NAMES);
          const payload = huge
            ? Buffer.alloc(MEGABYTE, random.pick(['x', '[', '{"', '/', '"']))
            : Buffer.from(random.pick(BAD_PAYLOADS));
          waiting += 1;
          receivers += 1;
          batch.push(
            foreign.askByInbox(command, `s${random.below(1000)}`, payload, random.below(4) === 0).then((text) => {
              // An item may be called "{", and a rule "[": whoever takes one gives an answer, everybody else an error reply.
              const reply = JSON.parse(text);
              // A list of parts that are none is answered with an error for each of them.
              const isList = command === 'together' && Array.isArray(reply);
              // Each part is served, too.
              if (isList) parts += reply.length;
              const { error } = isList ? reply[0] : reply;
              expect(['bad-payload', 'too-large', undefined]).toContain(error?.code);
              if (error) errorReplies += 1;
              else expect(TAKING_TEXTS).toContain(command);
            }),
          );
        }
        batch.push(
          client.request('pageview', 'good', '/a').then((reply) => {
            good += 1;
            expect(reply?.totalPages).toBe(good);
          }),
        );
        receivers += 1;
        await Promise.all(batch);
      }
      collectGarbage();
      heaps.push(process.memoryUsage().heapUsed);
    }

    expect(unanswerable + waiting).toBe(MESSAGES);
    expect(good).toBe(MESSAGES / 50);
    expect(client.counters).toMatchObject({ replies: good, degraded: {} });
    expect(errorReplies).toBeGreaterThan(0.7 * waiting);
    // Whatever the service heard it either served or counted as refused.
    const refused = (await metricOf(service.metrics.refused)) - refusedBefore;
    const served = (await metricOf(service.metrics.requests)) - requestsBefore;
    expect(refused + served).toBe(receivers + parts);
    expect(served).toBe(waiting + good + parts);
    expect(refused).toBeGreaterThan(0.6 * unanswerable);
    expect(await metricOf(service.metrics.errors, { code: 'internal' })).toBe(0);
    expect(await metricOf(service.metrics.replyFailures)).toBe(0);
    await waitUntil('nothing is in hand', async () => (await metricOf(service.metrics.inFlight)) === 0);
    // Two thousand messages more hold no memory: half a kilobyte each would show.
    expect(heaps.at(-1)! - heaps[1]!, heaps.join(' ')).toBeLessThan(3 * (MESSAGES / ROUNDS) * 512);
    await client.close();
  });

  it('leave no key whose name holds a refused character', async () => {
    const keys = await foreign.keys();
    expect(keys).toContain('sw:meta');
    const odd = keys.filter(
      (key) =>
        !/^sw:\{[0-9a-z]{3}\}:[A-Za-z0-9_-]{1,128}:[a-z]+\d*$/.test(key) &&
        !/^async:[a-z-]+:[A-Za-z0-9_-]{1,128}:[A-Za-z0-9_-]{1,128}$/.test(key) &&
        key !== 'sw:meta',
    );
    expect(odd).toEqual([]);
  });
});

describe('a request that cannot be answered', () => {
  it.each([
    ['malformed-topic', 'ss:pageview:a*:r'],
    ['malformed-topic', 'ss:pageview::::'],
    ['malformed-topic', 'ss:pageview:a b:c:d'],
    ['malformed-topic', `ss:pageview:${'a'.repeat(129)}:r`],
    ['malformed-request', 'ss:pageview:a:r*'],
    ['malformed-request', 'ss:pageview:a::x'],
    ['malformed-request', 'ss:pageview:a:box.x'],
    ['malformed-request', `ss:pageview:a:${'r'.repeat(129)}`],
  ])('is counted as %s: %j', async (reason, channel) => {
    const before = await metricOf(service.metrics.refused, { reason });
    const served = await metricOf(service.metrics.requests);
    const keys = await foreign.keys();
    expect(await foreign.redis.command('PUBLISH', channel, '/a')).toBe(1);
    await waitUntil('it is counted', async () => (await metricOf(service.metrics.refused, { reason })) === before + 1);
    expect(await metricOf(service.metrics.requests)).toBe(served);
    expect(await foreign.keys()).toEqual(keys);
  });
});

describe('malformed heartbeats', () => {
  it('are taken no notice of', async () => {
    const random = new SeededRandom(7);
    for (let i = 0; i < 500; i += 1) {
      const message = random.pick<string | Buffer>([
        random.bytes(random.below(100)),
        '{"instance":"x"}',
        `{"instance":"x${i}","glob":"***","commands":["pageview"]}`,
        `{"instance":"x${i}","glob":"?*","commands":[]}`,
        '[]',
        'x'.repeat(5000),
      ]);
      await foreign.redis.command('PUBLISH', 'async:_instances', message);
    }
    expect(await metricOf(service.metrics.overlap)).toBe(0);
    expect(await foreign.ask('session-analytics', 'good', '')).toMatchObject({ totalPages: MESSAGES / 50 });
  });
});

describe('more requests than the service holds in hand', () => {
  it('are refused at once, by either way', async () => {
    const small = await startService({
      redis: server.url,
      secret: 'a secret of the tests, long enough',
      namespace: 'small',
      maxInFlight: 1,
    });
    const asking = await ForeignClient.connect(server.url, 'small');
    const replies = await Promise.all(Array.from({ length: 50 }, () => asking.ask('pageview', 'a', '/a')));
    const unavailable = replies.filter(
      (reply) => (reply as { error?: { code: string } }).error?.code === 'unavailable',
    );
    expect(unavailable.length).toBeGreaterThan(0);
    expect(await metricOf(small.metrics.refused, { reason: 'overload' })).toBe(unavailable.length);
    expect(await asking.ask('session-analytics', 'a', '')).toMatchObject({ totalPages: 50 - unavailable.length });
    await asking.close();
    await small.stop();
  });
});
