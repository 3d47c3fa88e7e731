import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestRefusedError } from '../request-refused-error.ts';
import type { DashboardView } from '../view.ts';
import type { Told } from './shared-read.ts';
import type { SharedReads } from './shared-reads.ts';

const HEARTBEAT_MS = 15_000;
/** A browser that takes nothing for so long is given up. */
const STALLED_MS = 30_000;
const RETRY_MS = 2_000;

interface Open {
  readonly response: ServerResponse;
  readonly isStillAllowed: (() => Promise<boolean>) | undefined;
  readonly end: () => void;
  /** The newest that could not be written yet: what a slow browser misses is older. */
  held: string | undefined;
  stalledAt: number | undefined;
}

/** The open streams of server-sent events. `data:` is a view's data as JSON; the event `trouble` says in a sentence why there
 *  are none; the event `again` asks the page to open the stream anew, and is its last. */
export class EventStreams {
  readonly #reads: SharedReads;
  readonly #most: number;
  readonly #open = new Set<Open>();
  readonly #timer: NodeJS.Timeout;

  constructor(reads: SharedReads, most = 50, heartbeatMs: number = HEARTBEAT_MS) {
    this.#reads = reads;
    this.#most = most;
    this.#timer = setInterval(() => this.#beat(), heartbeatMs).unref();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Opens a stream. `isStillAllowed`: asked each 15 seconds; the stream ends where it is not. Undefined: only another
   *  request could tell, and each 15 seconds the page is asked for one.
   *  @throws RequestRefusedError where too many are open. */
  open(
    view: DashboardView,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
    isStillAllowed: (() => Promise<boolean>) | undefined,
  ): void {
    if (this.#open.size >= this.#most) {
      throw new RequestRefusedError(503, 'Too many pages of the dashboard are open: close some of them.', {
        retryAfterSeconds: 5,
      });
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      // A proxy or middleware that compresses would hold events back.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    let stop: () => void = () => undefined;
    const stream: Open = {
      response,
      isStillAllowed,
      held: undefined,
      stalledAt: undefined,
      end: () => {
        if (!this.#open.delete(stream)) return;
        stop();
        response.end();
      },
    };
    this.#open.add(stream);
    write(stream, `retry: ${RETRY_MS}\n\n`);
    stop = this.#reads.follow(view, query, (told) => write(stream, eventOf(told)));
    response.on('drain', () => {
      const { held } = stream;
      stream.held = undefined;
      stream.stalledAt = undefined;
      if (held !== undefined) write(stream, held);
    });
    for (const event of ['close', 'error'] as const) response.on(event, stream.end);
    request.on('error', stream.end);
    if (response.destroyed) stream.end();
  }

  /** Ends all streams. */
  close(): void {
    clearInterval(this.#timer);
    for (const stream of this.#open) stream.end();
  }

  #beat(): void {
    for (const stream of this.#open) {
      if (stream.stalledAt !== undefined && performance.now() - stream.stalledAt > STALLED_MS) {
        stream.response.destroy();
        stream.end();
        continue;
      }
      if (!stream.isStillAllowed) {
        // One that takes nothing would not take this either, and ends above.
        if (stream.stalledAt !== undefined) continue;
        write(stream, 'event: again\ndata: {}\n\n');
        stream.end();
        continue;
      }
      stream.isStillAllowed().then(
        (isAllowed) => (isAllowed ? write(stream, ': still here\n\n') : stream.end()),
        () => stream.end(),
      );
    }
  }
}

function write(stream: Open, text: string): void {
  const { response } = stream;
  if (response.writableEnded || response.destroyed) return;
  if (stream.stalledAt !== undefined) {
    // Heartbeats are for lines that are silent.
    if (!text.startsWith(':')) stream.held = text;
    return;
  }
  if (!response.write(text)) stream.stalledAt = performance.now();
}

function eventOf(told: Told): string {
  return 'json' in told
    ? `data: ${told.json}\n\n`
    : `event: trouble\ndata: ${JSON.stringify({ message: told.trouble })}\n\n`;
}
