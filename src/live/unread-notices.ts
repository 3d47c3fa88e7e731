import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SessionClient } from '../client/index.ts';
import type { NoticesReply } from '../protocol/index.ts';
import { placeOf } from './live-event.ts';
import type { LiveFeed } from './live-feed.ts';
import { nameOf, type RecentEvents } from './recent-events.ts';
import type { VisitorStream } from './visitor-stream.ts';

const ANSWER_DEADLINE_MS = 2_000;
/** So many notices are told at a time that begin to be shown without an event. */
const MOST_BEGUN = 10;
/** Whether a notice was read is looked for among so many unread ones. */
const MOST_DOUBTED = 50;

/** Tells notices that no event alone can tell: the service is asked which are unread. */
export class UnreadNotices {
  readonly #client: SessionClient;
  readonly #recent: RecentEvents;
  readonly #feed: LiveFeed;

  constructor(client: SessionClient, recent: RecentEvents, feed: LiveFeed) {
    this.#client = client;
    this.#recent = recent;
    this.#feed = feed;
  }

  /** Tells what began to be shown by its time alone. `since`: milliseconds of the epoch by Redis's clock. `told`: what was
   *  told just now. */
  async tellBegun(stream: VisitorStream, since: number, told: ReadonlySet<string> = new Set()): Promise<void> {
    if (!stream.known || stream.known.unread === 0) return;
    const unread = await this.#unreadOf(stream, MOST_BEGUN);
    for (const { seen, read, ...notice } of unread?.notices.toReversed() ?? []) {
      if (notice.at < since || told.has(nameOf(notice)) || this.#recent.wasToldAtOnce(notice)) continue;
      stream.send('notice', notice, placeOf(stream.lastId ?? this.#feed.position!, notice.at));
      if (stream.isBusy) await nextTurn();
    }
  }

  /** Tells those in doubt that were not read in another list. What is not known is told: it does less harm than what is
   *  missed. */
  async tellInDoubt(stream: VisitorStream): Promise<void> {
    if (stream.inDoubt.length === 0) return;
    const inDoubt = stream.inDoubt.splice(0);
    const unread = await this.#unreadOf(stream, MOST_DOUBTED);
    const areAll = unread?.before === null;
    const ids = new Set(unread?.notices.map(({ id }) => id));
    for (const event of inDoubt) if (!areAll || ids.has(event.notice.id)) stream.sendNotice(event);
  }

  #unreadOf(stream: VisitorStream, limit: number): Promise<NoticesReply | undefined> {
    const { subject, groups } = stream.visitor;
    const query = { groups, unreadOnly: true, limit };
    return this.#client.request('notices', subject, query, { deadlineMs: ANSWER_DEADLINE_MS });
  }
}
