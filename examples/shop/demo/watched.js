// @ts-check
import { browserOf } from './browser-cookie.js';

/* watched.js: Sessionwise as the shop gets it in the demo: the same calls with the same answers, written down with the time
 * that they took. Nothing of the shop and nothing of the package knows of it. */

/** @import { Request, Response } from 'express'
 *  @import { Call, Page, PageLog, VisitorName } from './page-log.js' */
/** @typedef {import('sessionwise/express').Sessionwise} Sessionwise
 *  @typedef {import('sessionwise').SessionHandle} SessionHandle */

/** The methods of a request's session that say something to Redis at once. */
const OF_SESSION = /** @type {const} */ (['increment', 'setIf', 'rotate', 'identify']);
const PAGE = Symbol('page of the demo');

/** @typedef {object} Watching
 *  @property {PageLog} log
 *  @property {VisitorName} visitor
 *  @property {string} visitorCookie Names the cookie of this visitor: browsers keep cookies by host, not by port.
 *  @property {number} deadlineMs */

/** Writes the views that are counted into the log. Once for all visitors. @param {Sessionwise} sw @param {PageLog} log */
export function watchViews({ client }, log) {
  const publish = client.publish.bind(client);
  client.publish = async (command, session, payload) => {
    const isTaken = await publish(command, session, payload);
    if (isTaken && command === 'pageview') log.counted(session, String(payload));
    return isTaken;
  };
}

/** The same for one of the two visitors. @param {Sessionwise} sw @param {Watching} watching @returns {Sessionwise} */
export function watched(sw, { log, visitor, visitorCookie, deadlineMs }) {
  const own = {
    /** @type {Sessionwise['session']} */
    session(options) {
      const attach = sw.session(options);
      return (request, response, next) => {
        const page = begin(request, response);
        attach(request, response, (/** @type {unknown} */ error) => {
          if (page && request.session) noteSession(request.session, page);
          next(error);
        });
      };
    },
    /** @param {import('sessionwise/express').KnowledgeOptions<Request>} [options] */
    knowledge(options) {
      // The shop stands in frames here, which count for nothing elsewhere; and known robots are no visitors, as always.
      const attach = sw.knowledge({ ...options, bots: 'ignore', cookie: { name: visitorCookie }, isPageview: isShown });
      return (/** @type {Request} */ request, /** @type {Response} */ response, /** @type {() => void} */ next) => {
        const page = pageOf(request);
        if (page) noteHandle(request, page);
        attach(request, response, next);
      };
    },
  };
  return /** @type {Sessionwise} */ (
    new Proxy(sw, {
      get(target, name) {
        if (Object.hasOwn(own, name)) return Reflect.get(own, name);
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    })
  );

  /** @param {Request} request @param {Response} response @returns {Noted | undefined} */
  function begin(request, response) {
    const browser = browserOf(request.headers.cookie);
    if (browser === undefined || !(isShown(request) || request.method === 'POST')) return undefined;
    /** @type {Page} */
    const page = {
      visitor,
      method: request.method,
      path: request.originalUrl,
      calls: [],
      status: undefined,
      deadlineMs,
      counted: false,
      subject: undefined,
      session: undefined,
      user: undefined,
    };
    const noted = { page, response, turn: 0, isTurnOpen: false, changed: () => log.changed(browser, page) };
    Object.defineProperty(request, PAGE, { value: noted });
    log.add(browser, page);
    response.on('close', () => {
      page.status = response.statusCode;
      page.session = request.session?.info()?.session ?? page.session;
      page.user = request.session?.name;
      noted.changed();
    });
    return noted;
  }
}

/** @typedef {{ page: Page, response: Response, turn: number, isTurnOpen: boolean, changed: () => void }} Noted */

/** @param {Request} request @returns {Noted | undefined} */
function pageOf(request) {
  return /** @type {any} */ (request)[PAGE];
}

/** Whether somebody sees what is asked for: a document, here also one in a frame. @param {Request} request */
function isShown({ method, headers }) {
  const { 'sec-fetch-dest': destination, 'sec-purpose': purpose = '', accept = '' } = headers;
  if (method !== 'GET' || /prefetch/.test(String(purpose)) || accept.includes('text/event-stream')) return false;
  return destination === undefined ? true : destination === 'document' || destination === 'iframe';
}

/** Whatever handle the middleware attaches is noted, that of a person behind a login too.
 *  @param {Request} request @param {Noted} noted */
function noteHandle(request, noted) {
  if (Object.getOwnPropertyDescriptor(request, 'sessionwise')?.get) return;
  /** @type {SessionHandle | undefined} */
  let handle;
  Object.defineProperty(request, 'sessionwise', {
    configurable: true,
    get: () => handle,
    set(/** @type {SessionHandle} */ given) {
      handle = notedHandle(given, noted);
      noted.page.subject = given.id ?? noted.page.subject;
    },
  });
}

/** @param {SessionHandle} handle @param {Noted} noted @returns {SessionHandle} */
function notedHandle(handle, noted) {
  const { notices } = handle;
  const own = new Map(
    Object.entries({
      notices: new Proxy(notices, { get: noting('sessionwise.notices', noted) }),
      suggestions: (/** @type {any} */ options) => explainedToo(handle, options, noted),
    }),
  );
  const get = noting('sessionwise', noted);
  return new Proxy(handle, { get: (target, name) => own.get(String(name)) ?? get(target, name) });
}

/** A trap that notes each call. @param {string} prefix @param {Noted} noted */
function noting(prefix, noted) {
  return (/** @type {any} */ target, /** @type {string | symbol} */ name) => {
    // Of the object itself: its fields are private, and a proxy has none.
    const value = Reflect.get(target, name, target);
    if (typeof value !== 'function') return value;
    return (/** @type {unknown[]} */ ...args) =>
      note(noted, `${prefix}.${String(name)}`, args, () => value.apply(target, args));
  };
}

/** The page's question, and beside it the same with the explanation, which is for the panel alone.
 *  @param {SessionHandle} handle @param {any} options @param {Noted} noted */
function explainedToo(handle, options, noted) {
  const asked = note(noted, 'sessionwise.suggestions', options === undefined ? [] : [options], () =>
    handle.suggestions(options),
  );
  const call = noted.page.calls.at(-1);
  const explained = handle.suggestions({ ...options, explain: true });
  void Promise.all([explained, asked.catch(() => undefined)]).then(([answer]) => {
    if (call) call.explained = answer;
    noted.changed();
  });
  return asked;
}

/** @param {any} session @param {Noted} noted */
function noteSession(session, noted) {
  noted.page.session = session.info?.()?.session;
  for (const name of OF_SESSION) {
    const method = session[name];
    if (typeof method !== 'function') continue;
    const value = (/** @type {unknown[]} */ ...args) =>
      note(noted, `session.${name}`, args, () => method.apply(session, args));
    Object.defineProperty(session, name, { value, configurable: true, enumerable: false });
  }
}

/**
 * Makes a call and notes it, its answer and its time. What comes of it comes of the page.
 * @template Answer
 * @param {Noted} noted
 * @param {string} name
 * @param {unknown[]} args
 * @param {() => Answer} ask
 * @returns {Answer}
 */
function note(noted, name, args, ask) {
  if (!noted.isTurnOpen) {
    noted.isTurnOpen = true;
    noted.turn += 1;
    setImmediate(() => {
      noted.isTurnOpen = false;
    });
  }
  /** @type {Call} */
  const call = {
    name,
    args,
    answer: undefined,
    ms: undefined,
    failed: false,
    isBehind: noted.response.headersSent,
    turn: noted.turn,
  };
  noted.page.calls.push(call);
  const start = performance.now();
  const end = () => {
    call.ms = performance.now() - start;
    noted.changed();
  };
  const asked = ask();
  if (!(asked instanceof Promise)) {
    call.answer = asked;
    end();
    return asked;
  }
  asked.then(
    (answer) => {
      call.answer = answer;
      end();
    },
    () => {
      call.failed = true;
      end();
    },
  );
  return asked;
}
