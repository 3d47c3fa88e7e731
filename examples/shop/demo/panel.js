// @ts-check
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { CUSTOMERS } from '../catalogue.js';
import { rateLimit } from '../rate-limit.js';
import { sameOrigin } from '../same-origin.js';
import { browserOf, knownBrowser } from './browser-cookie.js';
import { forgetVisitor } from './forget-visitor.js';
import { isLoopback } from './loopback.js';
import { panelState } from './panel-state.js';
import { sendRobot } from './robot.js';
import { shell } from './shell.js';
import { noteProgress } from './steps.js';

/* panel.js: the routes of the panel. They are there in the demo alone, on this machine alone, and take forms of their own
 * page only. */

/** @import { NextFunction, Request, RequestHandler, Response } from 'express'
 *  @import { PageLog } from './page-log.js' */
/** The process of the service, which the panel switches.
 *  @typedef {object} ServiceSwitch
 *  @property {'on' | 'off' | 'starting' | 'stopping'} state
 *  @property {() => Promise<void>} start
 *  @property {() => Promise<void>} stop
 *  @property {(listener: () => void) => void} onChange */
/** @typedef {object} PanelParts
 *  @property {import('sessionwise/express').Sessionwise} sw
 *  @property {PageLog} log
 *  @property {string} url Where the shop is.
 *  @property {string} secondPort Where it is for the second visitor.
 *  @property {Record<'first' | 'second', readonly string[]>} cookies The names of each visitor's cookies.
 *  @property {ServiceSwitch} [service]
 *  @property {import('./forget-visitor.js').Forget} [forget] */

const PUBLIC = fileURLToPath(new URL('public', import.meta.url));
const GATHER_MS = 30;
const HEARTBEAT_MS = 15_000;
const SHOWN_FOR_MS = 24 * 3600 * 1000;
const DEEDS = { most: 60, windowMs: 60_000 };

/** @param {PanelParts} parts */
export function createPanel(parts) {
  const { log, url, service, secondPort } = parts;
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.locals.url = new URL(url).origin;
  log.listen((browser, page) => page && noteProgress(log.of(browser), page));

  app.use((request, response, next) => {
    const frames = secondOrigin(request, secondPort);
    response.set({
      'Content-Security-Policy': `default-src 'self'; frame-src 'self' ${frames}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'private, no-cache',
    });
    next();
  });
  app.use('/demo', express.static(PUBLIC, { index: false }));
  app.get('/demo', (request, response) => {
    knownBrowser(request, response);
    response.type('html').send(
      String(
        shell({
          second: secondOrigin(request, secondPort),
          hasService: service !== undefined,
          hasForget: parts.forget !== undefined,
        }),
      ),
    );
  });
  app.get('/demo/events', (request, response) => followPages(request, response, parts));
  // Forms of other sites are refused first: they must not use up what the panel's own may do.
  const form = [sameOrigin, rateLimit(DEEDS), express.urlencoded({ extended: false, limit: '4kb' })];
  for (const [name, deed] of deedsOf(parts)) app.post(`/demo/${name}`, form, deed);
  app.use((_request, response) => void response.sendStatus(404));
  app.use(failure);
  return app;
}

/** @param {any} error @param {Request} _request @param {Response} response @param {NextFunction} next */
function failure(error, _request, response, next) {
  if (response.headersSent) return next(error);
  const status = Number.isInteger(error?.status) ? error.status : 500;
  response.status(status).json({ text: status === 500 ? `That did not work: ${error?.message}` : 'This was refused.' });
}

/** The same host under the other port, by the name that the browser uses: cookies are kept by host and not by port, so the
 *  second visitor has cookies of other names there. Another host would not do: its frame would be of another site, and
 *  Chromium, Firefox and Safari send no cookies with SameSite there (Safari none at all).
 *  @param {Request} request @param {string} port */
function secondOrigin({ hostname }, port) {
  const name = isLoopback(hostname) ? hostname : '127.0.0.1';
  return `http://${name}:${port}`;
}

/** Server-sent events: the state of the panel, whenever it changes.
 *  @param {Request} request @param {Response} response @param {PanelParts} parts */
function followPages(request, response, { log, service }) {
  const browser = browserOf(request.headers.cookie);
  if (browser === undefined) return response.sendStatus(204);
  response.set({ 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store, no-transform' });
  let sent = '';
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const send = () => {
    timer = undefined;
    const state = JSON.stringify(panelState(log.of(browser), service));
    if (state !== sent) response.write(`data: ${state}\n\n`);
    sent = state;
  };
  const sendSoon = () => {
    timer ??= setTimeout(send, GATHER_MS);
  };
  const heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT_MS);
  const stop = log.listen((changed) => (changed === browser || changed === '') && sendSoon());
  response.on('close', () => {
    stop();
    clearTimeout(timer);
    clearInterval(heartbeat);
  });
  send();
}

/** What the panel's buttons do. @param {PanelParts} parts @returns {Map<string, RequestHandler>} */
function deedsOf({ sw, log, url, cookies, service, forget }) {
  /** @type {Map<string, RequestHandler>} */
  const deeds = new Map();
  deeds.set('robot', async (_request, response) => {
    const before = log.views;
    const { asked, pages, cookies: given } = await sendRobot(url);
    const counted = log.views - before;
    response.json({
      text: `A search engine’s robot asked for ${asked} pages and got ${pages}. Counted: ${counted}. Views of all visitors: ${before} before, ${log.views} after. Cookies that it was given: ${given}.`,
    });
  });
  deeds.set('notice', async (_request, response) => {
    const id = `written-${randomBytes(12).toString('base64url')}`;
    const notice = {
      title: 'Ten per cent off all lamps',
      text: 'Until we close tonight.',
      severity: /** @type {const} */ ('success'),
    };
    try {
      await sw.notices.publish({ id, ...notice, to: { group: CUSTOMERS }, expiresAt: Date.now() + SHOWN_FOR_MS });
    } catch (error) {
      if (/** @type {any} */ (error)?.code !== 'NOT_ACKNOWLEDGED') throw error;
      return void response.status(503).json({ text: 'Nobody took it: the service is off.' });
    }
    response.json({
      text: 'It is out: look at the bell of every open page. It was one write, whatever the number of customers.',
    });
  });
  if (forget) {
    deeds.set('reset', async (request, response) => {
      const browser = browserOf(request.headers.cookie);
      if (browser === undefined) return void response.sendStatus(400);
      const visitor = request.body?.visitor === 'second' ? 'second' : 'first';
      const pages = log.of(browser).pages.filter((page) => page.visitor === visitor);
      const { sessions, knowledge } = await forgetVisitor(pages, forget);
      for (const name of cookies[visitor]) response.clearCookie(name);
      log.forget(browser, visitor);
      response.json({
        text: `Forgotten: ${knowledge} ${knowledge === 1 ? 'key' : 'keys'} of what was known, ${sessions} ${sessions === 1 ? 'session' : 'sessions'} with a cart. ${visitor === 'first' ? 'You are' : 'The second visitor is'} new to the shop.`,
      });
    });
  }
  if (service) {
    service.onChange(() => log.changed(''));
    deeds.set('service', async (request, response) => {
      const isWanted = request.body?.on === 'yes';
      await (isWanted ? service.start() : service.stop());
      response.json({
        text: isWanted
          ? 'The service is on again. The shop was never restarted: open a page.'
          : 'The service is off. Open a page: it comes, without answers.',
      });
    });
  }
  return deeds;
}
