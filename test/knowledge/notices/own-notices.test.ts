import { describe, expect, it } from 'vitest';
import { OWN_NOTICE_CAP } from '../../../src/knowledge/notices/scripts/subject-scripts.ts';
import { personOf } from '../../../src/protocol/index.ts';
import { exportSubject, forgetSubject, openNamespace } from '../../../src/service/index.ts';
import { placesOf } from '../../support/grep-redis.ts';
import { useNotices } from '../../support/use-notices.ts';
import { TEST_SECRET } from '../../support/use-test-data.ts';
import { waitUntil } from '../../support/wait-until.ts';

/* Notices to one session or person. */

const USER = 'ada.lovelace@example.org';

describe('a notice to one subject', () => {
  const stage = useNotices();
  const { notices, people } = stage.knowledge;
  const nameOf = (person: string): string => stage.knowledge.read(person).subject;
  const publishTo = (subject: string, id: string): Promise<{ isNew: boolean }> =>
    notices.own.publish(nameOf(subject), { id, text: `text of ${id}` });

  it('is shown to it alone, without any group, and once however often it is published', async () => {
    expect(await publishTo('v', 'own')).toMatchObject({ isNew: true });
    expect(await publishTo('v', 'own')).toMatchObject({ isNew: false });
    expect(await stage.shown('v')).toEqual([{ id: 'own', seen: false, read: false }]);
    expect(await stage.shown('other')).toEqual([]);
    await stage.mark('v', 'read', 'own');
    expect(await stage.shown('v')).toEqual([{ id: 'own', seen: true, read: true }]);
    expect(await stage.mark('other', 'seen', 'own')).toBe(0);
  });

  it('changes nothing if it is published again behind its end', async () => {
    const notice = { id: 'ends', text: 'Soon over', expiresAt: Date.now() + 300 };
    const { at } = await notices.own.publish(nameOf('w'), notice);
    await waitUntil('it has ended', () => Date.now() > notice.expiresAt);
    expect(await notices.own.publish(nameOf('w'), notice)).toEqual({ isNew: false, at });
  });

  it('is changed and taken away for that subject', async () => {
    await publishTo('w', 'own');
    expect(await notices.own.change('w', 'own', { text: 'other', title: 'T' })).toBe(true);
    expect(await notices.own.list('w')).toMatchObject([{ id: 'own', text: 'other', title: 'T' }]);
    expect(await notices.own.change('other', 'own', { text: 'x' })).toBe(false);
    expect(await notices.own.change('w', 'own', undefined)).toBe(true);
    expect(await stage.shown('w')).toEqual([]);
    expect(await notices.own.change('w', 'own', undefined)).toBe(false);
  });

  it('is one of at most 100: the oldest is dropped, and the others keep what was done with them', async () => {
    await publishTo('many', 'o0');
    await publishTo('many', 'o1');
    await stage.mark('many', 'read', 'o1');
    for (let i = 2; i <= OWN_NOTICE_CAP; i += 1) await publishTo('many', `o${i}`);
    const shown = await stage.shown('many');
    expect(shown).toHaveLength(OWN_NOTICE_CAP);
    expect(shown.map(({ id }) => id)).not.toContain('o0');
    expect(shown.filter(({ read }) => read).map(({ id }) => id)).toEqual(['o1']);
  });

  it('becomes the person’s with what was done with it', async () => {
    await publishTo('phone', 'new');
    await publishTo('phone', 'read');
    await publishTo(personOf('eve'), 'of-eve');
    await stage.mark('phone', 'read', 'read');
    await people.identify(nameOf(personOf('eve')), 'phone');
    expect(new Set(await stage.shown(personOf('eve')))).toEqual(
      new Set([
        { id: 'new', seen: false, read: false },
        { id: 'read', seen: true, read: true },
        { id: 'of-eve', seen: false, read: false },
      ]),
    );
  });

  it('does not come back when it was withdrawn from the person and the session is merged once more, and its id may', async () => {
    const person = personOf('moved');
    await publishTo('moved-phone', 'taken-away');
    await publishTo('moved-phone', 'stays');
    await stage.mark('moved-phone', 'read', 'taken-away');
    await people.identify(nameOf(person), 'moved-phone');
    expect(await notices.own.change(nameOf(person), 'taken-away', undefined)).toBe(true);
    // As before a session retires, and where it is written late.
    await people.lookAt('moved-phone');
    await stage.mark('moved-phone', 'seen', 'stays');
    expect(await stage.shown(person)).toEqual([{ id: 'stays', seen: true, read: false }]);
    await publishTo('another-phone', 'taken-away');
    await people.identify(nameOf(person), 'another-phone');
    expect((await stage.unread(person)).sort()).toEqual(['stays', 'taken-away']);
    for (let i = 0; i < OWN_NOTICE_CAP; i += 1) await publishTo(person, `many-${i}`);
    expect(await stage.shown(person)).toHaveLength(OWN_NOTICE_CAP);
  });

  it("does not come back where its id was the person's already, or its times changed, or it was one too many", async () => {
    const person = personOf('full');
    await publishTo('full-phone', 'both');
    await publishTo('full-laptop', 'both');
    await publishTo('full-laptop', 'later');
    for (const session of ['full-phone', 'full-laptop']) await people.identify(nameOf(person), session);
    expect(await notices.own.change(nameOf(person), 'later', { publishAt: 1_000 })).toBe(true);
    for (const id of ['both', 'later']) expect(await notices.own.change(nameOf(person), id, undefined)).toBe(true);
    // Noted late: all is merged once more.
    await stage.mark('full-laptop', 'seen', 'both', 'later');
    await stage.mark('full-phone', 'seen', 'both');
    expect(await stage.shown(person)).toEqual([]);
    await publishTo('full-tablet', 'oldest');
    await people.identify(nameOf(person), 'full-tablet');
    for (let i = 0; i < OWN_NOTICE_CAP; i += 1) await publishTo(person, `newer-${i}`);
    await stage.mark('full-tablet', 'seen', 'oldest');
    expect(await stage.unread(person)).not.toContain('oldest');
    expect(await stage.shown(person)).toHaveLength(OWN_NOTICE_CAP);
  });

  it('expires with what is known of its subject, and needs no view before', async () => {
    await publishTo('fresh', 'first');
    const ttls = await Promise.all(
      [stage.keys.ownNotices('fresh'), stage.keys.noticeStates('fresh'), stage.keys.subject('fresh')].map((key) =>
        stage.redis.command<number>('TTL', key),
      ),
    );
    for (const ttl of ttls) expect(ttl).toBeGreaterThan(1_000);
    expect(Math.max(...ttls) - Math.min(...ttls)).toBeLessThanOrEqual(1);
    expect(await stage.shown('fresh')).toEqual([{ id: 'first', seen: false, read: false }]);
  });

  it('names no user in Redis, is counted by an export, and is gone after an erasure', async () => {
    const person = personOf(USER);
    await publishTo(person, 'for-ada');
    await stage.mark(person, 'read', 'for-ada');
    expect(await placesOf(stage.server.url, [USER, person])).toEqual([]);
    const text = 'text of for-ada';
    expect(await placesOf(stage.server.url, [text])).toEqual(
      expect.arrayContaining([stage.keys.ownNotices(nameOf(person))]),
    );
    const namespace = await openNamespace({ redis: stage.server.url, secret: TEST_SECRET });
    try {
      expect(JSON.stringify(await exportSubject(namespace, { user: USER }))).toContain('"noticesRead":1');
      // The record, what was done with notices, and the notices.
      expect(await forgetSubject(namespace, { user: USER })).toMatchObject({ knowledge: 3 });
    } finally {
      await namespace.redis.close();
    }
    expect(await stage.redis.command('EXISTS', stage.keys.ownNotices(nameOf(person)))).toBe(0);
    expect(await stage.shown(person)).toEqual([]);
  });
});
