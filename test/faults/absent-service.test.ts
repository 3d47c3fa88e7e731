import { describe, expect, it, onTestFinished } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What a critical page costs while nobody serves it: its deadline once, then nothing. Asserted by counts of waits that
 * reached their deadline, which no load of the machine can change. */

const SECRET = 'a secret of the tests, long enough';
const DEADLINE_MS = 60;
/** Where no wait may reach its deadline, not even on a machine that stands still for a while. */
const LONG_MS = 5_000;

const server = useRedis();

async function openClient(namespace: string, replies: 'inbox' | 'list', deadlineMs: number): Promise<SessionClient> {
  const client = new SessionClient({ redis: server.url, namespace, deadlineMs, replies });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  return client;
}

async function startProcess(namespace: string): Promise<ServiceProcess> {
  const service = await startServiceProcess(server.url, SECRET, '--namespace', namespace);
  onTestFinished(async () => {
    await service.stop();
  });
  return service;
}

/** A page that asks three things, one after the other, and what of it came. */
async function loadPage(client: SessionClient): Promise<number> {
  const page = client.session('abc');
  const answers = [await page.request('pageview', '/a'), await page.unseen(['/b']), await page.suggestions()];
  return answers.filter((answer) => answer !== undefined).length;
}

describe.each(['inbox', 'list'] as const)('for requests with %s replies, a service', (replies) => {
  it('that never was costs no wait at all', async () => {
    const client = await openClient(`never-${replies}`, replies, LONG_MS);
    for (let i = 0; i < 100; i += 1) expect(await loadPage(client)).toBe(0);
    expect(client.counters.degraded).toEqual({ 'nobody-listens': 300 });
  });

  it('that was killed costs no wait at all, and one that came back is found at once', async () => {
    const namespace = `killed-${replies}`;
    const client = await openClient(namespace, replies, LONG_MS);
    const service = await startProcess(namespace);
    await waitUntil('a page is live', async () => (await loadPage(client)) === 3);
    await service.kill('SIGKILL');
    await waitUntil('Redis has seen it go', async () => !(await client.publish('combo', 'abc', '')));
    const before = client.counters.degraded['nobody-listens'] ?? 0;
    for (let i = 0; i < 100; i += 1) expect(await loadPage(client)).toBe(0);
    expect(client.counters.degraded).toEqual({ 'nobody-listens': before + 300 });
    await startProcess(namespace);
    await waitUntil('a page is live', async () => (await loadPage(client)) === 3);
  });

  it('that hangs costs a page its deadline once, five pages at most, and then nothing', async () => {
    const namespace = `hangs-${replies}`;
    const client = await openClient(namespace, replies, DEADLINE_MS);
    const service = await startProcess(namespace);
    await waitUntil('a page is live', async () => (await loadPage(client)) === 3);
    await service.kill('SIGSTOP');
    const costs: number[] = [];
    while (countOpen(client) === 0) {
      const page = client.session('abc');
      const started = performance.now();
      expect(await page.unseen(['/b'])).toBeUndefined();
      // The first request took all of the page's time; a timer may be a millisecond early.
      if (countOpen(client) === 0) expect(page.leftMs).toBeLessThan(2);
      expect([await page.suggestions(), await page.notices.annotate(['n'])]).toEqual([undefined, undefined]);
      costs.push(performance.now() - started);
    }
    expect(costs.length).toBeGreaterThan(1);
    expect(costs.length).toBeLessThanOrEqual(6);
    // Three requests and one deadline, not three.
    expect(Math.min(...costs.slice(0, -1))).toBeLessThan(2 * DEADLINE_MS);

    const waited = client.counters.degraded.deadline;
    for (let i = 0; i < 100; i += 1) expect(await loadPage(client)).toBe(0);
    expect(client.counters.degraded.deadline).toBe(waited);
    expect(countOpen(client)).toBeGreaterThan(300);

    await service.kill('SIGCONT');
    await waitUntil('a page is live', async () => (await loadPage(client)) === 3);
  });
});

function countOpen(client: SessionClient): number {
  return client.counters.degraded['breaker-open'] ?? 0;
}
