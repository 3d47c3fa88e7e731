import type { ListName } from '../../knowledge/index.ts';
import type { LiveList } from '../../protocol/index.ts';
import { checkOfGroups, decodePayload } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';
import { listsOf } from './lists-of.ts';
import { countsOf } from './notices.ts';

/** Answers by which topics the stream of events names what concerns a visitor, and the counts as they are now. For a while
 *  new suggestions to the visitor are told in the stream. */
export const live: Handler<'live'> = makeHandler({
  parse: (payload) => (payload === '' ? [] : checkOfGroups(decodePayload(payload, '{"groups":[...]}'))),
  items: (groups) => groups.length,
  run: async (context, subject, groups) => {
    const { notices } = context.knowledge;
    context.listening.note();
    const lists = await listsOf(context, subject, groups);
    const told = ({ kind, name }: ListName): LiveList => {
      const topic = notices.events.topicOfList(notices.lists.hashOf({ kind, name }));
      return kind === 'group' ? { topic, group: name } : { topic, segment: name };
    };
    const view = await notices.view(subject, lists);
    const muted = new Set(view.muted);
    return {
      topic: notices.events.topicOf(subject.subject),
      lists: lists.filter((name) => !muted.has(notices.lists.hashOf(name))).map(told),
      ...countsOf(view),
    };
  },
});
