import { withDeadline } from '../async/index.ts';
import type { Knowledge } from '../knowledge/index.ts';
import type { Metrics, NoticeReachFigure } from './metrics.ts';

/* notice-metrics.ts: notices in the metrics. A label for each notice that there ever was would fill the monitoring, so the
 * reach of the newest is told, of those lists that this instance has read; `notices stats` tells that of any. Notices to one
 * subject are never named. */

const MOST_NOTICES = 20;
const DEADLINE_MS = 1_000;

/** Counts what is told of notices. */
export function countNoticeEvents({ notices }: Knowledge, metrics: Metrics): void {
  notices.events.countBy({
    written: (event, marked) => {
      metrics.noticeEvents.inc({ event });
      if (marked) metrics.noticeMarks.inc({ as: marked.as }, marked.count);
    },
    lost: () => metrics.noticeEventsLost.inc(),
  });
}

/** Reads how many subjects saw and read the newest notices. Nothing where Redis does not answer. */
export async function readReach({ notices, now }: Knowledge): Promise<NoticeReachFigure[]> {
  const ids = notices.lists.newest(MOST_NOTICES, now());
  const reading = notices.reach.read(ids).then((all) => all.map((reach, i) => ({ notice: ids[i]!, ...reach })));
  return withDeadline(reading, DEADLINE_MS, () => []).catch(() => []);
}
