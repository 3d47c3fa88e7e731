import { ProtocolError } from '../../protocol/index.ts';
import { checkItem, decodePayload, excerpt, isObject } from '../../protocol/internal/index.ts';
import { type Handler, makeHandler } from './handler.ts';
import { describeActivity } from './pageview.ts';

const EXPECTED = 'nothing, or {"here":"/p"}';

/** Answers with the figures of a session; records nothing. With a page (`here`) it answers as a view of that page would:
 *  so a page whose view counts when it has been answered can say what the visit was before it. */
export const sessionAnalytics: Handler<'session-analytics'> = makeHandler({
  parse: (payload) => {
    if (payload === '') return undefined;
    const value = decodePayload(payload, EXPECTED);
    if (isObject(value) && value.here !== undefined) return checkItem(value.here);
    throw new ProtocolError('bad-payload', `The payload ${excerpt(value)} names no page: give ${EXPECTED}.`);
  },
  run: async ({ knowledge }, subject, here) => {
    const [visit, [seen]] = await Promise.all([
      subject.visit(knowledge.now()),
      subject.hasSeen('page', here === undefined ? [] : [knowledge.items.of('page', here)]),
    ]);
    const { totalPages, uniquePages, activeMinutes } = visit;
    const figures = {
      totalPages,
      uniquePages,
      ...describeActivity(visit, totalPages === 0),
      activeMinutes,
      firstActiveMinute: visit.firstActiveMinute ?? null,
    };
    if (here === undefined) return figures;
    // Above `exactLimit` the view's own count is an estimate, from which this one can differ a little.
    const different = seen ? uniquePages : uniquePages + 1;
    return { ...figures, totalPages: totalPages + 1, uniquePages: different, previouslyVisited: seen === true };
  },
});
