import { isUnread } from '../../knowledge/index.ts';
import type { Notification } from '../../protocol/index.ts';
import { checkList, checkNoticeId, decodePayload, isObject } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

type Given = { readonly id: string | number; readonly [field: string]: unknown };

const EXPECTED = 'a JSON array of ids or {"id"}';

/** Answers which of the given notices this session has read. */
export const notifications: Handler<'notifications'> = makeHandler({
  parse: (payload) => checkList(decodePayload(payload, EXPECTED), EXPECTED).map(parseGiven),
  items: (given) => given.length,
  run: async ({ knowledge: { notices } }, subject, given): Promise<Notification[]> => {
    const ids = given.map(({ id }) => checkNoticeId(id));
    const { places } = await notices.locate(subject, ids);
    const [foreign, states] = await Promise.all([
      notices.states.hasForeign(subject, ids),
      notices.statesOf(subject, places),
    ]);
    // A kept notice is judged by its list alone, in every form of this command.
    return given.map((notice, i) => ({
      ...notice,
      seen: places[i]!.length > 0 ? !isUnread(states[i]!) : foreign[i] === true,
    }));
  },
});

function parseGiven(value: unknown): Given {
  const given: Record<string, unknown> = isObject(value) ? value : { id: value };
  checkNoticeId(given.id);
  return given as Given;
}
