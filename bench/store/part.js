// The session store beside connect-redis: single operations, and pages of Express. One Redis for all; each side in a
// process of its own, its visitors in another.
import { measurePages } from '../page/measure-pages.js';
import { rowOf } from '../report/rows.js';
import { startChild, startChildren, stopChildren } from '../support/child.js';
import { withRedis } from '../support/redis.js';
import { interleave } from '../support/rounds.js';
import { readRedis, redisBetween } from '../support/window.js';
import { SECRET, SIDE_IDS } from './sides.js';

const SIDE = new URL('./store-process.js', import.meta.url);
const LOAD = new URL('../support/load-process.js', import.meta.url);

const MEASURED = [
  { title: 'get', operation: 'get', inFlight: [1, 16, 64] },
  { title: 'set of one changed field', operation: 'set', inFlight: [1, 16, 64] },
  { title: 'set, moving the end each time (touchEveryMs 0)', operation: 'setEager', inFlight: [16] },
  { title: 'create', operation: 'create', inFlight: [16] },
  // Ours sends nothing within touchEveryMs, so there is no Redis to compare.
  { title: 'touch', operation: 'touch', inFlight: [16] },
  { title: 'touch that is sent (touchEveryMs 0)', operation: 'touchEager', inFlight: [16] },
  { title: 'a page that reads its session', path: 'reads', inFlight: [1, 16, 64] },
  { title: 'a page that changes one field', path: 'writes', inFlight: [1, 16, 64] },
];

/** The rows of this part. */
export function benchStore({ rounds, smoke }) {
  const times = smoke
    ? { warmMs: 10, ms: 30, sessions: 64, mostConnections: 16 }
    : { warmMs: 150, ms: 750, sessions: 1_000, mostConnections: 64 };
  const rows = MEASURED.flatMap(({ inFlight, ...row }) =>
    inFlight.map((some) => ({ ...row, inFlight: some, sides: SIDE_IDS })),
  );
  return withRedis(async ({ redis, url }) => {
    const children = await startChildren({
      load: () => startChild(LOAD),
      ...Object.fromEntries(
        SIDE_IDS.map((side) => [side, () => startChild(SIDE, [side, url, String(times.sessions)])]),
      ),
    });
    try {
      const stage = { redis, children, times };
      const measure = (row, side) => (row.path ? measurePage(stage, row, side) : measureOperation(stage, row, side));
      const found = await interleave({ rows, rounds, measure });
      return rows.map(({ title, operation, path, inFlight }, i) =>
        rowOf({
          id: `store/${operation ?? path}/${inFlight}`,
          title,
          load: `${inFlight} ${path ? 'connections' : 'in flight'}, ${times.sessions} sessions of 350 bytes of JSON`,
          against: 'connectRedis',
          rounds: found[i],
        }),
      );
    } finally {
      await stopChildren(children);
    }
  });
}

async function measureOperation({ redis, children, times }, { operation, ...row }, side) {
  const child = children[side];
  const inFlight = Math.min(row.inFlight, times.mostConnections);
  await child.ask('run', { operation, ms: times.warmMs, inFlight });
  const read = async () => ({ cpu: await child.ask('cpu'), redis: await readRedis(redis) });
  const before = await read();
  const { count, ...speed } = await child.ask('run', { operation, ms: times.ms, inFlight });
  const after = await read();
  return {
    ...speed,
    operations: count,
    siteUs: (after.cpu - before.cpu) / count,
    ...redisBetween(before.redis, after.redis, count),
  };
}

function measurePage({ redis, children, times }, { path, inFlight }, side) {
  const { load, [side]: site } = children;
  return measurePages({
    redis,
    site,
    load,
    secret: SECRET,
    path,
    connections: inFlight,
    marks: [],
    ...times,
    isCounted: path === 'writes',
  });
}
