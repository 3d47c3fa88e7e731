import type { AnalyticsReply } from '../../protocol/index.ts';
import { ProtocolError } from '../../protocol/index.ts';
import type { Command } from './command.ts';
import { describeActivity } from './pageview.ts';

/** Answers what is known of the visit, and records nothing. */
export const sessionAnalytics: Command<undefined, AnalyticsReply> = {
  name: 'session-analytics',
  parse: (payload) => {
    if (payload !== '') throw new ProtocolError('bad-payload', 'session-analytics takes no payload: leave it empty.');
    return undefined;
  },
  run: async ({ data }, session) => {
    const visit = await data.visits.read(session);
    return {
      totalPages: visit.totalPages,
      uniquePages: visit.uniquePages,
      ...describeActivity(visit, visit.totalPages === 0),
      activeMinutes: visit.activeMinutes,
      firstActiveMinute: visit.firstActiveMinute ?? null,
    };
  },
};
