// @ts-check
import { PRODUCTS, pathOf } from '../catalogue.js';

/* robot.js: what a search engine does: it asks for pages under its own name, and keeps no cookies. */

const USER_AGENT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
const PATHS = ['/', ...PRODUCTS.slice(0, 4).map(({ slug }) => pathOf(slug))];
// It is no view: by the time that it is answered, all that counts behind the pages has been sent.
const LAST = '/raw-session-analytics';
const DEADLINE_MS = 10_000;

/** Sends a robot through the shop. @param {string} url @returns What it got: pages, and cookies.
 *  @throws {DOMException} for a page that is not answered within ten seconds */
export async function sendRobot(url) {
  let pages = 0;
  let cookies = 0;
  for (const path of [...PATHS, LAST]) {
    const response = await fetch(url + path, {
      headers: { 'User-Agent': USER_AGENT, Accept: 'text/html' },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    await response.arrayBuffer();
    cookies += response.headers.getSetCookie().length;
    if (response.ok && path !== LAST) pages += 1;
  }
  return { asked: PATHS.length, pages, cookies };
}
