// The visits of the part "rules": those of www.microsoft.com in a week of February 1998 (UCI, Breese, Heckerman and Kadie:
// Anonymous Microsoft Web Data), where SESSIONWISE_TEST_MSWEB names the file `msweb.data.gz`; else made ones of the same
// form.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const AREAS = 285;
const MADE_SESSIONS = 5_000;
const MOST_PAGES = 6;

/** `name`: whose visits; `areas`: the pages, the most viewed first; `visits`: [number of the session, page] in their order. */
export function readVisits() {
  const file = process.env.SESSIONWISE_TEST_MSWEB;
  const sessions = file ? readMsweb(file) : makeSessions();
  const counts = new Map();
  for (const page of sessions.flat()) counts.set(page, (counts.get(page) ?? 0) + 1);
  const areas = [...counts.entries()].sort(([, one], [, other]) => other - one).map(([page]) => page);
  const visits = sessions.flatMap((pages, session) => pages.map((page) => [session, page]));
  return { name: file ? 'www.microsoft.com, February 1998' : 'made visits', areas, visits };
}

// `A` is an area, `C` a session, `V` a view of the session above.
function readMsweb(file) {
  const areas = new Map();
  const sessions = [];
  for (const line of gunzipSync(readFileSync(file)).toString('latin1').split('\n')) {
    const [kind, id, , , path] = line.trim().split(',');
    if (kind === 'A') areas.set(id, path.replaceAll('"', ''));
    if (kind === 'C') sessions.push([]);
    if (kind === 'V') sessions.at(-1).push(areas.get(id));
  }
  return sessions;
}

// A few pages are seen by most, and most pages by few; the same each time.
function makeSessions() {
  let state = 7;
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const page = () => `/area-${Math.floor(AREAS * next() ** 3)}`;
  return Array.from({ length: MADE_SESSIONS }, () => Array.from({ length: 1 + Math.floor(MOST_PAGES * next()) }, page));
}
