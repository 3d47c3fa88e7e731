import { afterEach, describe, expect, it } from 'vitest';
import { DeadLetters } from '../../src/transport/streams/dead-letters.ts';
import { PayloadSeal } from '../../src/transport/streams/payload-seal.ts';
import { streamOf } from '../../src/transport/streams/stream-of.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { endChildren } from './child.ts';
import { keys, readLog, SECRET, soakSeconds, startLogger, untilWorkedOff } from './streams-stage.ts';

/* Entries that are committed together, one of which does harm: those beside it are done once, and at once. */

/** As many as an owner may have in hand. */
const BATCH = 128;
const ROUNDS = soakSeconds(0) > 0 ? 20 : 3;

const server = useRedis();
const { redis } = server;

afterEach(endChildren);

/** Sessions of one stream. */
function sessionsOf(count: number, round: number): string[] {
  const stream = streamOf('neighbours', redis);
  const sessions: string[] = [];
  for (let i = 0; sessions.length < count; i += 1) {
    if (streamOf(`r${round}-${i}`, redis) === stream) sessions.push(`r${round}-${i}`);
  }
  return sessions;
}

/** Adds a request of each session in one step of Redis, so that they are read together; the one in the middle is bad. */
async function addAround(bad: string, round: number): Promise<string[]> {
  const sessions = sessionsOf(BATCH, round);
  const stream = keys.requests(streamOf('neighbours', redis));
  await redis.transaction(
    sessions.map((session, i) => [
      ...['XADD', stream, '*', 'c', 'log', 's', session, 'r', `_${i}`],
      ...['p', i === BATCH / 2 ? bad : '1 0'],
    ]),
  );
  return sessions;
}

const letters = (): Promise<{ session: string; payload: string | undefined; reason: string }[]> =>
  new DeadLetters(redis, keys, new PayloadSeal(SECRET, 'sw')).list(1_000);

describe('a batch of commits', { timeout: 300_000 }, () => {
  it.each([
    ['throws', 'throw', 'This request', 0],
    ['breaks half-way', 'break', 'WRONGTYPE', 1],
    ['ends its process', 'abort', '3 tries ended with the service', 0],
  ])('with one that %s does all others once', async (_, bad, reason, written) => {
    let isRunning = true;
    // An instance that takes the bad request over may end before it says that it is ready: the next one starts all the same.
    const start = async (): Promise<void> => {
      const instance = await startLogger(server.url).catch(() => undefined);
      void (instance?.exited ?? Promise.resolve()).then(() => (isRunning ? start() : undefined));
    };
    await Promise.all([start(), start()]);
    await waitUntil('the stream has an owner', async () => {
      return (await redis.command('GET', keys.owner(streamOf('neighbours', redis)))) !== null;
    });
    for (let round = 1; round <= ROUNDS; round += 1) {
      const sessions = await addAround(bad, round);
      await waitUntil('it is a dead letter', async () => (await letters()).length === round, 60_000);
      await untilWorkedOff(redis);
      const done = await Promise.all(sessions.map(async (session) => (await readLog(redis, session)).length));
      expect(done).toEqual(sessions.map((__, i) => (i === BATCH / 2 ? written : 1)));
      expect((await letters()).map(({ session }) => session)).toContain(sessions[BATCH / 2]);
      expect(await redis.command('HLEN', keys.tries(streamOf('neighbours', redis)))).toBe(0);
    }
    isRunning = false;
    for (const letter of await letters()) {
      expect(letter).toMatchObject({ payload: bad, reason: expect.stringContaining(reason) });
    }
  });

  it('takes a few steps for a stream full of requests that were read together', async () => {
    await startLogger(server.url);
    await waitUntil('the stream has an owner', async () => {
      return (await redis.command('GET', keys.owner(streamOf('neighbours', redis)))) !== null;
    });
    await redis.command('CONFIG', 'RESETSTAT');
    const sessions = await addAround('1 0', 1);
    await untilWorkedOff(redis);
    const info = await redis.command<string>('INFO', 'commandstats');
    const calls = (name: string): number => Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(info)?.[1]);
    // Each commit begins with one HDEL. The first entries are read by XREAD, the others by the script; a turn of the event
    // loop that is over ends a batch too.
    expect(calls('xdel')).toBe(sessions.length);
    expect(calls('hdel')).toBeLessThanOrEqual(BATCH / 4);
  });
});
