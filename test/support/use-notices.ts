import { beforeAll } from 'vitest';
import { isUnread, type Knowledge, type ListName, MARKS } from '../../src/knowledge/index.ts';
import type { UseRedisOptions } from './use-redis.ts';
import { type TestData, useTestData } from './use-test-data.ts';

/** A notice as a test looks at it. */
export interface SeenNotice {
  readonly id: string;
  readonly seen: boolean;
  readonly read: boolean;
}

/** Notices of groups, over the Redis of the running test. */
export interface NoticesStage extends TestData {
  /** Publishes a notice to a group. */
  publish(
    group: string,
    id: string,
    times?: { publishAt?: number; expiresAt?: number },
  ): Promise<{ isNew: boolean; at: number }>;
  /** Marks notices by their ids. */
  mark(subject: string, as: keyof typeof MARKS, ...ids: string[]): Promise<number>;
  /** What a subject is shown of groups, and of its own, the newest first. */
  shown(subject: string, ...groups: string[]): Promise<SeenNotice[]>;
  /** The ids of those of them that are not read. */
  unread(subject: string, ...groups: string[]): Promise<string[]>;
  /** The hash by which a group's list is named. */
  hashOf(group: string): number;
}

/** The list of a group, by the group's name. */
export function groupList(name: string): ListName {
  return { kind: 'group', name };
}

/** `useTestData` with notices. Its clock begins an hour ahead of Redis's, so that what is published is shown at once. */
export function useNotices(options: UseRedisOptions = {}): NoticesStage {
  const stage = useTestData(options);
  beforeAll(() => {
    stage.clock.now = Date.now() + 3_600_000;
  });
  const { knowledge } = stage;
  const shown = (subject: string, ...groups: string[]): Promise<SeenNotice[]> => shownBy(knowledge, subject, groups);
  return {
    ...stage,
    publish: (group, id, times = {}) =>
      knowledge.notices.lists.publish(groupList(group), { id, text: `text of ${id}`, ...times }),
    mark: (subject, as, ...ids) => knowledge.notices.markIds(knowledge.read(subject), ids, MARKS[as]),
    shown,
    unread: async (subject, ...groups) =>
      (await shown(subject, ...groups)).filter(({ read }) => !read).map(({ id }) => id),
    hashOf: (group) => knowledge.items.of('group', group),
  };
}

/** What a subject is shown of groups, the newest first. */
export async function shownBy(knowledge: Knowledge, subject: string, groups: readonly string[]): Promise<SeenNotice[]> {
  const view = await knowledge.notices.view(knowledge.read(subject), groups.map(groupList));
  return [...view.shown()].map(({ notice: { id }, state }) => ({ id, seen: state !== 0, read: !isUnread(state) }));
}
