// The whole page: its session, its view and four questions (figures, what is new, suggestions, notices), served by Express
// 5, beside the same page on connect-redis without any of it. One Redis for all but streams, whose service has work when
// nobody asks; sites, services and the load are processes of their own, and stay for all rounds.
import { rowOf } from '../report/rows.js';
import { startChild, startChildren, stopChildren } from '../support/child.js';
import { withRedis } from '../support/redis.js';
import { interleave, median } from '../support/rounds.js';
import { measurePages } from './measure-pages.js';
import { SECRET } from './namespace.js';
import { publishNotices } from './notify.js';

const PAGE = new URL('./page-process.js', import.meta.url);
const SERVICE = new URL('./service-process.js', import.meta.url);
const LOAD = new URL('../support/load-process.js', import.meta.url);
const SESSIONS = 200;
const CONNECTIONS = [1, 16, 64];
const COMPARED = 16;
const PART_OF_MAXIMUM = 0.7;
const PACED_CONNECTIONS = 64;
const SIDES = ['connectRedis', 'tuned', 'ours', 'inline', 'streams', 'floor', 'paper'];
const PACED_SIDES = ['connectRedis', 'tuned', 'ours', 'inline'];
/** The service of a side. */
const SERVICE_OF = { ours: 'ours', paper: 'ours', streams: 'streams', floor: 'floor' };
const LOAD_OF = `${SESSIONS} sessions of 350 bytes, 12 pages, Express 5`;

/** The rows of this part. `times`: milliseconds of warming up and of measuring. */
export function benchPage({ rounds, smoke }) {
  const times = smoke ? { warmMs: 20, ms: 50, mostConnections: 16 } : { warmMs: 500, ms: 2_400, mostConnections: 64 };
  return withRedis((shared) =>
    withRedis(async (ofStreams) => {
      const redisOf = (side) => (side === 'streams' ? ofStreams : shared);
      const children = await startAll(redisOf);
      try {
        const stage = { redisOf, children, times };
        const whole = await wholeRows(stage, rounds);
        const compared = whole[CONNECTIONS.indexOf(COMPARED)];
        return [...whole, await pacedRow(stage, rounds, compared), await waitingRow(stage, rounds)];
      } finally {
        await stopChildren(children);
      }
    }),
  );
}

// In two steps: a site waits for its service.
async function startAll(redisOf) {
  const services = await startChildren({
    load: () => startChild(LOAD),
    ...mapped([...new Set(Object.values(SERVICE_OF))], (side) => [
      `${side} service`,
      () => startChild(SERVICE, [side, redisOf(side).url]),
    ]),
  });
  try {
    const sites = await startChildren(
      mapped(SIDES, (side) => [side, () => startChild(PAGE, [side, redisOf(side).url, String(SESSIONS)])]),
    );
    // A namespace is made by the first service that serves it.
    for (const namespace of ['ours', 'streams', 'inline']) await publishNotices(redisOf(namespace).url, namespace);
    return { ...services, ...sites };
  } catch (error) {
    await stopChildren(services);
    throw error;
  }
}

const mapped = (names, entry) => Object.fromEntries(names.map(entry));

async function wholeRows(stage, rounds) {
  const rows = CONNECTIONS.map((connections) => ({ connections, sides: SIDES }));
  const found = await interleave({
    rows,
    rounds,
    measure: ({ connections }, side) => measureSide(stage, side, { path: 'whole', connections }),
  });
  return rows.map(({ connections }, i) =>
    rowOf({
      id: `page/whole/${connections}`,
      title: 'the whole page',
      load: `${connections} connections, ${LOAD_OF}`,
      against: 'connectRedis',
      rounds: found[i],
    }),
  );
}

async function pacedRow(stage, rounds, row) {
  const measure = (_, side) => {
    const maximum = median(row.rounds.map((round) => round[side].perSecond));
    const perSecond = maximum * PART_OF_MAXIMUM;
    return measureSide(stage, side, { path: 'whole', connections: PACED_CONNECTIONS, perSecond });
  };
  const [found] = await interleave({ rows: [{ sides: PACED_SIDES }], rounds, measure });
  return rowOf({
    id: 'page/paced',
    title: `the whole page at ${PART_OF_MAXIMUM * 100} % of each side's own maximum`,
    load: `so many pages a second whether those before are there or not; maxima of ${COMPARED} connections; ${LOAD_OF}`,
    against: 'connectRedis',
    rounds: found,
  });
}

// The sides are two pages of one site.
async function waitingRow(stage, rounds) {
  const sides = ['publishes', 'waits'];
  const measure = (_, path) => measureSide(stage, 'ours', { path, connections: COMPARED });
  const [found] = await interleave({ rows: [{ sides }], rounds, measure });
  return rowOf({
    id: 'page/waits',
    title: 'a page that waits for the answer to its view, and the same that does not wait',
    load: `${COMPARED} connections, ${LOAD_OF}`,
    against: 'publishes',
    rounds: found,
  });
}

function measureSide({ redisOf, children, times }, side, load) {
  return measurePages({
    ...load,
    ...times,
    redis: redisOf(side).redis,
    secret: SECRET,
    load: children.load,
    site: children[side],
    service: children[`${SERVICE_OF[side]} service`],
    marks: MARKS[load.path]?.[side] ?? [],
    isCounted: COUNTED.includes(side),
  });
}

const COUNTED = ['ours', 'streams', 'inline', 'paper'];
const LIVE = ['data-state="live"', 'data-notice="new-lamps"'];
const MARKS = {
  whole: { ours: LIVE, streams: LIVE, inline: LIVE, paper: LIVE },
  waits: { ours: ['data-viewed="'] },
};
