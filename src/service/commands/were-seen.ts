import type { CalculatedData } from '../../structures/index.ts';

/** Per item, whether this session has seen it: as a page that it viewed, or as an item that was marked. One round trip. */
export async function wereSeen(data: CalculatedData, session: string, items: readonly string[]): Promise<boolean[]> {
  const [viewed, marked] = await Promise.all([
    data.seenItems.has(session, 'page', data.itemKey.ofAll('page', items)),
    data.seenItems.has(session, 'item', data.itemKey.ofAll('item', items)),
  ]);
  return items.map((_, i) => viewed[i] === true || marked[i] === true);
}
