// The other side of the wire's bench: the driver alone, sending the Redis commands of ours, over as many connections,
// between two processes in the same roles. It makes the arguments that it sends (the names of a session's keys, the
// reply's JSON), and that is all: it checks nothing, parses only what tells where to reply, and has no deadlines,
// counters, leases or order.
import { randomBytes } from 'node:crypto';
import { COMMAND_NAMES } from '../dist/protocol/index.js';
import { Keys, partitionOf } from '../dist/redis/index.js';
import { createDriver } from '../dist/redis/node/driver.js';
import { parseConnection } from '../dist/redis/options/connection-options.js';
import { dayOf, ItemKey, minuteOfDay, recordVisitScript, SEEN_ITEMS_DEFAULTS } from '../dist/structures/index.js';
import { defineBatch, encodeHead } from '../dist/transport/streams/scripts/commit-batch.js';
import { DEADLINE_MS, PATHS, SECRET, viewOf } from './wire-load.js';

const NAMESPACE = 'bare';
const PARTITIONS = 64;
const BLPOP_SECONDS = String(DEADLINE_MS / 1000 + 1);

const keys = new Keys(NAMESPACE);
const view = recordVisitScript(SEEN_ITEMS_DEFAULTS).script;
const commit = defineBatch([view]).script;

/** Starts the loop that answers. */
export async function openService(redis, way) {
  const drivers = await openDrivers(redis, 2);
  if (way === 'streams') return serveStreams(redis, drivers);
  const [driver, subscriber] = drivers;
  const step = await openSteps(driver, view);
  // As many patterns as ours: Redis tests each of them with each message.
  const patterns = COMMAND_NAMES.map((command) => `${NAMESPACE}:ss:${command}:?*:?*`);
  await subscriber.pSubscribe(patterns, async (path, channel) => {
    const [, , command, session, request] = channel.split(':');
    const reply = encode(await step(session, path));
    if (way === 'inbox') return replyToInbox(driver, request, reply);
    const key = `${NAMESPACE}:async:${command}:${session}:${request}`;
    await driver.multi().addCommand(['LPUSH', key, reply]).addCommand(['PEXPIRE', key, '500']).exec();
  });
  return { close: () => closeDrivers(drivers) };
}

/** Opens what asks: `once(i)` resolves when request `i` was answered. */
export async function openClient(redis, way, inFlight) {
  // A pool that is too small is no part of the bare loop.
  const isList = way === 'list' || way === 'pool';
  const drivers = await openDrivers(redis, isList ? 2 + inFlight : 2);
  const [driver, subscriber, ...blocking] = drivers;
  const close = () => closeDrivers(drivers);
  if (way === 'inline') {
    const step = await openSteps(driver, view);
    return { once: (i) => step(...viewOf(i)), close };
  }
  const inbox = randomBytes(12).toString('hex').slice(0, 16);
  if (isList) return { once: askByList(driver, inbox, blocking), close };
  // No Map: see src/transport/client/pending-requests.ts.
  const pending = {};
  await subscriber.subscribe(`${NAMESPACE}:async:${inbox}`, (message) => {
    const number = Number(message.slice(0, message.indexOf(' ')));
    pending[number](message);
    delete pending[number];
  });
  const send = way === 'streams' ? sendByStreams(driver) : sendByChannels(driver);
  let last = 0;
  const once = (i) =>
    new Promise((resolve) => {
      last += 1;
      pending[last] = resolve;
      send(...viewOf(i), `${inbox}.${last}`);
    });
  return { once, close };
}

function sendByChannels(driver) {
  return (session, path, request) =>
    driver.sendCommand(['PUBLISH', `${NAMESPACE}:ss:pageview:${session}:${request}`, path]);
}

function sendByStreams(driver) {
  return (session, path, request) => {
    const fields = ['c', 'pageview', 's', session, 'r', request, 'p', path, 'o', String(DEADLINE_MS)];
    return driver.sendCommand(['XADD', keys.requests(partitionOf(session)), '*', ...fields]);
  };
}

// Each connection waits for one list at a time.
function askByList(driver, inbox, blocking) {
  const send = sendByChannels(driver);
  return async (i) => {
    const [session, path] = viewOf(i);
    const request = `${inbox}-${i}`;
    const waiting = blocking.pop();
    const sent = send(session, path, request);
    await waiting.sendCommand(['BLPOP', `${NAMESPACE}:async:pageview:${session}:${request}`, BLPOP_SECONDS]);
    await sent;
    blocking.push(waiting);
  };
}

async function serveStreams(redis, drivers) {
  const [driver] = drivers;
  const [reader] = await openDrivers(redis, 1);
  const token = randomBytes(14).toString('hex').slice(0, 29);
  const partitions = Array.from({ length: PARTITIONS }, (_, i) => ({ key: keys.requests(i), position: '0-0' }));
  const ownKeys = Array.from(partitions, ({ key }, i) => [
    keys.owner(i),
    key,
    keys.done(i),
    keys.tries(i),
    keys.deadLetters(i),
  ]);
  for (const [owner] of ownKeys) await driver.sendCommand(['SET', owner, token]);
  const step = await openSteps(driver, commit, ownKeys);
  const serve = async (id, [, command, , session, , request, , path, , deadline]) => {
    const [, visit] = await step(session, path, {
      token,
      part: [id, session, request, `${command} p ${deadline}`, path],
    });
    await replyToInbox(driver, request, encode(visit));
  };
  const read = async () => {
    for (;;) {
      const reply = await reader.sendCommand([
        ...['XREAD', 'COUNT', '32', 'BLOCK', '100', 'STREAMS'],
        ...partitions.map(({ key }) => key),
        ...partitions.map(({ position }) => position),
      ]);
      if (reply === null) continue;
      for (const partition of partitions) {
        for (const [id, fields] of reply[partition.key] ?? []) {
          partition.position = id;
          void serve(id, fields);
        }
      }
    }
  };
  let closed = false;
  const reading = read().catch((error) => {
    if (!closed) throw error;
  });
  return {
    async close() {
      closed = true;
      reader.destroy();
      await reading;
      await closeDrivers(drivers);
    },
  };
}

// A page view's script, or the one that commits it with an entry: `ownKeys` are the partitions', `token` and `part` the
// entry's.
async function openSteps(driver, script, ownKeys) {
  const hash = await load(driver, script);
  const itemKey = new ItemKey(SECRET);
  const pages = new Map(PATHS.map((path) => [path, itemKey.of('page', path)]));
  return (session, path, own) => {
    const now = Date.now();
    const day = dayOf(now);
    const [counters, seen, unique, ...others] = keys.all(session);
    const days = [keys.activity(session, day), keys.activity(session, day - 1)];
    const names = [...(ownKeys?.[partitionOf(session)] ?? []), counters, seen, unique, ...days, ...others];
    const args = [pages.get(path), keys.activity(session), String(day), String(minuteOfDay(now)), '2592000', '1800'];
    const ownArgs = own ? [own.token, encodeHead(1, names.length - 5, args.length, false), ...own.part] : [];
    return driver.sendCommand(['EVALSHA', hash, String(names.length), ...names, ...ownArgs, ...args]);
  };
}

function encode([totalPages, uniquePages, seen, bits]) {
  return JSON.stringify({
    totalPages,
    uniquePages,
    previouslyVisited: seen === 1,
    activityThisMinute: (bits & 1) === 1,
    activity: [5, 4, 3, 2, 1].map((back) => (bits >> back) & 1),
    newToSite: totalPages === 1,
    inactive: totalPages > 1 && bits === 0,
  });
}

function replyToInbox(driver, request, reply) {
  const dot = request.indexOf('.');
  const channel = `${NAMESPACE}:async:${request.slice(0, dot)}`;
  return driver.sendCommand(['PUBLISH', channel, `${request.slice(dot + 1)} ${reply}`]);
}

function load(driver, { source }) {
  return driver.sendCommand(['SCRIPT', 'LOAD', source]);
}

function openDrivers(redis, count) {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const driver = createDriver(parseConnection(redis), 'bare');
      driver.on('error', (error) => console.error(error));
      await driver.connect();
      return driver;
    }),
  );
}

function closeDrivers(drivers) {
  return Promise.all(drivers.map((driver) => driver.close()));
}
