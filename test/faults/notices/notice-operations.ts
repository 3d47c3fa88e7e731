import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Mark } from '../../knowledge/notices/notices-model.ts';
import { ANY, DOUBT_MS, GROUPS, IDS, LISTS, lockOf, type NoticeStage, PAGES, PEOPLE } from './notice-stage.ts';

/* notice-operations.ts: single operations on notices. Each holds what its outcome depends on, so the model does them in the
 * same order. */

export const MARKS: readonly Mark[] = ['seen', 'read', 'unread', 'dismissed'];

export async function publish(stage: NoticeStage): Promise<void> {
  const [id, list] = [stage.random.pick(IDS), stage.random.pick(LISTS)];
  await stage.writing(id, [], async () => {
    const notice = stage.newNotice(id);
    await stage.notePublished(list, notice, await stage.publish(list, notice));
  });
}

export async function publishOwn(stage: NoticeStage): Promise<void> {
  const [id, name] = [stage.random.pick(IDS), stage.anybody()];
  await stage.writing(id, [name], async () => {
    const notice = stage.newNotice(id);
    await stage.notePublished(`own ${name}`, notice, await stage.publish(`own ${name}`, notice));
  });
}

export async function changeOwn(stage: NoticeStage): Promise<void> {
  const [id, name] = [stage.random.pick(IDS), stage.anybody()];
  await stage.writing(id, [name], async () => {
    const to = { subject: name };
    const text = stage.random.next() < 0.5 ? stage.newNotice(id).text : undefined;
    const { reply, isRepeated } = text
      ? await stage.ask('edit-notice', ANY, { id, to, text })
      : await stage.ask('withdraw-notice', ANY, { id, to });
    const had = stage.model.change(`own ${name}`, id, text);
    if (!isRepeated) expect(reply!.lists, `lists of ${id} of ${name}`).toBe(Number(had));
  });
}

export async function edit(stage: NoticeStage): Promise<void> {
  const id = stage.random.pick(IDS);
  await stage.writing(id, [], async () => {
    const { text } = stage.newNotice(id);
    const { reply } = await stage.ask('edit-notice', ANY, { id, text });
    expect(reply!.lists, `lists of ${id}, edited`).toBe(stage.model.edit(id, text));
  });
}

export async function withdraw(stage: NoticeStage): Promise<void> {
  const id = stage.random.pick(IDS);
  await stage.writing(id, [], async () => {
    const { reply, isRepeated } = await stage.ask('withdraw-notice', ANY, { id });
    const lists = stage.model.withdraw(id);
    if (!isRepeated) expect(reply!.lists, `lists of ${id}, withdrawn`).toBe(lists);
  });
}

export async function mark(stage: NoticeStage): Promise<void> {
  const [ids, name, as] = [stage.some(IDS, 3), stage.anybody(), stage.random.pick(MARKS)];
  await stage.holding({ shared: ids.map(lockOf), exclusive: [name] }, async () => {
    await stage.ask('mark-notices', name, { ids, as });
    for (const id of ids) stage.model.mark(name, id, as);
  });
}

/** What is shown must stand still, so nothing else is done. */
export async function markAll(stage: NoticeStage): Promise<void> {
  const [name, as, groups] = [stage.anybody(), stage.random.pick(MARKS), stage.some(GROUPS, 2)];
  await stage.alone(async () => {
    if (!stage.subjects.has(name) || stage.isMeeting(name, groups) || stage.inDoubt().size > 0) return;
    const now = Date.now();
    const { reply, isRepeated } = await stage.ask('mark-notices', name, { groups, as });
    const lists = stage.listsOf(name, groups);
    if (stage.inDoubt(now).size === 0) {
      const count = stage.model.markAll(name, lists, as, now);
      if (!isRepeated) expect(reply!.marked, `${name} marks all of ${groups} as ${as}`).toBe(count);
      return;
    }
    // It is not known what was shown then: all are marked once more, by their ids.
    await stage.ask('mark-notices', name, { ids: IDS, as: 'unread' });
    for (const id of IDS) stage.model.mark(name, id, 'unread');
  });
}

export async function mute(stage: NoticeStage): Promise<void> {
  const [name, groups, isMuted] = [stage.anybody(), stage.some(GROUPS, 2), stage.random.next() < 0.4];
  await stage.holding({ exclusive: [name] }, async () => {
    await stage.ask('mute-groups', name, isMuted ? { mute: groups } : { unmute: groups });
    for (const group of groups) stage.model.mute(name, group, isMuted);
  });
}

export async function look(stage: NoticeStage): Promise<void> {
  const [name, groups] = [stage.anybody(), stage.some(GROUPS, 3)];
  const isDone = await stage.holding({ shared: [name] }, async () => {
    if (stage.isMeeting(name, groups)) return false;
    await stage.compareView(name, groups, 'beside others');
    return true;
  });
  if (isDone !== false) return;
  // What was published before is older for certain, and what comes later newer.
  await stage.alone(async () => {
    if (!stage.subjects.has(name) || stage.inDoubt().size > 0) return;
    await sleep(DOUBT_MS / 4);
    if (stage.inDoubt().size === 0) await stage.compareView(name, groups, 'and meets them');
    await sleep(DOUBT_MS / 4);
  });
}

export async function join(stage: NoticeStage): Promise<void> {
  const [group, joining] = [stage.random.pick(['late', 'team']), stage.random.pick(['all', 'now'] as const)];
  await stage.alone(async () => {
    await stage.ask('set-group', ANY, { group, join: joining });
    stage.model.join(group, joining);
  });
}

export async function viewPage(stage: NoticeStage): Promise<void> {
  const [name, page] = [stage.anybody(), stage.random.pick(PAGES)];
  await stage.holding({ exclusive: [name] }, async () => {
    await stage.ask('pageview', name, page);
    stage.subjects.get(name)!.add(page);
  });
}

export async function identify(stage: NoticeStage): Promise<void> {
  const [person, session] = [stage.random.pick(PEOPLE), stage.random.pick(stage.sessions())];
  await stage.holding({ exclusive: [person, session] }, async () => {
    await stage.ask('identify', person, session);
    stage.model.merge(person, session);
    stage.retire(session, person);
  });
}
