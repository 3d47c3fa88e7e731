import type { ReceiverEvents, ReplyEvents, StreamEvents } from '../transport/service/index.ts';
import type { Log } from './log.ts';
import { LogThrottle } from './log-throttle.ts';
import type { Metrics } from './metrics.ts';

/* transport-events.ts: counts and logs what the transports report. */

const DEAD_LETTER_LOG_INTERVAL_MS = 1_000;
const FAILING_LOG_INTERVAL_MS = 60_000;

/** Makes the listeners of the channels. */
export function channelEvents(metrics: Metrics): ReceiverEvents {
  return { refused: (reason) => metrics.refused.inc({ reason }), ...replyEvents(metrics) };
}

/** Makes the listeners of the streams. */
export function streamEvents(metrics: Metrics, log: Log): StreamEvents {
  const deadLetters = new LogThrottle(DEAD_LETTER_LOG_INTERVAL_MS);
  const failing = new Map<number, LogThrottle>();
  return {
    committed: () => metrics.streamRequests.inc({ outcome: 'done' }),
    repeated: () => metrics.streamRequests.inc({ outcome: 'repeated' }),
    deadLettered: ({ command, session, id }, reason) => {
      metrics.streamRequests.inc({ outcome: 'dead-letter' });
      if (!deadLetters.mayLog()) return;
      log.error(
        { command, session, id, reason },
        'A request became a dead letter: see `sessionwise deadletters list`.',
      );
    },
    failing: (partition, error) => {
      const throttle = failing.get(partition) ?? new LogThrottle(FAILING_LOG_INTERVAL_MS);
      failing.set(partition, throttle);
      if (!throttle.mayLog()) return;
      log.error({ partition, reason: error.message }, 'A partition cannot be worked off; trying again.');
    },
    expired: () => metrics.streamRequests.inc({ outcome: 'unanswered' }),
    ...replyEvents(metrics),
  };
}

function replyEvents(metrics: Metrics): ReplyEvents {
  return {
    unclaimed: (count) => metrics.unclaimed.inc({}, count),
    replyFailed: () => metrics.replyFailures.inc(),
  };
}
