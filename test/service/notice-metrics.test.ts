import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { personOf, SessionClient } from '../../src/index.ts';
import { Keys } from '../../src/redis/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { metricOf } from '../support/metric-of.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const SECRET = 'a secret of the tests, long enough';
const MOST_NOTICES = 20;
const server = useRedis();
let service: Service;
let client: SessionClient;

beforeEach(async () => {
  service = await startService({ redis: server.url, secret: SECRET, http: { host: '127.0.0.1', port: 0 } });
  client = new SessionClient({ redis: server.url, deadlineMs: 5_000 });
  await client.ready();
});
afterEach(async () => {
  await client.close();
  await service.stop(100);
});

/** The reach as it is collected: notice and what was done -> how many. */
async function reach(): Promise<Record<string, number>> {
  const values = await service.metrics.noticeReach.samples();
  return Object.fromEntries(values.map(({ labels, value }) => [`${labels.notice} ${labels.did}`, value]));
}

describe('the metrics of notices', () => {
  it('count events and marks by kind, and events that were lost', async () => {
    const { metrics } = service;
    const to = { group: 'news' };
    for (const id of ['n1', 'n2']) await client.notices.publish({ to, id, text: 'T' });
    await client.notices.publish({ to, id: 'n2', text: 'T' });
    await client.notices.edit('n1', { text: 'U' });
    const page = client.session('v', { deadlineMs: 20_000 });
    await page.notices.markAllSeen({ groups: ['news'] });
    await page.notices.markRead(['n1']);
    await page.notices.dismiss(['n2']);
    await client.notices.withdraw('n2');
    const events = (event: string) => metricOf(metrics.noticeEvents, { event });
    const counts = await Promise.all(['published', 'edited', 'withdrawn', 'marked'].map(events));
    expect(counts).toEqual([2, 1, 1, 3]);
    const marks = (as: string) => metricOf(metrics.noticeMarks, { as });
    expect(await Promise.all(['seen', 'read', 'dismissed', 'unread'].map(marks))).toEqual([2, 1, 1, 0]);
    expect(await metricOf(metrics.noticeEventsLost)).toBe(0);
    const live = new Keys('sw').live();
    await server.redis.command('DEL', live);
    await server.redis.command('SET', live, 'another type');
    await page.notices.markRead(['n1']);
    await page.notices.markUnread(['n1']);
    expect(await metricOf(metrics.noticeEventsLost)).toBe(2);
  });

  it('name the reach of the newest notices of lists, and none of a single visitor or person', async () => {
    const count = MOST_NOTICES + 5;
    for (let i = 0; i < count; i += 1) {
      await client.notices.publish({ to: { group: `g${i % 2}` }, id: `n${i}`, text: 'T' });
    }
    await client.notices.publish({ to: { person: 'ada' }, id: 'of-ada', text: 'T' });
    await client.notices.publish({ to: { group: 'g0' }, id: 'to-come', text: 'T', publishAt: Date.now() + 3_600_000 });
    expect(await reach()).toEqual({});
    const groups = ['g0', 'g1'];
    for (const subject of ['v', 'w', personOf('ada')]) {
      const page = client.session(subject, { deadlineMs: 20_000 });
      await page.notices.list({ groups, limit: 100 });
      await page.notices.markSeen([`n${count - 1}`]);
    }
    await client.session('v', { deadlineMs: 20_000 }).notices.markRead([`n${count - 1}`, 'n0', 'of-ada']);
    const told = await reach();
    const newest = Array.from({ length: MOST_NOTICES }, (_, i) => `n${count - 1 - i}`);
    expect(Object.keys(told).sort()).toEqual(newest.flatMap((id) => [`${id} read`, `${id} seen`]).sort());
    expect([told[`n${count - 1} seen`], told[`n${count - 1} read`], told[`n${count - 2} seen`]]).toEqual([3, 1, 0]);
    // One that is gone leaves the metrics.
    await client.notices.withdraw(`n${count - 1}`);
    await client.session('v', { deadlineMs: 20_000 }).notices.list({ groups });
    expect(await reach()).not.toHaveProperty([`n${count - 1} seen`]);
  });

  it('are answered without the reach while Redis is away', async () => {
    await client.notices.publish({ to: { group: 'g' }, id: 'n1', text: 'T' });
    await client.session('v', { deadlineMs: 20_000 }).notices.list({ groups: ['g'] });
    const metrics = async () => (await fetch(`http://127.0.0.1:${service.http!.port}/metrics`)).text();
    expect(await metrics()).toContain('sessionwise_notice_reach{notice="n1",did="seen"} 0');
    server.kill('SIGSTOP');
    expect(await metrics()).toMatch(/sessionwise_notice_events_total\{event="published"\} 1(?![\s\S]*reach\{)/);
    server.kill('SIGCONT');
    await waitUntil('the reach is back', async () => (await metrics()).includes('reach{notice="n1"'), 20_000);
  }, 40_000);
});
