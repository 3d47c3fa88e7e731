/* load.js: what is asked over each way, alike for all sides. */

/** How many sessions there are, with ids as long as real ones. A view of each of 12 pages, in turn. */
export const PAGES = 12;
const sessionOf = (i, sessions) => (i % sessions).toString(36).padStart(25, '0');

const ITEMS = Array.from({ length: 6 }, (_, i) => pathOf(i * 2));

function pathOf(page) {
  return `/articles/${2_000 + page}/a-page-of-the-benchmark`;
}

/** Request number `i` of a kind: its command, session and payload. They repeat after `sessions * PAGES`. */
export function requestOf(kind, i, sessions) {
  const session = sessionOf(i, sessions);
  if (kind === 'question') return ['surface', session, ITEMS];
  return ['pageview', session, pathOf(Math.floor(i / sessions + i) % PAGES)];
}

/** The key for items. */
export const SECRET = 'the secret of the benchmark';
export const NAMESPACE = 'bench';

/** A request that waits so long has failed, in milliseconds. 512 connections take their time to open. */
export const DEADLINE_MS = 10_000;
