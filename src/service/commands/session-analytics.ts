import { ProtocolError } from '../../protocol/index.ts';
import { type Handler, makeHandler } from './handler.ts';
import { describeActivity } from './pageview.ts';

/** Answers with the figures of a session; records nothing. */
export const sessionAnalytics: Handler<'session-analytics'> = makeHandler({
  parse: (payload) => {
    if (payload !== '') throw new ProtocolError('bad-payload', 'session-analytics takes no payload: leave it empty.');
    return undefined;
  },
  run: async ({ knowledge }, subject) => {
    const visit = await subject.visit(knowledge.now());
    return {
      totalPages: visit.totalPages,
      uniquePages: visit.uniquePages,
      ...describeActivity(visit, visit.totalPages === 0),
      activeMinutes: visit.activeMinutes,
      firstActiveMinute: visit.firstActiveMinute ?? null,
    };
  },
});
