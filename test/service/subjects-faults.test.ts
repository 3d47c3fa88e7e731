import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createToken, SessionData, sessionOf } from '../../src/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { exportSubject, forgetSubject, type Namespace, openNamespace } from '../../src/service/index.ts';
import { runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';
import { TEST_SECRET } from '../support/use-test-data.ts';
import { waitUntil } from '../support/wait-until.ts';

const keys = new Keys('sw');
const server = useRedis();
const { redis } = server;

describe('an erasure or an export that fails half-way', () => {
  let namespace: Namespace;

  beforeEach(async () => {
    namespace = await openNamespace({ redis: server.url, secret: TEST_SECRET });
    return () => namespace.redis.destroy();
  });

  async function signedIn(user: string, count: number): Promise<string[]> {
    const store = new SessionData({ redis: server.url, sweep: false, deadlineMs: 20_000 });
    onTestFinished(() => store.close());
    const tokens = Array.from({ length: count }, createToken);
    for (const token of tokens) {
      await store.save(token, { a: 1 });
      await store.identify(token, user);
    }
    return tokens.map(sessionOf);
  }

  it('is no reason to export nothing: what cannot be read is named, and all else is told', async () => {
    const [record, knowledge, whole] = (await signedIn('eve', 3)) as [string, string, string];
    await redis.command('SETRANGE', keys.record(record), '0', 'not a header of ours');
    await redis.command('SET', keys.subject(knowledge), 'not a record of ours');
    const { knowledge: reading } = namespace;
    await reading.recordView(whole, reading.items.of('page', '/a'));
    const exported = await exportSubject(namespace, { user: 'eve' });
    expect(exported.sessions.map(({ session }) => session).sort()).toEqual([knowledge, whole].sort());
    expect(exported.knowledge).toMatchObject([{ of: whole, views: 1 }]);
    expect(exported.unreadable.map(({ of }) => of)).toEqual([record, knowledge]);
    const env = { SESSIONWISE_SECRET: TEST_SECRET };
    const printed = await runCli(['export', '--user', 'eve', '--redis', server.url], { env });
    expect(JSON.parse(printed.stdout)).toMatchObject({ unreadable: exported.unreadable });
    expect(printed.code).toBe(1);
  });

  it('ends with an error where Redis stands still, and goes on when it is done again', async () => {
    const sessions = await signedIn('ada', 3);
    server.kill('SIGSTOP');
    await expect(forgetSubject(namespace, { user: 'ada' })).rejects.toMatchObject({
      code: expect.stringMatching(/^(SUBJECT_TIMEOUT|REDIS_NOT_READY)$/),
    });
    server.kill('SIGCONT');
    await waitUntil('Redis answers again', () => redis.isReady);
    const again = await openNamespace({ redis: server.url, secret: TEST_SECRET });
    onTestFinished(() => again.redis.close());
    expect(await forgetSubject(again, { user: 'ada' })).toMatchObject({ sessions: 3, lifecycleEvents: 9 });
    for (const session of sessions) expect(await redis.command('GETRANGE', keys.record(session), '70', '-1')).toBe('');
    expect(await redis.command('XLEN', keys.lifecycle())).toBe(0);
  });

  it('goes on after each step at which its connection was cut, and loses nothing of others', {
    timeout: 90_000,
  }, async () => {
    const others = await signedIn('bob', 2);
    /** Erases, with a connection that is cut before its command number `cut`. Returns how many it got to. */
    const eraseUntil = async (cut: number): Promise<number> => {
      const { redis: connection, ...rest } = await openNamespace({ redis: server.url, secret: TEST_SECRET });
      let steps = 0;
      const command = connection.command.bind(connection);
      connection.command = ((...args: string[]) => {
        steps += 1;
        if (steps === cut) connection.destroy();
        return command(...args);
      }) as typeof connection.command;
      await forgetSubject({ redis: connection, ...rest }, { user: 'ada' }).catch(() => undefined);
      connection.destroy();
      return steps;
    };
    await signedIn('ada', 3);
    const all = await eraseUntil(Number.POSITIVE_INFINITY);
    // All commands look for sessions that wait for the archive until the first record is erased.
    const cuts = Array.from({ length: all }, (_, i) => i + 1).filter((i) => (i > 120 && i < 160) || i % 20 === 0);
    for (const cut of cuts) {
      const sessions = await signedIn('ada', 3);
      await eraseUntil(cut);
      await forgetSubject(namespace, { user: 'ada' });
      for (const session of sessions) {
        expect(await redis.command('GETRANGE', keys.record(session), '70', '-1'), `cut at ${cut}`).toBe('');
      }
      const events = await redis.command<[string, string[]][]>('XRANGE', keys.lifecycle(), '-', '+');
      expect(new Set(events.map(([, fields]) => fields[3]))).toEqual(new Set(others));
    }
  });
});
