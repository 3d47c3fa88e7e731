// @ts-check
/* page-log.js: what the pages of each browser asked, and what they were told: the last ones, in the memory of this process.
 * A browser is told by a cookie of the demo, and its two visitors by the port that a page came from. */

const MOST_BROWSERS = 20;
const MOST_PAGES = 12;

/** @typedef {'first' | 'second'} VisitorName */
/** One thing that a page asked or said.
 *  @typedef {object} Call
 *  @property {string} name As it stands in the page's code behind `request.`: `sessionwise.visit`, `session.increment`.
 *  @property {readonly unknown[]} args
 *  @property {unknown} answer Undefined where none came in time, or none yet.
 *  @property {number | undefined} ms How long it took; undefined while it is under way.
 *  @property {boolean} failed Whether it was refused with an error.
 *  @property {boolean} isBehind Whether the page had begun to be sent, so that its content waited for nothing.
 *  @property {number} turn Which turn of the event loop it was asked in: those of one turn travel together.
 *  @property {unknown} [explained] Of suggestions: the answer that explains them. The panel asks for it, in the same turn. */
/** A page, or a form that led to one.
 *  @typedef {object} Page
 *  @property {VisitorName} visitor
 *  @property {string} method
 *  @property {string} path
 *  @property {Call[]} calls
 *  @property {number | undefined} status Undefined while the answer is under way.
 *  @property {number} deadlineMs How long it may wait for the service.
 *  @property {boolean} counted Whether its view was counted, behind the answer.
 *  @property {string | undefined} subject Whom it asked about.
 *  @property {string | undefined} session The session of its data.
 *  @property {string | undefined} user Who was logged in. */
/** @typedef {{ pages: Page[], done: Set<string>, wasOff: boolean, tips: Set<string> }} BrowserLog */

/** The pages of all browsers. */
export class PageLog {
  /** @type {Map<string, BrowserLog>} */
  #browsers = new Map();
  /** @type {Set<(browser: string, page?: Page) => void>} */
  #listeners = new Set();
  /** How many views were counted since the start, of all visitors. */
  views = 0;

  /** What is known of a browser. @param {string} browser @returns {BrowserLog} */
  of(browser) {
    const known = this.#browsers.get(browser) ?? { pages: [], done: new Set(), wasOff: false, tips: new Set() };
    // The one that was looked at longest ago goes first.
    this.#browsers.delete(browser);
    this.#browsers.set(browser, known);
    if (this.#browsers.size > MOST_BROWSERS) this.#browsers.delete([...this.#browsers.keys()][0] ?? '');
    return known;
  }

  /** @param {string} browser @param {Page} page */
  add(browser, page) {
    const log = this.of(browser);
    const others = log.pages.filter(({ visitor }) => visitor !== page.visitor);
    const own = log.pages.filter(({ visitor }) => visitor === page.visitor).slice(1 - MOST_PAGES);
    log.pages = [...others, ...own, page];
  }

  /** Forgets the pages of one visitor. @param {string} browser @param {VisitorName} name */
  forget(browser, name) {
    const log = this.of(browser);
    log.pages = log.pages.filter(({ visitor }) => visitor !== name);
    if (name === 'first') {
      // What the path asks for was done by somebody who is forgotten.
      log.tips.clear();
      log.wasOff = false;
      for (const step of ['look', 'tip', 'cart', 'off']) log.done.delete(step);
    }
    this.changed(browser);
  }

  /** Notes that a view was counted: that of the last such page. @param {string} subject @param {string} url */
  counted(subject, url) {
    this.views += 1;
    for (const [browser, { pages }] of this.#browsers) {
      const page = pages.findLast(
        (one) => one.subject === subject && one.path === url && one.method === 'GET' && !one.counted,
      );
      if (!page) continue;
      page.counted = true;
      this.changed(browser, page);
    }
  }

  /** Says that something of a browser changed. @param {string} browser @param {Page} [page] */
  changed(browser, page) {
    for (const listener of this.#listeners) listener(browser, page);
  }

  /** @param {(browser: string, page?: Page) => void} listener @returns {() => void} Ends it. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
