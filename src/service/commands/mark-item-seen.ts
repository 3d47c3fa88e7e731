import { checkItem, parseOneOrMany } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Marks items as seen without a page view: items that a list, an app or an e-mail showed. Answers with the marked
 *  items. */
export const markItemSeen: Handler<'mark-item-seen'> = makeHandler({
  parse: (payload) => parseOneOrMany(payload, 'an item, or a JSON array of items').map(checkItem),
  run: async ({ knowledge, suggestions, livePairs }, reading, items, apply) => {
    const hashes = knowledge.items.ofAll('item', items);
    const seen = await knowledge.markItems(reading.subject, hashes, apply);
    if (livePairs) hashes.forEach((hash, i) => void (seen[i] || livePairs.saw(reading.subject, 'item', hash)));
    suggestions.counted(reading, { seen: { kind: 'item', items: hashes.filter((_, i) => !seen[i]) } });
    return items;
  },
});
