import type { ServerResponse } from 'node:http';
import type { LiveReply, NoticeCounts } from '../protocol/index.ts';
import { isBefore, type LiveEvent, type PublishedEvent, type ResumePoint } from './live-event.ts';
import { Timers } from './timers.ts';

/** The most bytes that wait for a visitor who does not read, until the stream is ended; the browser comes back. */
const MOST_WAITING_BYTES = 64 * 1024;
/** A visitor has so long to read what is left of a stream that has ended. */
const READ_WITHIN_MS = 2_000;
/** Who tells much at once waits for a turn of the event loop where so many bytes wait: they are sent at its end. */
const MUCH_WAITING_BYTES = 16 * 1024;

/** Node's response, on which a stream is written. */
export type StreamResponse = ServerResponse;

/** Who looks at a page. */
export interface LiveVisitor {
  /** The public id of the session or person that is asked as. */
  readonly subject: string;
  /** The public id of the session that ends with a logout; undefined where there is none. */
  readonly session: string | undefined;
  /** Whether nobody is logged in: then the end of the session is no logout, and the stream ends without a word. Default
   *  false. */
  readonly isAnonymous?: boolean;
  readonly groups: readonly string[];
}

/** One visitor's open stream of server-sent events. */
export class VisitorStream {
  readonly visitor: LiveVisitor;
  readonly #response: ServerResponse;
  /** As the service answered last. */
  known: LiveReply | undefined;
  /** Where the browser was before a cut. */
  readonly resumesFrom: ResumePoint | undefined;
  /** The last event before it was opened. */
  beganAt: string | undefined;
  /** The last event that was told. */
  lastId: string | undefined;
  /** When the counts were asked for that were told last, in milliseconds of the epoch by Redis's clock. */
  countedAt = 0;
  /** When they are asked for again, whatever happens. */
  recountAt = 0;
  /** Whether the browser was told what it had missed. */
  isCaughtUp = false;
  /** What happens until then. */
  readonly held: LiveEvent[] = [];
  /** Notices that were published and stand in other lists too: they may have been read there. */
  readonly inDoubt: PublishedEvent[] = [];
  /** When something begins or ends to be shown next, in milliseconds of the epoch, as far as is known. */
  changesAt = Number.POSITIVE_INFINITY;
  /** Until something is to be asked for it: they end with it, and do not keep it in memory for days. */
  readonly timers: Timers = new Timers();
  /** How many events concerned it: counts that were asked before the last of them may be old. */
  events = 0;
  /** When it was opened, on the clock of `performance.now()`. */
  readonly openedAt: number = performance.now();
  #told: NoticeCounts | undefined;

  constructor(visitor: LiveVisitor, response: ServerResponse, resumesFrom?: ResumePoint) {
    this.visitor = visitor;
    this.resumesFrom = resumesFrom;
    this.#response = response;
  }

  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed;
  }

  /** Whether much waits to be sent. */
  get isBusy(): boolean {
    return this.#response.writableLength > MUCH_WAITING_BYTES;
  }

  /** The topics by which events concern the visitor. */
  get topics(): readonly string[] {
    return this.known ? [this.known.topic, ...this.known.lists.map(({ topic }) => topic)] : [];
  }

  /** Begins the stream. `retryMs`: when the browser comes back after a cut. */
  begin(retryMs: number): void {
    this.#response.writeHead(200, {
      // A server that closes need not wait for a connection on which nothing more comes.
      ...(this.#response.req?.httpVersionMajor === 1 && { connection: 'close' }),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    this.#write(`retry: ${retryMs}\n\n`);
  }

  /** Sends an event. `id`: the place in the stream of events, from which the browser goes on after a cut. */
  send(event: string, data: unknown, id?: string): void {
    if (id !== undefined) this.lastId = id.split('.', 1)[0];
    const place = id === undefined ? '' : `id: ${id}\n`;
    this.#write(`${place}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  /** Sends a notice that was published, with its group or segment: the stream of events holds no names. Behind a later event
   *  it has no place: after a cut the browser goes on behind that one. */
  sendNotice({ id, topics, notice }: PublishedEvent): void {
    const list = this.known?.lists.find(({ topic }) => topics.includes(topic));
    const { topic: _, ...name } = list ?? { topic: '' };
    const isLate = this.lastId !== undefined && isBefore(id, this.lastId);
    this.send('notice', { ...notice, ...name }, isLate ? undefined : id);
  }

  /** Sends the counts, if they are others than those that were sent last. */
  sendCounts({ unseen, unread, changesAt }: NoticeCounts): void {
    if (this.#told?.unseen === unseen && this.#told.unread === unread) return;
    this.#told = { unseen, unread, changesAt };
    this.send('unread', { unseen, unread });
  }

  /** Counts one more notice that was published just now. */
  addOne(): void {
    if (!this.known) return;
    this.known = { ...this.known, unseen: this.known.unseen + 1, unread: this.known.unread + 1 };
    this.sendCounts(this.known);
  }

  /** Sends what keeps a silent connection open. */
  beat(): void {
    this.#write(':\n\n');
  }

  /** Ends the stream; the browser comes back. */
  end(): void {
    endAnswer(this.#response);
  }

  #write(text: string): void {
    if (!this.isOpen) return;
    this.#response.write(text);
    // Who does not read must not fill the memory: the browser comes back and goes on where it was.
    if (this.#response.writableLength > MOST_WAITING_BYTES) this.#response.destroy();
  }
}

/** Ends an answer without what others have put around its `end`: a library of sessions would save or renew there the session
 *  of a request that began an hour ago. Who does not read what is left is cut off: a server that closes would wait for it. */
export function endAnswer(response: ServerResponse): void {
  if (response.writableEnded) return;
  const { end } = Object.getPrototypeOf(response) as ServerResponse;
  Reflect.apply(end, response, []);
  const cut = setTimeout(() => response.destroy(), READ_WITHIN_MS).unref();
  response.once('close', () => clearTimeout(cut));
}
