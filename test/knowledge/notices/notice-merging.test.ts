import { describe, expect, it } from 'vitest';
import { personOf } from '../../../src/protocol/index.ts';
import { groupList, useNotices } from '../../support/use-notices.ts';

/* Late joiners, muted groups, and what becomes of both where a session is a person's. What one of two merged subjects sees
 * is never hidden. */

describe('who meets a group', () => {
  const stage = useNotices();
  const { publish, unread, shown, clock } = stage;
  const { notices, people } = stage.knowledge;
  const nameOf = (person: string): string => stage.knowledge.read(person).subject;
  const setNow = (group: string): Promise<void> => notices.lists.setJoining(groupList(group), 'now');
  /** Publishes a notice that is newer than all that was looked at so far. */
  const publishLater = async (group: string, id: string): Promise<void> => {
    clock.now += 10_000;
    await publish(group, id, { publishAt: clock.now });
    clock.now += 1;
  };

  it('sees the whole list, or what is published from the first look on, and keeps it when the group changes its mind', async () => {
    await publish('party', 'before');
    expect(await unread('early', 'party')).toEqual(['before']);
    await stage.mark('early', 'seen', 'before');
    await setNow('party');
    // The first look is the meeting, and shows nothing yet.
    expect(await unread('late', 'party')).toEqual([]);
    await publishLater('party', 'after');
    expect(await unread('late', 'party')).toEqual(['after']);
    expect(await unread('early', 'party')).toEqual(['after', 'before']);
    expect(await unread('later', 'party')).toEqual([]);
    await notices.lists.setJoining(groupList('party'), 'all');
    expect(await unread('late', 'party')).toEqual(['after']);
    expect(await unread('newest', 'party')).toEqual(['after', 'before']);
  });

  it('meets it once, also where two services look at once', async () => {
    await setNow('twice');
    const other = stage.with({});
    await publish('twice', 'before');
    const views = [stage.knowledge, other].map((service) =>
      service.notices.view(service.read('racer'), [groupList('twice')]),
    );
    for (const view of await Promise.all(views)) expect([...view.shown()]).toEqual([]);
    await publishLater('twice', 'after');
    expect(await unread('racer', 'twice')).toEqual(['after']);
  });

  it.each([
    ['the session', 'the person', ['n2', 'n1']],
    ['the person', 'the session', ['n2', 'n1']],
  ])('sees as a person what %s saw, which met it before %s', async (first, _second, expected) => {
    const group = `merged-${first === 'the session' ? 1 : 2}`;
    const [person, session] = [personOf(group), `session-of-${group}`];
    await setNow(group);
    const [early, late] = first === 'the session' ? [session, person] : [person, session];
    expect(await unread(early!, group)).toEqual([]);
    await publishLater(group, `${group}-n1`);
    expect(await unread(late!, group)).toEqual([]);
    await publishLater(group, `${group}-n2`);
    expect(await unread(early!, group)).toEqual(expected.map((id) => `${group}-${id}`));
    expect(await unread(late!, group)).toEqual([`${group}-n2`]);
    await people.identify(nameOf(person), session);
    expect(await unread(person, group)).toEqual(expected.map((id) => `${group}-${id}`));
  });

  it('sees as a person the whole list where one of the two saw it whole', async () => {
    await publish('whole', 'old');
    await stage.mark('whole-session', 'seen', 'old');
    await setNow('whole');
    const person = personOf('whole');
    expect(await unread(person, 'whole')).toEqual([]);
    await people.identify(nameOf(person), 'whole-session');
    expect(await shown(person, 'whole')).toEqual([{ id: 'old', seen: true, read: false }]);
  });

  it('keeps as a person what it marked as unread again, whatever the session read', async () => {
    const person = personOf('again');
    for (const id of ['u1', 'u2', 'u3', 'u4']) await publish('again', id);
    await stage.mark(person, 'unread', 'u1');
    await stage.mark(person, 'seen', 'u2');
    await stage.mark('again-session', 'read', 'u1', 'u2', 'u3');
    await stage.mark('again-session', 'dismissed', 'u4');
    await people.identify(nameOf(person), 'again-session');
    expect(new Set(await shown(person, 'again'))).toEqual(
      new Set([
        { id: 'u1', seen: true, read: false },
        { id: 'u2', seen: true, read: true },
        { id: 'u3', seen: true, read: true },
      ]),
    );
  });

  it('is as the person left it when the session is merged once more, as it is before it retires', async () => {
    const [person, session] = [personOf('leaves'), 'leaves-session'];
    for (const id of ['l1', 'l2']) await publish('left', id);
    await stage.mark(session, 'dismissed', 'l1');
    await stage.mark(session, 'read', 'l2', 'of-the-application');
    await notices.own.publish(session, { id: 'own', text: 'T' });
    await people.identify(nameOf(person), session);
    await stage.mark(person, 'unread', 'l1', 'l2', 'own', 'of-the-application');
    await stage.mark(person, 'read', 'l1');
    const left = await shown(person, 'left');
    expect(left.map(({ id, read }) => [id, read])).toEqual([
      ['own', false],
      ['l2', false],
      ['l1', true],
    ]);
    await people.lookAt(session);
    expect(await shown(person, 'left')).toEqual(left);
    const reading = stage.knowledge.read(person);
    expect(await notices.states.hasForeign(reading, ['of-the-application'])).toEqual([false]);
    // What the person lost with a server is merged again.
    await stage.redis.command('DEL', ...stage.keys.all(nameOf(person)), stage.keys.merged(nameOf(person)));
    await people.lookAt(session);
    expect(await shown(person, 'left')).toMatchObject([{ id: 'own' }, { id: 'l2', read: true }]);
  });

  it('has it muted as a person where the session had, if the person knew nothing of it; else as the person had it', async () => {
    const [muting, knowing] = [personOf('muting'), personOf('knowing')];
    await publish('noisy', 'loud');
    await stage.mark(knowing, 'seen', 'loud');
    for (const session of ['muter-1', 'muter-2']) await notices.mute(session, ['noisy'], []);
    await people.identify(nameOf(muting), 'muter-1');
    await people.identify(nameOf(knowing), 'muter-2');
    expect(await unread(muting, 'noisy')).toEqual([]);
    expect(await unread(knowing, 'noisy')).toEqual(['loud']);
  });

  it('is shown nothing of a muted group, and all of it when it is heard again', async () => {
    await publish('muted', 'm1');
    await stage.mark('muter', 'read', 'm1');
    await notices.mute('muter', ['muted'], []);
    await publish('muted', 'm2');
    const view = await notices.view(stage.knowledge.read('muter'), [groupList('muted')]);
    expect([[...view.shown()], view.muted]).toEqual([[], [stage.hashOf('muted')]]);
    await notices.mute('muter', [], ['muted', 'never-muted']);
    expect(new Set(await shown('muter', 'muted'))).toEqual(
      new Set([
        { id: 'm1', seen: true, read: true },
        { id: 'm2', seen: false, read: false },
      ]),
    );
  });

  it('marks in every list a notice that stands in several, and it is shown once', async () => {
    for (const group of ['one', 'two']) await publish(group, 'both');
    await publish('two', 'only-two');
    expect((await unread('several', 'one', 'two')).sort()).toEqual(['both', 'only-two']);
    await stage.mark('several', 'read', 'both');
    for (const group of ['one', 'two']) expect(await unread('several', group)).not.toContain('both');
    // Published to one more list afterwards: read there as well, where one looks at both.
    await publish('three', 'both');
    expect(await unread('several', 'one', 'three')).toEqual([]);
  });

  it('marks all that is shown of some groups, and says how many', async () => {
    for (const id of ['a1', 'a2', 'a3']) await publish('all-1', id);
    await publish('all-2', 'b1');
    await notices.own.publish('all-marker', { id: 'own', text: 'T' });
    await stage.mark('all-marker', 'read', 'a1');
    await stage.mark('all-marker', 'dismissed', 'a2');
    const reading = (): ReturnType<typeof stage.knowledge.read> => stage.knowledge.read('all-marker');
    // Seen: the third, and the own one; what was read is more than seen.
    expect(await notices.markAll(reading(), [groupList('all-1')], 1)).toBe(2);
    expect(await notices.markAll(reading(), [groupList('all-1')], 2)).toBe(2);
    expect(await notices.markAll(reading(), [groupList('all-1')], 2)).toBe(0);
    expect(await unread('all-marker', 'all-1', 'all-2')).toEqual(['b1']);
    expect(await notices.markAll(reading(), [groupList('all-1')], 3)).toBe(3);
    expect((await shown('all-marker', 'all-1')).length).toBe(0);
  });
});
