import { LIVE_SCRIPT } from '../browser/index.ts';
import type { SessionClient, SessionHandle } from '../client/index.ts';
import { LiveHub, type LiveOptions, type LiveVisitor, ServerWatch, type StreamResponse } from '../live/index.ts';
import { isPerson, sessionOf } from '../protocol/index.ts';
import { checkOptions, type OptionForms } from '../protocol/internal/index.ts';
import {
  type ConnectionOptions,
  type RedisClient,
  RedisClock,
  type RedisConnection,
  shareConnection,
} from '../redis/index.ts';
import { isCertain } from './http/attach-handle.ts';
import type { HandleRequest } from './http/handle-request.ts';
import { isOtherOrigin } from './http/other-origin.ts';
import { bearerOf } from './http/page-request.ts';
import { type PlainAnswer, scriptAnswer } from './http/script-answer.ts';

/* live-streams.ts: the live streams of a site (docs/notices.md), without the framework: who a stream is for, who gets none,
 * and the script for pages that listen. */

const OPTIONS: OptionForms<LiveOptions> = {
  maxStreams: 'count',
  maxStreamsOfVisitor: 'count',
  heartbeatMs: 'count',
  retryMs: 'count',
  maxAgeMs: 'count',
};
const CLOCK_INTERVAL_MS = 10_000;
const MARK_CHARACTERS = 16;
const EVENTS = { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store, no-transform' };

/** The live streams of a site. The hub that they share is made for the first of them. */
export class LiveStreams {
  readonly #client: SessionClient;
  readonly #source: string | ConnectionOptions | RedisClient;
  readonly #watch = new ServerWatch();
  #options: LiveOptions | undefined;
  #hub: LiveHub | undefined;
  #redis: RedisConnection | undefined;
  #clockTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `redis`: where the namespace is. */
  constructor(client: SessionClient, redis: string | ConnectionOptions | RedisClient) {
    this.#client = client;
    this.#source = redis;
  }

  /** Takes the options of a mount. `owner`: its name in messages. `more`: forms of options that the framework adds.
   *  @throws RangeError for an option that is unknown or cannot be used, and for other options than an earlier mount's: the
   *  process has one hub. */
  configure(owner: string, options: LiveOptions, more: Readonly<Record<string, string>> = {}): void {
    checkOptions(owner, options, { ...OPTIONS, ...more }, ELSEWHERE);
    const names = Object.keys(OPTIONS) as (keyof LiveOptions)[];
    const given = Object.fromEntries(
      names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
    );
    if (this.#options && JSON.stringify(given) !== JSON.stringify(this.#options)) {
      throw new RangeError(`${owner} has other options here than where it was mounted before: give the same in both.`);
    }
    this.#options = given;
  }

  /** Opens the stream of a request, or returns the answer where there is none. `handle`: the request's. `begin`: called where
   *  a stream is opened, on whose response it is written.
   *  @throws TypeError where there is no handle: the middleware is missing that finds the visitor. */
  answer<Request>(
    request: Request,
    page: HandleRequest<Request>,
    handle: SessionHandle | undefined,
    begin: () => StreamResponse,
  ): PlainAnswer | undefined {
    const [path = '', query = ''] = page.url.split('?', 2);
    const isHead = page.method === 'HEAD';
    if (page.method !== 'GET' && !isHead) return empty(405, { Allow: 'GET, HEAD' });
    if (/\/[\w-]+\.js$/.test(path)) {
      return scriptAnswer(LIVE_SCRIPT, path, { ifNoneMatch: page.header('if-none-match'), isPrivate: true });
    }
    if (isOtherOrigin((name) => page.header(name))) return empty(403);
    if (!handle) throw new TypeError(NO_HANDLE);
    // Whether somebody is logged in will be known in a moment: the store is away, or the session was just rotated.
    if (!isCertain(page.ownStore, request)) return this.#busy();
    if (handle.id === undefined) return empty(204);
    const visitor = visitorOf(handle.id, request, page, handle);
    const mark = markOf(visitor);
    const asked = new URLSearchParams(query);
    // The browser is somebody else now than when the page asked.
    if ((asked.get('visitor') ?? mark) !== mark) return empty(204);
    if (this.#isClosed || this.#hub?.isFullFor(visitor.subject)) return this.#busy();
    if (isHead) return { status: 200, headers: { ...EVENTS, 'Sessionwise-Visitor': mark }, body: '' };
    const response = begin();
    this.#watch.add(response);
    this.#opened().open(visitor, response, page.header('last-event-id') || (asked.get('after') ?? undefined));
    return undefined;
  }

  /** Ends all streams. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#clockTimer);
    await this.#hub?.close();
    await this.#redis?.close();
  }

  #opened(): LiveHub {
    if (this.#hub) return this.#hub;
    const redis = shareConnection(this.#source, 'sessionwise-client');
    const clock = new RedisClock();
    const measure = (): void => void (redis.isReady && clock.measure(redis).catch(() => undefined));
    redis.on('ready', measure);
    redis.open();
    this.#redis = redis;
    this.#clockTimer = setInterval(measure, CLOCK_INTERVAL_MS).unref();
    this.#hub = new LiveHub(this.#client, redis, clock.now, this.#options);
    return this.#hub;
  }

  #busy(): PlainAnswer {
    return empty(503, { 'Retry-After': String(this.#hub?.retryAfterSeconds ?? 4) });
  }
}

const NO_HANDLE =
  'sw.live finds the visitor by what sw.knowledge has found: mount sw.knowledge before it, app.use(sw.knowledge()).';
const ELSEWHERE = {
  ...Object.fromEntries(
    ['user', 'groups', 'consent', 'cookie', 'token'].map((name) => [name, `it belongs to sw.knowledge: { ${name} }.`]),
  ),
  path: 'its path is where it is mounted.',
};

function visitorOf<Request>(
  subject: string,
  request: Request,
  page: HandleRequest<Request>,
  handle: SessionHandle,
): LiveVisitor {
  const info = page.ownStore?.info(request);
  const isToken = bearerOf(page) !== undefined;
  return {
    subject,
    groups: handle.notices.groups,
    session: isToken ? handle.session.id : info?.session,
    isAnonymous: !isToken && !isPerson(subject) && info?.userId === undefined,
  };
}

// By it the tabs of a browser know that they may share a stream. It tells nothing of the visitor.
function markOf({ subject, groups }: LiveVisitor): string {
  return sessionOf(['live', subject, ...groups].join('\0')).slice(0, MARK_CHARACTERS);
}

function empty(status: number, headers: Readonly<Record<string, string>> = {}): PlainAnswer {
  return { status, headers: { 'Cache-Control': 'no-store', ...headers }, body: '' };
}
