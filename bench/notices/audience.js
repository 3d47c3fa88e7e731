// A group of many members: what a publish to it costs while nobody has read anything, and when everybody has; and what a
// member takes that has looked, that has read one notice, and that has read 50.
import { openInline, subjectOf } from '../knowledge/inline.js';
import { rowOf } from '../report/rows.js';
import { usedMemory, withRedis } from '../support/redis.js';
import { readRedis, redisBetween, runAll } from '../support/window.js';

const GROUP = 'everybody';
const groups = [GROUP];
const NOTICES = 50;
const PUBLISHED = 200;
const IN_FLIGHT = 64;
/** So many read all notices: each is counted by itself, which takes its time. */
const MOST_WHO_READ_ALL = 10_000;

/** The rows of an audience of `members`. */
export function audienceRows({ members, smoke }) {
  return withRedis(async ({ redis, url }) => {
    const inline = await openInline(url);
    const stage = { redis, inline, published: 0 };
    for (let i = 0; i < NOTICES; i += 1) await publish(stage);
    // What comes once: scripts, and the counts of readers that have turned into their large form.
    await each('warm', smoke ? 100 : 5_000, async (member) => {
      await inline.ask('notice-counts', member, { groups });
      await ask(inline, member, lastId(stage), 'read');
    });
    const readAll = smoke ? 30 : MOST_WHO_READ_ALL;
    const nobody = await publishCost(stage);
    const looked = await growth(stage, 'member', members, (member) => inline.ask('notice-counts', member, { groups }));
    const one = await growth(stage, 'member', members, (member) => ask(inline, member, lastId(stage), 'read'));
    const everybody = await publishCost(stage);
    const all = await growth(stage, 'reader', readAll, (member) =>
      inline.ask('mark-notices', member, { groups, as: 'read' }),
    );
    await inline.close();
    const load = `${members} members of a group of ${NOTICES} notices and more, inline`;
    return [
      rowOf({
        id: 'notices/audience',
        title: 'a publish to a group of which nobody has read anything, and to one of which every member has',
        load,
        against: 'nobody',
        rounds: [{ nobody, everybody }],
      }),
      rowOf({
        id: 'notices/members',
        title: 'bytes a member: one that has looked, one that has read a notice, and one that has read all',
        load,
        rounds: [{ looked, one, all }],
      }),
    ];
  });
}

async function publish(stage) {
  stage.published += 1;
  const notice = {
    to: { group: GROUP },
    id: lastId(stage),
    text: 'Whatever you order until Sunday comes for nothing.',
  };
  await stage.inline.ask('publish-notice', subjectOf('writer', 0), notice);
}

const lastId = ({ published }) => `notice-${published}`;
const ask = (inline, member, id, as) => inline.ask('mark-notices', member, { ids: [id], as });

async function publishCost(stage) {
  const before = await readRedis(stage.redis);
  const started = performance.now();
  for (let i = 0; i < PUBLISHED; i += 1) await publish(stage);
  const ms = (performance.now() - started) / PUBLISHED;
  return { ms, ...redisBetween(before, await readRedis(stage.redis), PUBLISHED) };
}

function each(kind, count, once) {
  return runAll({ count, inFlight: IN_FLIGHT, once: (i) => once(subjectOf(kind, i)) });
}

// The bytes of Redis that each member takes more, and how long that took.
async function growth({ redis }, kind, members, once) {
  const [before, keysBefore] = [await usedMemory(redis), await redis.sendCommand(['DBSIZE'])];
  const started = performance.now();
  await each(kind, members, once);
  const seconds = (performance.now() - started) / 1_000;
  const bytes = ((await usedMemory(redis)) - before) / members;
  const keys = ((await redis.sendCommand(['DBSIZE'])) - keysBefore) / members;
  // A connection's buffer is not a member's: below a byte it is none.
  return { members, moreBytes: Math.abs(bytes) < 1 ? 0 : bytes, moreKeys: keys, seconds };
}
