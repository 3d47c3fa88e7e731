import type { ListedNotice } from '../../knowledge/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import type { ListOfNotices, NoticeOfList, ShownList } from './notices-data.ts';

/** The newest notices of a list that the page shows. */
const MOST_OF_LIST = 50;

/** Reads lists, with how many have seen and read each notice. */
export function readLists(store: DashboardStore, wanted: readonly ListOfNotices[], now: number): Promise<ShownList[]> {
  const { addressed, notices } = store.namespace.knowledge;
  return Promise.all(
    wanted.map(async (of) => {
      const found = await addressed.list(of);
      const newest = found.slice(0, MOST_OF_LIST);
      const reach = await notices.reach.read(newest.map(({ id }) => id));
      return { of, count: found.length, notices: newest.map((notice, i) => describe(notice, reach[i]!, now)) };
    }),
  );
}

function describe(
  { id, title, text, severity, data, at, expiresAt }: ListedNotice,
  { seen, read }: { readonly seen: number; readonly read: number },
  now: number,
): NoticeOfList {
  const isExpired = expiresAt !== undefined && expiresAt <= now;
  return {
    id,
    title: title ?? null,
    text,
    severity: severity ?? null,
    data: data ?? null,
    at,
    expiresAt: expiresAt ?? null,
    state: at > now ? 'scheduled' : isExpired ? 'expired' : 'shown',
    seen,
    read,
  };
}
