import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SessionClient } from '../client/index.ts';
import type { Suggestion } from '../protocol/index.ts';
import { type Clock, Keys, type RedisConnection } from '../redis/index.ts';
import { DueQueue } from './due-queue.ts';
import { type LiveEvent, placeInList, readResumePoint, timeOf, withdrawals } from './live-event.ts';
import { LiveFeed } from './live-feed.ts';
import { LIVE_DEFAULTS, type LiveOptions } from './live-options.ts';
import { readMissed } from './read-missed.ts';
import { nameOf, RecentEvents } from './recent-events.ts';
import { drop, put } from './sets-by-key.ts';
import { LONGEST_TIMER_MS } from './timers.ts';
import { UnreadNotices } from './unread-notices.ts';
import { type LiveVisitor, VisitorStream } from './visitor-stream.ts';

/* live-hub.ts: the open streams of all visitors of one process. What happens comes over one connection to Redis, whatever
 * their number; who is concerned is found by topics. A new notice is told to all at once; counts that cannot be told from
 * the event alone are asked of the service, some at a time. */

const ASKED_AT_ONCE = 64;
const ANSWER_DEADLINE_MS = 2_000;
const AGAIN_MS = 1_000;
/** Where a moment concerns many, their questions are spread over so long, in milliseconds. */
const SPREAD_MS = 500;
/** An event is written so long behind what it tells at most, in milliseconds; mostly at once. */
const COUNTED_WITHIN_MS = 1_000;
/** How long counts are told on without a question, in milliseconds, and up to twice of it: an event may have been lost. */
const RECOUNT_MS = 150_000;
/** How often a question says that there are streams, in milliseconds: only then suggestions are told (`live`). */
const WATCH_MS = 4 * 60_000;

/** All open streams of a process. */
export class LiveHub {
  readonly #client: SessionClient;
  readonly #options: Required<LiveOptions>;
  readonly #feed: LiveFeed;
  readonly #unread: UnreadNotices;
  readonly #now: Clock;
  readonly #streams = new Set<VisitorStream>();
  readonly #byTopic = new Map<string, Set<VisitorStream>>();
  readonly #bySession = new Map<string, Set<VisitorStream>>();
  readonly #bySubject = new Map<string, Set<VisitorStream>>();
  readonly #due: DueQueue<VisitorStream>;
  readonly #recent = new RecentEvents();
  readonly #intervals: readonly NodeJS.Timeout[];
  #isClosed = false;

  /** `redis`: an open connection to the namespace's Redis; the hub makes another from it, on which it waits. `now`: the time
   *  by Redis's clock. */
  constructor(client: SessionClient, redis: RedisConnection, now: Clock, options: LiveOptions = {}) {
    this.#client = client;
    this.#options = { ...LIVE_DEFAULTS, ...options };
    this.#now = now;
    this.#due = new DueQueue(ASKED_AT_ONCE, (stream) => this.#ask(stream));
    this.#feed = new LiveFeed(redis, new Keys(client.namespace), {
      begin: (id) => this.#recent.begin(id),
      event: (event) => this.#take(event),
      ended: (session) => this.#logOut(session),
      identified: (session) => this.#changeUser(session),
      gap: () => this.#tellAllStale(),
    });
    this.#unread = new UnreadNotices(client, this.#recent, this.#feed);
    this.#feed.start();
    const { heartbeatMs, maxAgeMs } = this.#options;
    this.#intervals = [
      setInterval(() => this.#beat(), Math.min(heartbeatMs, maxAgeMs, LONGEST_TIMER_MS)).unref(),
      setInterval(() => this.#watch(), WATCH_MS).unref(),
    ];
  }

  /** How many streams are open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Whether no further stream of a visitor is taken. */
  isFullFor(subject: string): boolean {
    const { maxStreams, maxStreamsOfVisitor } = this.#options;
    if (this.#isClosed || this.#streams.size >= maxStreams) return true;
    return (this.#bySubject.get(subject)?.size ?? 0) >= maxStreamsOfVisitor;
  }

  /** When a browser that was refused may come back, in seconds. */
  get retryAfterSeconds(): number {
    return Math.ceil((2 * this.#options.retryMs) / 1_000);
  }

  /** Opens a stream for a visitor, or answers 503 where there are too many. `lastEventId`: where the browser was before a
   *  cut. */
  open(visitor: LiveVisitor, response: ServerResponse, lastEventId?: string): void {
    if (this.isFullFor(visitor.subject)) {
      response.writeHead(503, { 'retry-after': String(this.retryAfterSeconds) }).end();
      return;
    }
    const { retryMs } = this.#options;
    const stream = new VisitorStream(visitor, response, readResumePoint(lastEventId));
    // The browser went while its session was looked up: nothing would tell that it is gone.
    if (!stream.isOpen) return;
    this.#streams.add(stream);
    put(this.#bySubject, visitor.subject, stream);
    if (visitor.session !== undefined) put(this.#bySession, visitor.session, stream);
    response.on('close', () => this.#forget(stream));
    response.on('error', () => this.#forget(stream));
    stream.begin(retryMs + Math.floor(Math.random() * retryMs));
    void this.#feed.ready.then(() => {
      stream.beganAt = this.#feed.position;
      this.#askSoon(stream);
    });
  }

  /** Ends all streams and the connection. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const interval of this.#intervals) clearInterval(interval);
    for (const stream of this.#streams) {
      stream.timers.clear();
      stream.end();
    }
    await this.#feed.stop();
  }

  #take(event: LiveEvent): void {
    this.#recent.add(event);
    const concerned = new Set(event.topics.flatMap((topic) => [...(this.#byTopic.get(topic) ?? [])]));
    for (const stream of concerned) {
      stream.events += 1;
      if (stream.isCaughtUp) this.#tell(stream, event);
      else stream.held.push(event);
    }
  }

  #tell(stream: VisitorStream, event: LiveEvent): void {
    if (isMergedAway(stream, event)) {
      // The browser comes back, and is asked as the person.
      stream.end();
      return;
    }
    if (event.event === 'published' && this.#isToCome(event)) {
      this.#lookAt(stream, event.notice.at);
      return;
    }
    this.#tellOf(stream, event);
    // Counts that were asked a moment ago may have it in them.
    const isCounted = timeOf(event.id) < stream.countedAt + COUNTED_WITHIN_MS;
    if (event.event === 'published' && !event.isElsewhere && !isCounted) stream.addOne();
    else if (event.event !== 'suggested') this.#askSoon(stream);
    if (event.event === 'published' && event.notice.expiresAt !== undefined) {
      this.#lookAt(stream, event.notice.expiresAt);
    }
  }

  // Tells the event itself, without what follows of it.
  #tellOf(stream: VisitorStream, event: LiveEvent): void {
    if (event.event === 'published' && event.isElsewhere) stream.inDoubt.push(event);
    else if (event.event === 'published') stream.sendNotice(event);
    else if (event.event === 'suggested') void this.#tellSuggestion(stream, event.rule, event.id);
    else if (event.event === 'edited' || event.event === 'withdrawn') {
      stream.send(event.event, { id: event.notice }, event.id);
    }
  }

  async #tellSuggestion(stream: VisitorStream, rule: string, id: string): Promise<void> {
    const options = { deadlineMs: ANSWER_DEADLINE_MS };
    const { subject, groups } = stream.visitor;
    const [suggestion] = ((await this.#client.request('combo', subject, { name: rule, groups }, options)) ??
      []) as Suggestion[];
    if (suggestion) stream.send('suggestion', suggestion, id);
  }

  #logOut(session: string): void {
    for (const stream of this.#bySession.get(session) ?? []) {
      if (!stream.visitor.isAnonymous) stream.send('logged-out', {});
      stream.end();
    }
  }

  // Streams of a person must not go on where the session may be another person's. The browser comes back as who it is now.
  #changeUser(session: string): void {
    for (const stream of this.#bySession.get(session) ?? []) if (!stream.visitor.isAnonymous) stream.end();
  }

  #tellAllStale(): void {
    this.#recent.begin();
    for (const stream of this.#streams) {
      stream.send('stale', {}, this.#feed.position);
      this.#askSoon(stream);
    }
  }

  // Tells what happened while the browser was away, once it is known what concerns the visitor.
  async #catchUp(stream: VisitorStream): Promise<void> {
    const { events, reached, isComplete } = await readMissed(stream, this.#recent, this.#feed, this.#now);
    if (!stream.isOpen) return;
    const told = new Set<string>();
    const goneAt = withdrawals(events);
    for (const [i, event] of events.entries()) {
      if (this.#isToCome(event) || this.#hasEnded(event) || (goneAt.get(placeInList(event)) ?? 0) > i) continue;
      this.#tellOf(stream, event);
      if (event.event === 'published') told.add(nameOf(event.notice));
      if (stream.isBusy) await nextTurn();
    }
    await this.#unread.tellInDoubt(stream);
    stream.lastId ??= reached;
    const { resumesFrom } = stream;
    if (resumesFrom && isComplete) await this.#unread.tellBegun(stream, resumesFrom.time + 1, told);
    stream.send(isComplete ? 'open' : 'stale', {}, reached);
    for (let event = stream.held.shift(); event; event = stream.held.shift()) {
      this.#tell(stream, event);
      if (stream.isBusy) await nextTurn();
    }
    stream.isCaughtUp = true;
    if (events.some((event) => isMergedAway(stream, event))) stream.end();
    if (events.length > 0) this.#askSoon(stream);
  }

  // This process's measure of Redis's clock may be some milliseconds behind what was published just now.
  #isToCome(event: LiveEvent): boolean {
    return event.event === 'published' && event.notice.at > Math.max(this.#now(), timeOf(event.id));
  }

  #hasEnded(event: LiveEvent): boolean {
    return event.event === 'published' && (event.notice.expiresAt ?? Number.POSITIVE_INFINITY) <= this.#now();
  }

  // Something begins or ends to be shown then.
  #lookAt(stream: VisitorStream, at: number): void {
    if (at >= stream.changesAt || !stream.isOpen) return;
    stream.changesAt = at;
    stream.timers.in(at - this.#now() + Math.random() * SPREAD_MS, () => this.#askSoon(stream));
  }

  #askSoon(stream: VisitorStream): void {
    if (stream.isOpen) this.#due.add(stream);
  }

  async #ask(stream: VisitorStream): Promise<void> {
    const { subject, groups } = stream.visitor;
    const { events } = stream;
    const isFirst = !stream.known;
    const from = this.#feed.position;
    const askedAt = this.#now();
    const known = await this.#client.request('live', subject, { groups }, { deadlineMs: ANSWER_DEADLINE_MS });
    if (!stream.isOpen) return;
    if (!known) {
      // The service is away: the stream stays open, and is live again when it is back.
      stream.timers.in(AGAIN_MS * (1 + Math.random()), () => this.#askSoon(stream));
      return;
    }
    const had = new Set(stream.topics);
    for (const topic of had) drop(this.#byTopic, topic, stream);
    stream.known = known;
    stream.countedAt = askedAt;
    stream.recountAt = askedAt + RECOUNT_MS * (1 + Math.random());
    for (const topic of stream.topics) put(this.#byTopic, topic, stream);
    stream.sendCounts(known);
    // What came while it was asked.
    const isNew = stream.topics.some((topic) => !had.has(topic));
    if (stream.events !== events || (isNew && from !== this.#feed.position)) this.#askSoon(stream);
    const { changesAt } = stream;
    const hasChanged = changesAt <= this.#now();
    if (hasChanged) stream.changesAt = Number.POSITIVE_INFINITY;
    if (known.changesAt !== null) this.#lookAt(stream, known.changesAt);
    await this.#unread.tellInDoubt(stream);
    if (hasChanged) await this.#unread.tellBegun(stream, changesAt);
    if (isFirst) await this.#catchUp(stream);
  }

  #beat(): void {
    const { maxAgeMs } = this.#options;
    for (const stream of this.#streams) {
      if (performance.now() - stream.openedAt > maxAgeMs) stream.end();
      else stream.beat();
      if (stream.known && this.#now() > stream.recountAt) this.#askSoon(stream);
    }
  }

  #watch(): void {
    const [stream] = this.#streams;
    if (stream) this.#askSoon(stream);
  }

  #forget(stream: VisitorStream): void {
    if (!this.#streams.delete(stream)) return;
    this.#due.delete(stream);
    stream.timers.clear();
    const { subject, session } = stream.visitor;
    drop(this.#bySubject, subject, stream);
    if (session !== undefined) drop(this.#bySession, session, stream);
    for (const topic of stream.topics) drop(this.#byTopic, topic, stream);
  }
}

/** Whether what was known of the stream's visitor is a person's now. */
function isMergedAway(stream: VisitorStream, event: LiveEvent): boolean {
  return event.event === 'merged' && event.of === stream.known?.topic;
}
