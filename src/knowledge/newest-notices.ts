import type { ListedNotice } from './notice-lists.ts';

/** Returns the newest notices of several lists, the newest first, at most `limit`. Each list begins with its newest. It
 *  looks at as many notices as it returns and at one more of each list: 100 lists of 1,000 notices must not keep a process
 *  busy for tens of milliseconds. */
export function newestNotices(lists: readonly (readonly ListedNotice[])[], limit: number): ListedNotice[] {
  const heads = lists.flatMap((list) => (list.length === 0 ? [] : [{ notice: list[0]!, list, next: 1 }]));
  const newest: ListedNotice[] = [];
  while (newest.length < limit && heads.length > 0) {
    let first = 0;
    for (let i = 1; i < heads.length; i += 1) {
      if (isNewer(heads[i]!.notice, heads[first]!.notice)) first = i;
    }
    const head = heads[first]!;
    newest.push(head.notice);
    const following = head.list[head.next];
    if (following === undefined) heads.splice(first, 1);
    else heads[first] = { ...head, notice: following, next: head.next + 1 };
  }
  return newest;
}

/** Whether a notice was published after another one. */
export function isNewer(one: ListedNotice, other: ListedNotice): boolean {
  return one.at === other.at ? one.position.sequence > other.position.sequence : one.at > other.at;
}
