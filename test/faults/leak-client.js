/* A client of a serving layer that asks again and again, to be looked at for what it keeps. Run with --expose-gc.
 * Arguments: the URL of Redis, the secret, the transport, how many requests. Tells its heap in use, in bytes, after a
 * tenth of them and at the end, and how they ended. It runs what was built. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RedisTransport } from '../../dist/transport/client/redis-transport.js';

const [redis, secret, way, count] = process.argv.slice(2);
const IN_FLIGHT = 64;
// Prime, so that each session gets some of everything.
const SESSIONS = 97;
// Longer than it takes to come back when the connection was cut.
const DEADLINE_MS = 1_000;
const LONG_DEADLINE_MS = 10_000;
// A reply that comes after 150 ms (`late`, stream-service.js) is waited for so long.
const SHORT_DEADLINE_MS = 20;

const transport = new RedisTransport({
  redis,
  namespace: 'sw',
  secret,
  maxBacklog: 100_000,
  replies: 'inbox',
  blockingConnections: 1,
  maxPending: 10_000,
  routeOf: () => way,
});
if (!(await transport.ready(10_000))) throw new Error('Redis is away.');

const outcomes = {};
let next = 0;
async function ask(until) {
  while (next < until) {
    const i = next;
    next += 1;
    const session = `s${i % SESSIONS}`;
    let outcome;
    // Each hundredth is answered too late, each tenth writes.
    if (i % 100 === 0) outcome = await transport.request('log', session, `late ${i}`, SHORT_DEADLINE_MS);
    else if (i % 10 === 0) outcome = await transport.request('pageview', session, `/p${i % 20}`, DEADLINE_MS);
    else outcome = await transport.request('surface', session, '["/p1","/x"]', DEADLINE_MS);
    const how = outcome.answered ? 'answered' : outcome.reason;
    outcomes[how] = (outcomes[how] ?? 0) + 1;
    if (how === 'disconnected') await transport.ready(DEADLINE_MS);
  }
}

/** Waits until all late replies have come: they come before that of a request which is sent behind them and takes as
 *  long. */
async function untilLateRepliesCame(session) {
  for (;;) {
    const { answered } = await transport.request('log', session, 'late last', LONG_DEADLINE_MS);
    if (answered) return;
    await transport.ready(DEADLINE_MS);
  }
}

async function heapAfter(requests) {
  await Promise.all(Array.from({ length: IN_FLIGHT }, () => ask(requests)));
  await Promise.all(Array.from({ length: SESSIONS }, (_, i) => untilLateRepliesCame(`s${i}`)));
  for (let i = 0; i < 3; i += 1) {
    globalThis.gc();
    // What a collection frees may wait in callbacks of the next turns.
    await nextTurn();
  }
  return process.memoryUsage().heapUsed;
}

process.send({ ready: true });
// All that there is of each session from now on.
for (let i = 0; i < SESSIONS; i += 1) {
  await transport.request('log', `s${i}`, `first ${i}`, DEADLINE_MS);
  for (let view = 0; view < 2; view += 1) await transport.request('pageview', `s${i}`, '/p1', DEADLINE_MS);
}
const early = await heapAfter(Number(count) / 10);
process.send({ early });
const late = await heapAfter(Number(count));
process.send({ late, outcomes, lateReplies: transport.lateReplies });
process.once('disconnect', () => process.exit());
