/* Publishers of a serving layer, in a process of their own. Argument: JSON of `PublisherOptions` (streams-stage.ts).
 *
 * Each session gets its requests in order, one after another: every other session with `keep`, which sends again what was
 * not certainly taken, the rest with `publish`. A number in a session is used once, whatever came of it. Tells how
 * many were accepted; at the message `report` what became of each, and goes on with other sessions; at `stop` the same, and
 * ends. It runs what was built. */
import { hash } from 'node:crypto';
import { RedisTransport } from '../../dist/transport/client/redis-transport.js';

const PROGRESS_INTERVAL_MS = 50;
const KEEP_DEADLINE_MS = 20_000;

const options = JSON.parse(process.argv[2]);
const { command, publishers, sessionsEach, pauseMs, maxBacklog = 100_000 } = options;
let accepted = 0;
let round = 0;
/** What is sent until it is told of: whether it goes on, and the sessions. */
let load;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function publishTo(transport, tally, own) {
  for (let number = 1; own.isRunning; number += 1) {
    const sentAt = Date.now();
    const payload = command === 'pageview' ? `/p${number % 50}` : `${number} ${sentAt}`;
    try {
      if (tally.isKept) await transport.sendDurably(command, tally.session, payload, KEEP_DEADLINE_MS);
      else if (!(await transport.publish(command, tally.session, payload))) throw new Error('not certainly taken');
      tally.accepted.push([number, Date.now()]);
      accepted += 1;
    } catch (error) {
      if (error.code === 'BACKLOG_FULL') tally.refused.push(number);
      else tally.unknown.push(number);
    }
    await pause(pauseMs * (0.5 + Math.random()));
  }
}

const transports = Array.from(
  { length: publishers },
  () =>
    new RedisTransport({
      redis: options.redis,
      namespace: options.namespace,
      secret: options.secret,
      maxBacklog,
      replies: 'inbox',
      blockingConnections: 1,
      maxPending: 10_000,
      routeOf: () => 'streams',
    }),
);
for (const transport of transports) if (!(await transport.ready(60_000))) throw new Error('Redis is away.');

function begin() {
  round += 1;
  const own = { isRunning: true, tallies: [] };
  own.work = transports.flatMap((transport, publisher) =>
    Array.from({ length: sessionsEach }, (_, i) => {
      // As random as sessions are: CRC16 puts names that differ in a digit or two into a few partitions.
      const session = hash('sha1', `${options.name} ${publisher} ${i} ${round}`).slice(0, 25);
      const tally = { session, isKept: i % 2 === 0, accepted: [], unknown: [], refused: [] };
      own.tallies.push(tally);
      return publishTo(transport, tally, own);
    }),
  );
  load = own;
}

async function finish() {
  load.isRunning = false;
  await Promise.all(load.work);
  return load.tallies;
}

begin();
const progress = setInterval(() => process.send({ accepted }), PROGRESS_INTERVAL_MS);
process.on('message', async (message) => {
  const tallies = await finish();
  if (message === 'report') {
    begin();
    process.send({ tallies });
    return;
  }
  clearInterval(progress);
  await Promise.all(transports.map((transport) => transport.close()));
  process.send({ accepted, tallies }, () => process.exit(0));
});
process.once('disconnect', () => process.exit());
