import { describe, expect, it, onTestFinished } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import {
  type LoadedSession,
  SessionData,
  type SessionDataOptions,
  StoreUnavailableError,
} from '../../../src/sessions/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

/* What was refused because a frozen Redis did not answer is not done when it wakes, though it lies in its socket. Only a
 * save may be, as its error says; then it is a whole one, and never over what was saved meanwhile. */

const DEADLINE_MS = 300;

const server = useRedis();
const { redis } = server;
let namespaces = 0;

type Operation = (data: SessionData, token: string, loaded: LoadedSession) => Promise<unknown>;

const operations: { name: string; operation: Operation }[] = [
  { name: 'increment', operation: (data, token) => data.increment(token, 'n') },
  { name: 'append', operation: (data, token) => data.append(token, 'list', [1]) },
  { name: 'setIf', operation: (data, token, loaded) => data.setIf(token, data.infoOf(loaded).version, { n: 2 }) },
  { name: 'identify', operation: (data, token, loaded) => data.identify(token, 'ada', {}, loaded) },
  { name: 'end', operation: (data, token) => data.end(token) },
  { name: 'endSession', operation: (data, token) => data.endSession('bob', sessionOf(token)) },
  { name: 'endSessionsOf', operation: (data) => data.endSessionsOf('bob') },
  { name: 'clear', operation: (data) => data.clear() },
];

describe.each([
  { name: 'plain', encryption: undefined },
  { name: 'sealed', encryption: { keys: [Buffer.alloc(32, 5)] } },
])('of $name data', ({ encryption }) => {
  async function stage() {
    namespaces += 1;
    const namespace = `refused${namespaces}`;
    const common: SessionDataOptions = {
      redis: server.url,
      namespace,
      sweep: false,
      ...(encryption && { encryption }),
    };
    const calm = new SessionData({ ...common, deadlineMs: 20_000 });
    const data = new SessionData({ ...common, deadlineMs: DEADLINE_MS });
    onTestFinished(async () => {
      await calm.close();
      await data.close();
    });
    const token = createToken();
    await calm.save(token, { n: 1, list: [] });
    await calm.identify(token, 'bob');
    const loaded = (await calm.load(token))!;
    await waitUntil('it is up', () => data.isUp);
    // Until it knows Redis's clock, it cannot say when is too late.
    await data.load(token).catch(() => undefined);
    const record = async (): Promise<string> =>
      (await redis.commandForBuffers<Buffer>('GET', new Keys(namespace).record(sessionOf(token)))).toString('hex');
    return { calm, data, token, loaded, record };
  }

  /** Asks three times while Redis is frozen, until all are refused, and waits for what comes of it afterwards. */
  async function refuse(data: SessionData, token: string, operation: () => Promise<unknown>): Promise<void> {
    server.kill('SIGSTOP');
    const asked = Array.from({ length: 3 }, () => operation().catch((error: unknown) => error));
    for (const error of await Promise.all(asked)) expect(error).toBeInstanceOf(StoreUnavailableError);
    // The two clocks are read a little apart.
    const later = performance.now() + 100;
    await waitUntil('it is too late', () => performance.now() > later);
    server.kill('SIGCONT');
    const answers = (): Promise<boolean> =>
      data.load(token).then(
        () => true,
        () => false,
      );
    // What has several steps, or waits for its turn, needs more than one.
    for (let i = 0; i < 10; i += 1) await waitUntil('it answers', answers);
  }

  it.each(operations)('a refused $name stays undone', async ({ operation }) => {
    const { calm, data, token, loaded, record } = await stage();
    const before = await record();
    await refuse(data, token, () => operation(data, token, loaded));
    expect(await record()).toBe(before);
    expect((await calm.sessionsOf('bob')).map(({ session }) => session)).toEqual([sessionOf(token)]);
    expect(await calm.sessionsOf('ada')).toEqual([]);
  });

  it('a refused save is a whole one or none, and takes nothing back', async () => {
    const { calm, data, token, loaded } = await stage();
    await calm.increment(token, 'others');
    await refuse(data, token, () => data.save(token, { n: 2, list: [2] }, loaded));
    const values = calm.valuesOf((await calm.load(token))!);
    expect(values.others).toBe(1);
    expect([
      { n: 1, list: [] },
      { n: 2, list: [2] },
    ]).toContainEqual({ n: values.n, list: values.list });
    expect(await calm.increment(token, 'n')).toBe((values.n as number) + 1);
  });
});
