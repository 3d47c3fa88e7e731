// What notices cost: an inbox of 50, the count of unread ones, a publish; what the count adds to a page's one message; and
// what a group costs of which nobody, or everybody, has read something.
import { SessionClient } from 'sessionwise';
import { openInline, subjectOf } from '../knowledge/inline.js';
import { rowOf } from '../report/rows.js';
import { startChild } from '../support/child.js';
import { withRedis } from '../support/redis.js';
import { interleave } from '../support/rounds.js';
import { readRedis, redisBetween, runAll, runFor, speedOf } from '../support/window.js';
import { audienceRows } from './audience.js';

const SERVICE = new URL('../page/service-process.js', import.meta.url);
// Where its service serves.
const NAMESPACE = 'ours';
const INBOX = 50;
const SUBJECTS = 200;
const IN_FLIGHT = 16;
const groups = ['readers'];
const ITEMS = Array.from({ length: 6 }, (_, i) => `/articles/${i}`);
const LOAD = `${IN_FLIGHT} in flight, ${SUBJECTS} sessions that have read half of the ${INBOX}`;
const TEXT = 'Whatever you order until Sunday comes for nothing.';

const MEASURED = {
  inbox: {
    title: `a list of ${INBOX} notices`,
    once: ({ ask }, i) => ask('notices', subject(i), { groups, limit: INBOX }),
  },
  unread: { title: 'the count of unread notices', once: ({ ask }, i) => ask('notice-counts', subject(i), { groups }) },
  publish: {
    title: 'a publish to a group',
    once: ({ ask, nextId }, i) =>
      ask('publish-notice', subject(i), { to: { group: 'published' }, id: nextId(), text: TEXT }),
  },
};
const PAGES = {
  without: (page) => Promise.all([page.figures(), page.unseen(ITEMS), page.suggestions()]),
  with: (page) =>
    Promise.all([page.figures(), page.unseen(ITEMS), page.suggestions(), page.notices.unread({ groups })]),
};

const subject = (i) => subjectOf('reader', i % SUBJECTS);

/** The rows of this part. */
export async function benchNotices({ rounds, smoke, isMillion }) {
  const times = smoke ? { warmMs: 10, ms: 30 } : { warmMs: 250, ms: 900 };
  const single = await withRedis(({ redis, url }) =>
    withSides(url, (sides) => singleRows(redis, sides, rounds, times)),
  );
  const members = smoke ? 300 : isMillion ? 1_000_000 : 20_000;
  return [...single, ...(await audienceRows({ members, smoke }))];
}

// Each side has the same notices, in a namespace of its own.
async function withSides(url, work) {
  const service = await startChild(SERVICE, ['ours', url]);
  const client = new SessionClient({ redis: url, namespace: NAMESPACE, deadlineMs: 10_000, ownConnection: true });
  await client.ready();
  const inline = await openInline(url);
  const ask = async (command, session, payload) => {
    const reply = await client.request(command, session, payload);
    if (reply === undefined) throw new Error(`No answer to ${command}.`);
    return reply;
  };
  let last = 0;
  const nextId = () => {
    last += 1;
    return `published-${last}`;
  };
  const sides = { ours: { ask, nextId, client, service }, inline: { ...inline, nextId } };
  try {
    for (const side of Object.values(sides)) await seed(side);
    return await work(sides);
  } finally {
    await inline.close();
    await client.close();
    await service.stop();
  }
}

async function seed({ ask }) {
  const ids = Array.from({ length: INBOX }, (_, i) => `n${i}`);
  for (const id of ids) {
    const notice = { id, title: 'Free delivery', text: TEXT, severity: 'info', data: { link: `/notices/${id}` } };
    await ask('publish-notice', subject(0), { to: { group: groups[0] }, ...notice });
  }
  const read = (i) =>
    ask('mark-notices', subject(i), { ids: ids.filter((_, place) => place % 2 === i % 2), as: 'read' });
  await runAll({ count: SUBJECTS, inFlight: IN_FLIGHT, once: read });
}

async function singleRows(redis, sides, rounds, times) {
  const rows = Object.keys(MEASURED).map((name) => ({ name, sides: Object.keys(sides) }));
  const measure = ({ name }, side) => measureOne(redis, sides[side], times, (i) => MEASURED[name].once(sides[side], i));
  const found = await interleave({ rows, rounds, measure });
  const page = (_, side) => measureOne(redis, sides.ours, times, (i) => askPage(sides.ours.client, side, i));
  const [pages] = await interleave({ rows: [{ sides: Object.keys(PAGES) }], rounds, measure: page });
  return [
    ...rows.map(({ name }, i) =>
      rowOf({ id: `notices/${name}`, title: MEASURED[name].title, load: LOAD, rounds: found[i] }),
    ),
    rowOf({
      id: 'notices/page',
      title: 'three questions of a page in one message, and the same with the count of unread notices',
      load: LOAD,
      against: 'without',
      rounds: pages,
    }),
  ];
}

async function askPage(client, side, i) {
  const answers = await PAGES[side](client.session(subject(i)));
  if (answers.includes(undefined)) throw new Error('A question of a page was not answered.');
}

async function measureOne(redis, { service }, { warmMs, ms }, once) {
  await runFor({ ms: warmMs, inFlight: IN_FLIGHT, once });
  const before = { redis: await readRedis(redis), service: await service?.ask('cpu') };
  const found = await runFor({ ms, inFlight: IN_FLIGHT, once });
  const after = { redis: await readRedis(redis), service: await service?.ask('cpu') };
  return {
    ...speedOf(found),
    requests: found.count,
    ...(service && { serviceUs: (after.service - before.service) / found.count }),
    ...redisBetween(before.redis, after.redis, found.count),
  };
}
