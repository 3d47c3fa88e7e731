import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startTestSentinel, type TestSentinel } from '../support/test-sentinel.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startedAt } from './servers-under-test.ts';
import { TransportStage } from './transport-stage.ts';
import { openRedisTransport } from './transports-under-test.ts';

/* What holds on every server is in the suite; here the master that Sentinels watch dies. */

let sentinel: TestSentinel;
const stage = new TransportStage(['channels', 'streams']);
beforeAll(async () => {
  sentinel = await startTestSentinel();
  await stage.start(startedAt(sentinel.url));
});
afterAll(async () => {
  await stage.stop();
  await sentinel?.stop();
});

it('requests on every way are answered again after another server has become master', async () => {
  const transports = [
    openRedisTransport(sentinel.url),
    openRedisTransport(sentinel.url, { replies: 'list' }),
    openRedisTransport(sentinel.url, { routeOf: () => 'streams' }),
  ].map(({ requester }) => requester);
  onTestFinished(async () => {
    for (const transport of transports) await transport.close();
  });
  for (const transport of transports) expect(await transport.ready(10_000)).toBe(true);
  const askAll = async (): Promise<boolean> => {
    const outcomes = await Promise.all(
      transports.flatMap((transport) =>
        ['a', 'b', 'c'].map((session) => transport.request('pageview', session, '/a', 1_000)),
      ),
    );
    return outcomes.every(({ answered }) => answered);
  };
  await waitUntil('all are answered', askAll);
  const killed = await sentinel.killMaster();
  // Whoever asks meanwhile is told within the deadline.
  const before = performance.now();
  expect(await askAll()).toBe(false);
  expect(performance.now() - before).toBeLessThan(3_000);
  await waitUntil('all are answered again', askAll, 20_000);
  expect((await sentinel.master()).port).not.toBe(killed.port);
  for (const transport of transports) expect(transport.pending).toBe(0);
});
