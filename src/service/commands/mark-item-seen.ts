import { checkItem, parseOneOrMany } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Marks items as seen without a page view: items that a list, an app or an e-mail showed. Answers with the marked
 *  items. */
export const markItemSeen: Handler<'mark-item-seen'> = makeHandler({
  parse: (payload) => parseOneOrMany(payload, 'an item, or a JSON array of items').map(checkItem),
  run: async ({ knowledge }, { subject }, items, apply) => {
    await knowledge.markItems(subject, knowledge.items.ofAll('item', items), apply);
    return items;
  },
});
