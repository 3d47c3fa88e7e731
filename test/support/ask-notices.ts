import { expect } from 'vitest';
import type { SessionClient } from '../../src/index.ts';

/** Asks each command about notices once, as a site and as a visitor, and checks what is answered. */
export async function askNotices(client: SessionClient, session: string): Promise<void> {
  const { notices } = client;
  const page = () => client.session(session, { deadlineMs: 20_000 }).notices;
  const [group, id, own] = [`group-of-${session}`, `notice-of-${session}`, `own-of-${session}`];
  const groups = [group];
  await notices.setGroup(group, { join: 'all' });
  expect(await notices.publish({ to: { group }, id, text: 'T' })).toEqual({ isNew: true, at: expect.any(Number) });
  expect(await notices.publish({ to: { group }, id, text: 'T' })).toMatchObject({ isNew: false });
  expect(await notices.publish({ to: { session }, id: own, text: 'For you' })).toMatchObject({ isNew: true });
  expect(await notices.edit(id, { text: 'U', title: 'Title' })).toBe(1);
  expect(await notices.list({ group })).toMatchObject([{ id, text: 'U', title: 'Title', group }]);
  expect(await notices.list({ session })).toMatchObject([{ id: own, text: 'For you' }]);
  expect(await page().list({ groups })).toMatchObject({
    notices: expect.toSatisfy((all: unknown[]) => all.length === 2),
    before: null,
    muted: [],
    unseen: 2,
    unread: 2,
  });
  expect(await page().markSeen([id])).toBe(1);
  expect(await page().counts({ groups })).toEqual({ unseen: 1, unread: 2, changesAt: null });
  expect(await page().markAllRead({ groups })).toBe(2);
  expect(await page().unread({ groups })).toBe(0);
  expect(await page().markUnread([id])).toBe(1);
  expect(await notices.stats([id, own, 'nobody'])).toEqual([
    { id, seen: 1, read: 1 },
    { id: own, seen: 1, read: 1 },
    { id: 'nobody', seen: 0, read: 0 },
  ]);
  const live = (await client.request('live', session, { groups }, { deadlineMs: 20_000 }))!;
  expect(live).toEqual({
    topic: expect.any(String),
    lists: [{ topic: expect.any(String), group: groups[0] }],
    unseen: 0,
    unread: 1,
    changesAt: null,
  });
  expect(await page().mute(groups)).toBe(true);
  expect(await page().list({ groups })).toMatchObject({ notices: [{ id: own, read: true }], muted: groups, unread: 0 });
  expect(await page().unmute(groups)).toBe(true);
  expect(await page().dismiss([own])).toBe(1);
  expect(await page().list({ groups })).toMatchObject({ notices: [{ id, text: 'U', seen: true, read: false }] });
  expect(await notices.withdraw(id)).toBe(1);
  expect(await notices.withdraw(own, { to: { session } })).toBe(1);
  expect(await page().list({ groups })).toMatchObject({ notices: [], unread: 0 });
}
