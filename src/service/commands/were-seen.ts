import { isPageItem } from '../../protocol/index.ts';
import type { CalculatedData } from '../../structures/index.ts';

/** Per item, whether this session has seen it: a path among its pages; any other name among its pages (a page may be
 *  named so, in an app or an API) or its items. One round trip. */
export async function wereSeen(data: CalculatedData, session: string, items: readonly string[]): Promise<boolean[]> {
  const names = items.filter((item) => !isPageItem(item));
  const [pages, others] = await Promise.all([
    data.seenItems.has(session, 'page', data.itemKey.ofAll('page', items)),
    data.seenItems.has(session, 'item', data.itemKey.ofAll('item', names)),
  ]);
  let next = 0;
  return items.map((item, i) => {
    const other = !isPageItem(item) && others[next++] === true;
    return pages[i] === true || other;
  });
}
