// @ts-check
import { randomBytes } from 'node:crypto';
import { listen } from '../listen.js';
import { createShop, createStore, openForPages } from '../shop.js';
import { isLoopback } from './loopback.js';
import { PageLog } from './page-log.js';
import { createPanel } from './panel.js';
import { watched, watchViews } from './watched.js';

/* start-demo.js: the shop with the panel beside it (`/demo`), and once more for a second visitor on a port of its own. */

const COOKIES = /** @type {const} */ ({ first: ['shop.sid', 'sessionwise'], second: ['shop.sid.2', 'sessionwise-2'] });

/** @typedef {object} DemoOptions
 *  @property {string} redis `redis://host:port` or `unix:///path/to.sock`
 *  @property {number} [port] Default 3379; 0 takes a free one.
 *  @property {string} [host] Default 127.0.0.1
 *  @property {string} [namespace] Default `sw`
 *  @property {string} [cookieSecret] Signs the cookies. Default: a new one at each start.
 *  @property {number} [deadlineMs] How long a page may wait for the service. Default 100
 *  @property {import('./panel.js').ServiceSwitch} [service] Default: the panel has no such switch.
 *  @property {import('./forget-visitor.js').Forget} [forget] Erases everything of a session or a user. Default: the panel
 *    forgets nobody.
 *  @property {(line: string) => void} [log] Default: says nothing. */

/**
 * Starts the shop and the panel.
 * @param {DemoOptions} options
 * @returns {Promise<{ url: string, demoUrl: string, secondUrl: string, close(): Promise<void> }>}
 * @throws {RangeError} for an address that the panel cannot have, above all one that others can reach
 */
export async function startDemo({
  port = 3379,
  host = '127.0.0.1',
  deadlineMs = 100,
  cookieSecret = randomBytes(32).toString('base64url'),
  log = () => {},
  service,
  forget,
  ...options
}) {
  if (!isLoopback(host)) throw new RangeError(`The panel is for this machine alone: ${host} cannot be its address.`);
  const first = await listen(port, host);
  const second = await listen(0, host);
  const sw = createStore({ ...options, deadlineMs, log });
  const close = async (/** @type {{ stop(): void } | undefined} */ ownNotices) => {
    ownNotices?.stop();
    await Promise.all([first.close(), second.close(), sw.close()]);
  };
  try {
    const pages = new PageLog();
    watchViews(sw, pages);
    const firstPort = new URL(first.url).port;
    const names = ['127.0.0.1', 'localhost', new URL(first.url).hostname];
    const framedBy = ["'self'", ...new Set(names.map((name) => `http://${name}:${firstPort}`))].join(' ');
    for (const [visitor, { server, url }] of /** @type {const} */ ([
      ['first', first],
      ['second', second],
    ])) {
      const [cookieName, visitorCookie] = COOKIES[visitor];
      const watching = { log: pages, visitor, visitorCookie, deadlineMs };
      const shop = createShop(watched(sw, watching), {
        cookieSecret,
        cookieName,
        framedBy,
        deadlineMs,
        demo: true,
        log,
      });
      shop.locals.url = new URL(url).origin;
      if (visitor === 'second') server.on('request', shop);
      else {
        const secondPort = new URL(second.url).port;
        const panel = createPanel({
          sw,
          log: pages,
          url,
          secondPort,
          cookies: COOKIES,
          ...(service && { service }),
          ...(forget && { forget }),
        });
        server.on('request', (request, response) => (isPanels(request.url) ? panel : shop)(request, response));
      }
    }
    const ownNotices = await openForPages(sw, log);
    if (service) await warmUp(sw);
    return { url: first.url, demoUrl: `${first.url}/demo`, secondUrl: second.url, close: () => close(ownNotices) };
  } catch (error) {
    await close(undefined);
    throw error;
  }
}

/** Asks what pages ask, for nobody: the first questions of a process take longer, and nobody's first page should wait for
 *  them. Questions write nothing. @param {ReturnType<typeof createStore>} sw */
async function warmUp(sw) {
  if (!(await sw.client.ready())) return;
  const nobody = sw.person('nobody', { deadlineMs: 2_000 });
  for (let i = 0; i < 5; i += 1) await Promise.all([nobody.suggestions(), nobody.unseen(['/'])]);
}

/** @param {string} [url] */
function isPanels(url = '/') {
  return /^\/demo(?=[/?]|$)/.test(url);
}
