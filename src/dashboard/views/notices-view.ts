import { MINUTE_MS } from '../../knowledge/index.ts';
import { checkGroupName, checkNoticeId } from '../../protocol/internal/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import { readLastLists } from '../notices/last-lists.ts';
import type { ListOfNotices, NoticesData } from '../notices/notices-data.ts';
import { readLists } from '../notices/read-lists.ts';
import { edit, publish, withdraw } from '../notices/write-notices.ts';
import { configuredRulesOf } from '../rules/configured-rules.ts';
import { checkSubjectId } from '../subject/find-subject.ts';
import type { DashboardView } from '../view.ts';

const MOST_LISTS = 10;
/** So many lists are shown where none is asked for. */
const LAST_LISTS = 3;

/** Notices: `group`, `segment` and `subject` name lists; without them those to which was published last. `notice`: of which one
 *  to tell when it was seen and read. */
export const noticesView: DashboardView<NoticesData> = {
  name: 'notices',
  title: 'Notices',
  everyMs: 3_000,
  read: async (store, query) => {
    const { notices } = store.namespace.knowledge;
    const now = store.namespace.now();
    const asked = listsIn(query);
    const notice = query.get('notice');
    const lastLists = await readLastLists(store);
    const [lists, hours] = await Promise.all([
      readLists(store, asked.length > 0 ? asked : lastLists.slice(0, LAST_LISTS), now),
      notice === null ? [] : notices.reach.hours(checkNoticeId(notice)),
    ]);
    return {
      now: Math.floor(now / MINUTE_MS) * MINUTE_MS,
      lists,
      lastLists,
      segments: segmentsOf(store),
      reach: notice === null ? null : { id: notice, hours },
    };
  },
  actions: { publish, edit, withdraw } as NonNullable<DashboardView['actions']>,
};

function listsIn(query: URLSearchParams): ListOfNotices[] {
  const given = (name: string): string[] => [...new Set(query.getAll(name).filter((each) => each !== ''))];
  const lists: ListOfNotices[] = [
    ...given('group').map((group) => ({ group: checkGroupName(group) })),
    ...given('segment').map((segment) => ({ segment: checkGroupName(segment, 'segment') })),
    ...given('subject').map((subject) => ({ subject: checkSubjectId(subject) })),
  ];
  if (lists.length > MOST_LISTS) throw new RangeError(`${lists.length} lists are asked for: at most ${MOST_LISTS}.`);
  return lists;
}

// To offer them: what is wrong with the rules stands on the page of the rules.
function segmentsOf(store: DashboardStore): string[] {
  try {
    return Object.keys(configuredRulesOf(store).read()?.rules.segments ?? {});
  } catch {
    return [];
  }
}
