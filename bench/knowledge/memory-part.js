// What the store takes: bytes of Redis a subject, bytes of its file a view, a session's own data, and how that grows.
import { rowOf } from '../report/rows.js';
import { openSide, seedSessions } from '../store/sides.js';
import { usedMemory, withRedis } from '../support/redis.js';
import { openInline, viewAll } from './inline.js';

const MINUTE_MS = 60_000;
const VIEWS = 20;
const PAGES = 12;
// What comes once and not per subject: scripts, buffers, and the histograms of latency, 40 KB a command.
const WARM_UP = 100;
const STEPS = 10;

/** The rows of this part. One round: bytes do not depend on what else the machine does. */
export async function benchMemory({ smoke, isMillion }) {
  const subjects = smoke ? 300 : 10_000;
  const all = isMillion ? 1_000_000 : 100_000;
  return [
    await viewsRow(subjects),
    await fileRow(smoke ? 100 : 2_000),
    await sessionRow(subjects),
    await growthRow(smoke ? 5_000 : all),
  ];
}

const oneView = () => [[0, Date.now()]];
// The last one is now.
const twentyViews = () => {
  const end = Date.now();
  return Array.from({ length: VIEWS }, (_, i) => [i % PAGES, end - ((VIEWS - 1 - i) * 10 * MINUTE_MS) / VIEWS]);
};

async function viewsRow(subjects) {
  const bytes = (views) =>
    withRedis(async ({ redis, url }) => {
      const inline = await openInline(url);
      await viewAll(inline, 'warm', WARM_UP, views);
      const before = await usedMemory(redis);
      await viewAll(inline, 'visit', subjects, views);
      const each = ((await usedMemory(redis)) - before) / subjects;
      const keys = (await redis.sendCommand(['DBSIZE'])) / (WARM_UP + subjects);
      await inline.close();
      return { bytes: each, keys };
    });
  return rowOf({
    id: 'memory/views',
    title: 'bytes a subject: one view; 20 views of 12 pages in 10 minutes',
    load: `growth of used_memory over ${subjects} subjects: keys, expiry and tables included`,
    rounds: [{ one: await bytes(oneView), twenty: await bytes(twentyViews) }],
  });
}

async function fileRow(subjects) {
  const round = await withRedis(
    async ({ redis, url }) => {
      await redis.sendCommand(['CONFIG', 'SET', 'auto-aof-rewrite-percentage', '0']);
      const inline = await openInline(url);
      await viewAll(inline, 'warm', WARM_UP, twentyViews);
      const before = await fileBytes(redis);
      await viewAll(inline, 'visit', subjects, twentyViews);
      const bytes = ((await fileBytes(redis)) - before) / (subjects * VIEWS);
      await inline.close();
      return { view: { bytes } };
    },
    { persistence: true },
  );
  return rowOf({
    id: 'memory/file',
    title: 'bytes of AOF a view, mean of those 20',
    load: `${subjects} subjects`,
    rounds: [round],
  });
}

async function fileBytes(redis) {
  const info = await redis.sendCommand(['INFO', 'persistence']);
  const number = (name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)[1]);
  return number('aof_current_size') + number('aof_buffer_length');
}

async function sessionRow(sessions) {
  const round = {};
  for (const side of ['ours', 'connectRedis']) {
    round[side] = await withRedis(async ({ redis, url }) => {
      const { store, close } = await openSide(side, url);
      const tokens = await seedSessions(store, WARM_UP);
      await Promise.all(tokens.map((token) => store.get(token)));
      const before = await usedMemory(redis);
      await seedSessions(store, sessions);
      const bytes = ((await usedMemory(redis)) - before) / sessions;
      await close();
      return { bytes };
    });
  }
  return rowOf({
    id: 'memory/session',
    title: "bytes of a session's own data",
    load: `growth of used_memory over ${sessions} sessions of 350 bytes of JSON, each just made`,
    against: 'connectRedis',
    rounds: [round],
  });
}

// Tables of keys double at powers of two, so the bytes of the steps differ.
async function growthRow(subjects) {
  const steps = await withRedis(async ({ redis, url }) => {
    const inline = await openInline(url);
    await viewAll(inline, 'warm', WARM_UP, oneView);
    const found = {};
    let before = await usedMemory(redis);
    const first = before;
    for (let step = 0; step < STEPS; step += 1) {
      const count = subjects / STEPS;
      await viewAll(inline, 'visit', count, oneView, step * count);
      const now = await usedMemory(redis);
      found[(step + 1) * count] = { bytes: (now - before) / count, meanBytes: (now - first) / ((step + 1) * count) };
      before = now;
    }
    await inline.close();
    return found;
  });
  return rowOf({
    id: 'memory/growth',
    title: 'bytes a subject of one view, as their number grows',
    load: `${subjects} subjects, in ${STEPS} steps`,
    rounds: [steps],
  });
}
