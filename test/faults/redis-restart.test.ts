import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionClient } from '../../src/index.ts';
import { openNamespace, type Service, startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { pace, waitUntil } from '../support/wait-until.ts';

/* Redis is killed with SIGKILL and restarted under load. `appendfsync always`, so that what was acknowledged is exactly
 * what must be there afterwards; `everysec` may lose what was answered while a flush is under way. */

const SECRET = 'a secret of the tests, long enough';
const SESSIONS = 16;
const RESTARTS = 3;

const server = useRedis({ persistence: true, eachTest: 'kept' });
let service: Service;
let client: SessionClient;

beforeAll(async () => {
  service = await startService({ redis: server.url, secret: SECRET });
  client = new SessionClient({ redis: server.url, deadlineMs: 100 });
  expect(await client.ready()).toBe(true);
});
afterAll(async () => {
  await client?.close();
  await service?.stop();
});

describe('Redis restarted under load', () => {
  it('finds client and service back by themselves, and all that was acknowledged', { timeout: 120_000 }, async () => {
    const namespace = await openNamespace({ redis: server.url, secret: SECRET });
    for (let i = 0; i < 300; i += 1)
      await namespace.knowledge.notices.lists.publish(
        { kind: 'group', name: 'all' },
        { id: `kept-${i}`, text: `Notice ${i}` },
      );
    await namespace.redis.close();

    const marked = new Map<string, (string | number)[]>();
    const lastTotals = new Map<string, number>();
    let running = true;
    let acknowledged = 0;
    const load = async (session: string): Promise<void> => {
      marked.set(session, []);
      for (let i = 0; running; i += 1) {
        const page = client.session(session);
        const id = i % 3 === 0 ? i : i % 3 === 1 ? `foreign-${i}` : `kept-${i % 300}`;
        const [view, answer] = await Promise.all([
          page.request('pageview', `/p${i % 30}`),
          page.notices.markRead([id]),
        ]);
        if (view) {
          // Never fewer than before: nothing that was counted is lost, over all restarts.
          expect(view.totalPages).toBeGreaterThan(lastTotals.get(session) ?? 0);
          lastTotals.set(session, view.totalPages);
        }
        if (answer) {
          expect(answer).toBe(1);
          // A session remembers the last 1,024 foreign ids; a test that marks more would have to forget them too.
          if (marked.get(session)!.length < 900) marked.get(session)!.push(id);
          else running = false;
          acknowledged += 1;
        }
        // Without a reply there is nothing to wait for: let others run.
        if (!view && !answer) await pace();
      }
    };
    const loads = Array.from({ length: SESSIONS }, (_, i) => load(`session-${i}`));
    const more = async (count: number): Promise<void> => {
      const then = acknowledged;
      await waitUntil(`${count} more are acknowledged`, () => acknowledged >= then + count || !running, 30_000);
      expect(running, 'the load ended early').toBe(true);
    };

    const backMs: number[] = [];
    await more(200);
    for (let restart = 0; restart < RESTARTS; restart += 1) {
      server.kill('SIGKILL');
      await server.restart();
      const restarted = performance.now();
      await more(1);
      backMs.push(Math.round(performance.now() - restarted));
      await more(200);
    }
    running = false;
    await Promise.all(loads);
    console.log(
      'Redis restarted under load:',
      JSON.stringify({ acknowledged, backMs, degraded: client.counters.degraded }),
    );

    let checked = 0;
    for (const [session, ids] of marked) {
      const asked = [...new Set(ids)];
      expect(asked.length).toBeGreaterThan(0);
      const notices = (await client.session(session, { deadlineMs: 20_000 }).notices.annotate(asked))!;
      expect(notices.filter(({ seen }) => !seen)).toEqual([]);
      checked += notices.length;
      const page = client.session(session, { deadlineMs: 20_000 });
      const { notices: kept, unread } = (await page.notices.list({ groups: ['all'], limit: 1000 }))!;
      expect(kept).toHaveLength(300);
      expect(unread).toBe(kept.filter(({ read }) => !read).length);
      const keptMarked = new Set(asked.filter((id) => String(id).startsWith('kept-')));
      expect(kept.filter(({ id, read }) => keptMarked.has(id) && !read)).toEqual([]);
      const analytics = (await client.session(session, { deadlineMs: 20_000 }).figures())!;
      expect(analytics.totalPages).toBeGreaterThanOrEqual(lastTotals.get(session) ?? 0);
    }
    expect(checked).toBeGreaterThan(SESSIONS);
  });
});
