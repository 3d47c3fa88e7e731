// The session store beside connect-redis: single operations, whole requests of Express, memory. One Redis for all; each
// subject in a process of its own, its visitors in another; rounds in turn. Shown are medians; a ratio is the median of
// the rounds' ratios.
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from '../dist/redis/index.js';
import { SWEEP_INTERVAL_MS, Sweeper } from '../dist/sessions/expiry/sweeper.js';
import { startBenchProcess } from './bench-process.js';
import { redisCpu, withBenchRedis } from './bench-redis.js';
import { interleave, median } from './rounds.js';
import { bytesPerSession } from './store-memory.js';
import { SUBJECT_NAMES } from './store-stage.js';

const SUBJECT = new URL('./store-subject.js', import.meta.url);
const SESSIONS = 1000;
const ROUNDS = 5;
const [THEIRS, , OURS] = SUBJECT_NAMES;

// Without a pace the next operation begins when one is done. Redis's work is cheaper then for whoever asks faster: it
// does not sleep in between, and its caches stay warm. With a pace Redis is asked alike by all: bursts of so many, each
// so many milliseconds. So the limits hold for equal traffic, at 1 and 16 in a burst; the rest is shown beside it.
const PACE_MS = { 1: 1, 16: 2, 64: 5 };
// `atMost`: of the CPU that connect-redis takes of Redis.
const MEASURED = [
  { name: 'get', ask: 'get', inFlight: [1, 16, 64], count: 12_000 },
  { name: 'set', ask: 'set', inFlight: [1, 16, 64], count: 8_000 },
  { name: 'get, same pace', ask: 'get', isPaced: true, inFlight: [1, 16], count: 6_000, atMost: 1.3 },
  { name: 'set, same pace', ask: 'set', isPaced: true, inFlight: [1, 16], count: 6_000, atMost: 3 },
  { name: 'get, same pace', ask: 'get', isPaced: true, inFlight: [64], count: 6_000 },
  { name: 'set, same pace', ask: 'set', isPaced: true, inFlight: [64], count: 6_000 },
  { name: 'set, touchEveryMs 0', ask: 'setEager', inFlight: [16], count: 8_000 },
  { name: 'set, contended', ask: 'setContended', inFlight: [16], count: 4_000 },
  { name: 'create', ask: 'create', inFlight: [16], count: 2_000 },
  { name: 'touch', ask: 'touch', inFlight: [1, 16, 64], count: 8_000, atMost: 0.2 },
  { name: 'touch, touchEveryMs 0', ask: 'touchEager', inFlight: [1, 16, 64], count: 8_000 },
  { name: 'request, reads', ask: 'read', inFlight: [1, 32], count: 1_500, atMost: 1 },
  { name: 'request, writes', ask: 'write', inFlight: [1, 32], count: 1_500 },
];

export async function benchStore({ smoke }) {
  const rows = MEASURED.flatMap(({ inFlight, ...row }) => inFlight.map((lanes) => rowOf(row, lanes, smoke)));
  const found = await withBenchRedis(({ redis, url }) => measureRows(redis, url, rows, smoke));
  const bytes = {};
  for (const subject of [THEIRS, OURS]) bytes[subject] = await bytesPerSession(subject, smoke ? 200 : 10_000);
  const table = (title, digits, figure) => {
    console.log(`\n${title}`);
    console.table(Object.fromEntries(rows.map((row, i) => [label(row), compared(found[i], row, digits, figure)])));
  };
  table('Redis CPU, us each', 1, ({ redisUs }, { count }) => redisUs / count);
  table("CPU of the application's process, us each", 1, ({ clientUs }, { count }) => clientUs / count);
  table('A second', 0, ({ ms }, { count }) => (count / ms) * 1000);
  table('Operations that Redis reads at a time', 1, ({ reads }, { count }) => (reads > 0 ? count / reads : 0));
  console.log('\nCommands of Redis each, those within scripts included');
  console.table(Object.fromEntries(rows.map((row, i) => [label(row), commandsOf(found[i], row)])));
  console.log('\nBytes of Redis a session, everything included');
  console.table(bytes);
  console.log(`Bytes, ratio: ${(bytes[OURS].all / bytes[THEIRS].all).toFixed(2)}`);
  if (!smoke) tellTouches(rows, found);
  return judge(rows, found, smoke);
}

// One at a time is slow.
function rowOf({ isPaced = false, count, ...row }, inFlight, smoke) {
  const full = inFlight === 1 ? count / (isPaced ? 4 : 2) : count;
  return { ...row, inFlight, count: smoke ? 64 : full, ...(isPaced && { everyMs: PACE_MS[inFlight] }) };
}

async function measureRows(redis, url, rows, smoke) {
  const processes = {};
  try {
    for (const subject of SUBJECT_NAMES) {
      processes[subject] = await startBenchProcess(SUBJECT, subject, url, String(smoke ? 64 : SESSIONS));
    }
    const bytes = await processes[THEIRS].ask('sessionBytes');
    console.log(
      `Sessions of ${bytes} bytes of JSON. "${THEIRS}" has a client with commandOptions: { timeout: undefined }; "${SUBJECT_NAMES[1]}" one with none.`,
    );
    const measure = ({ ask, ...load }, subject) => processes[subject].ask(ask, load);
    const all = { rows, subjects: SUBJECT_NAMES, measure };
    // A round to warm up, that nobody sees.
    if (!smoke) await interleave({ ...all, rounds: 1 });
    const found = await interleave({ ...all, rounds: smoke ? 1 : ROUNDS });
    await tellSweep(redis, url, smoke);
    return found;
  } finally {
    await Promise.all(Object.values(processes).map((one) => one.stop()));
  }
}

function label({ name, inFlight }) {
  return `${name}, ${inFlight} in flight`;
}

function compared(rounds, row, digits, figure) {
  const of = (subject) => rounds.map((round) => figure(round[subject], row));
  const ratioTo = (other) => {
    const others = of(other);
    return Number(median(of(OURS).map((ours, i) => ours / others[i])).toFixed(2));
  };
  return {
    ...Object.fromEntries(SUBJECT_NAMES.map((subject) => [subject, Number(median(of(subject)).toFixed(digits))])),
    ratio: ratioTo(THEIRS),
    "ratio, driver's timeout": ratioTo(SUBJECT_NAMES[1]),
  };
}

function commandsOf(rounds, { count }) {
  const named = SUBJECT_NAMES.filter((_, i) => i !== 1).map((subject) => {
    const { calls } = rounds.at(-1)[subject];
    // What comes now and then (PING, TIME) is left out.
    const each = Object.entries(calls)
      .toSorted()
      .filter(([, times]) => times >= count / 20);
    const text = each.map(([name, times]) => (times === count ? name : `${(times / count).toFixed(2)} ${name}`));
    return [subject, text.join(' + ') || 'none'];
  });
  return Object.fromEntries(named);
}

// What Redis does without being asked, and the sweep: one process of all sweeps, however many there are and however much
// they do, so it is charged to no operation.
async function tellSweep(redis, url, smoke) {
  const idleBefore = await redisCpu(redis);
  await sleep(smoke ? 100 : 2_000);
  const idle = ((await redisCpu(redis)) - idleBefore) / (smoke ? 0.1 : 2);
  const connection = await createConnection(url).connect();
  const sweeper = new Sweeper(connection, 'bench', { lifecycleLength: 10_000 });
  const times = smoke ? 1 : 50;
  await sweeper.sweep();
  const before = await redisCpu(redis);
  for (let i = 0; i < times; i += 1) await sweeper.sweep();
  const each = ((await redisCpu(redis)) - before) / times;
  await connection.close();
  console.log(
    `Redis, idle: ${Math.round(idle)} us of CPU a second. A sweep, each ${SWEEP_INTERVAL_MS / 1000} s in one of all processes: ${Math.round(each)} us.`,
  );
}

// A touch within touchEveryMs sends nothing, so what touches cost depends on how often a session is asked for.
function tellTouches(rows, found) {
  const { atMost } = MEASURED.find(({ ask }) => ask === 'touch');
  const i = rows.findIndex(({ ask, inFlight }) => ask === 'touchEager' && inFlight === 16);
  const { ratio } = compared(found[i], rows[i], 1, redisUsEach);
  console.log(
    `\nA touch that is sent costs ${ratio} times theirs: the limit of ${atMost} holds where a session has ${Math.ceil(ratio / atMost)} requests or more in touchEveryMs (2.4 hours here).`,
  );
}

function redisUsEach({ redisUs }, { count }) {
  return redisUs / count;
}

function judge(rows, found, smoke) {
  const limits = {};
  for (const [i, row] of rows.entries()) {
    if (row.atMost === undefined) continue;
    const { ratio } = compared(found[i], row, 1, redisUsEach);
    limits[label(row)] = { 'Redis CPU, ratio': ratio, 'at most': row.atMost, met: ratio <= row.atMost };
  }
  if (!smoke && Object.values(limits).some(({ met }) => !met)) process.exitCode = 1;
  console.log(`\nLimits${smoke ? ', which a smoke run does not judge' : ''}`);
  return limits;
}
