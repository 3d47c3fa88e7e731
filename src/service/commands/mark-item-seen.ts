import { checkItem, parseOneOrMany } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

/** Marks items as seen without a page view: what was shown in a list, in an app, in an e-mail. Answers what was marked. */
export const markItemSeen: Handler<'mark-item-seen'> = makeHandler({
  parse: (payload) => parseOneOrMany(payload, 'an item, or a JSON array of items').map(checkItem),
  run: async ({ data }, session, items, apply) => {
    const keys = data.itemKey.ofAll('item', items);
    if (keys.length > 0) await apply(data.seenItems.marking(session, 'item', keys, data.retention.seconds));
    return items;
  },
});
