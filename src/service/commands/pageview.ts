import type { Visit } from '../../knowledge/index.ts';
import { normalizeItem, type PageviewReply, ProtocolError } from '../../protocol/index.ts';
import { checkItem, checkTime, decodePayload, excerpt, isObject } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';

interface PageView {
  readonly page: string;
  readonly at: number | undefined;
}

const EXPECTED = 'a path, a URL, or {"path":"/p","at":<epoch ms>}';

/** Records a page view and answers what the visit was like before it. */
export const pageview: Handler<'pageview'> = makeHandler({
  parse: (payload): PageView => {
    if (payload === '') throw new ProtocolError('bad-payload', `The payload is empty: give ${EXPECTED}.`);
    if (typeof payload === 'string' && !payload.startsWith('{')) return { page: normalizeItem(payload), at: undefined };
    const value = decodePayload(payload, EXPECTED);
    if (!isObject(value)) {
      throw new ProtocolError('bad-payload', `The payload ${excerpt(value)} is no page: give ${EXPECTED}.`);
    }
    const { path, at } = value;
    const time = at === undefined ? undefined : checkTime(at);
    return { page: checkItem(path), at: time };
  },
  run: async (context, { subject }, { page, at }, apply) => {
    if (at !== undefined && !context.acceptTimes) context.timeIgnored();
    const { knowledge, acceptTimes } = context;
    const hash = knowledge.items.of('page', page);
    const visit = await knowledge.recordView(subject, hash, acceptTimes ? at : undefined, apply);
    const { totalPages, uniquePages, previouslyVisited } = visit;
    return { totalPages, uniquePages, previouslyVisited, ...describeActivity(visit, totalPages <= 1) };
  },
});

/** Describes a visit's minutes in the fields of the protocol. */
export function describeActivity(
  { lastMinutes, thisMinute }: Pick<Visit, 'lastMinutes' | 'thisMinute'>,
  newToSite: boolean,
): Pick<PageviewReply, 'activityThisMinute' | 'activity' | 'newToSite' | 'inactive'> {
  return {
    activityThisMinute: thisMinute,
    activity: lastMinutes.map((active) => (active ? 1 : 0)),
    newToSite,
    inactive: !newToSite && !thisMinute && !lastMinutes.includes(true),
  };
}
