// Single requests over each way, ours beside a bare loop over the driver that sends the same Redis commands. Service and
// client have a process each, and so have their bare likes.
import { rowOf } from '../report/rows.js';
import { startChild, startChildren, stopChildren } from '../support/child.js';
import { withRedis } from '../support/redis.js';
import { interleave } from '../support/rounds.js';
import { recordWay } from './record.js';
import { Side } from './side.js';

const PROCESS = new URL('./wire-process.js', import.meta.url);
// As docs/operations.md has the service started: room for what hundreds of requests in flight keep alive.
const FLAGS = ['--max-semi-space-size=64'];
const ALL = [1, 16, 32, 64, 128, 512];
const FEWER = [1, 32, 128, 512];
const KINDS = {
  view: { inbox: ALL, list: FEWER, streams: ALL, inline: ALL },
  question: { inbox: FEWER, list: FEWER, inline: FEWER },
};
const WAYS = ['inbox', 'list', 'streams', 'inline'];
const WAY_NAMES = {
  inbox: 'channels, inbox',
  list: 'channels, BLPOP on as many connections as requests',
  streams: 'streams',
  inline: 'inline',
};
const KIND_NAMES = { view: 'a page view', question: 'a question (which of six are new)' };
/** A connection a request runs out of ports and patience above. */
const MOST_PAPER = 128;

/** The rows of this part. Each side has a Redis of its own, so that both can stay open. */
export function benchWire({ rounds, smoke }) {
  const times = smoke
    ? { warmMs: 10, ms: 30, sessions: 16, mostInFlight: 16 }
    : { warmMs: 250, ms: 900, sessions: 300, mostInFlight: 512 };
  const rows = WAYS.flatMap((way) =>
    Object.keys(KINDS).flatMap((kind) =>
      (KINDS[kind][way] ?? []).map((inFlight) => ({ kind, way, inFlight, sides: sidesOf(kind, way, inFlight) })),
    ),
  );
  return withRedis((ofOurs) =>
    withRedis(async (ofBare) => {
      const children = await startAll(ofOurs.url, ofBare.url);
      try {
        await record(ofOurs, children, times.sessions);
        const sides = {
          ours: new Side(ofOurs, children['ours service'], children['ours client'], times),
          bare: new Side(ofBare, children['bare service'], children['bare client'], times),
        };
        sides.paper = new Side(ofOurs, undefined, children['paper client'], times, sides.ours);
        const found = await interleave({ rows, rounds, measure: (row, side) => sides[side].measure(row) });
        return rows.map((row, i) => rowIn(row, found[i], times.sessions));
      } finally {
        await stopChildren(children);
      }
    }),
  );
}

function startAll(ofOurs, ofBare) {
  const start = (side, url) => () => startChild(PROCESS, [side, url], FLAGS);
  return startChildren({
    'ours service': start('ours', ofOurs),
    'ours client': start('ours', ofOurs),
    'bare service': start('bare', ofBare),
    'bare client': start('bare', ofBare),
    'paper client': start('bare', ofOurs),
  });
}

async function record({ redis, url }, children, sessions) {
  for (const way of WAYS) {
    const kinds = Object.keys(KINDS).filter((kind) => way in KINDS[kind]);
    const recording = await recordWay({ redis, url, way, kinds, sessions });
    for (const role of ['service', 'client']) await children[`bare ${role}`].ask('know', { way, recording });
  }
}

function rowIn({ kind, way, inFlight }, rounds, sessions) {
  return rowOf({
    id: `wire/${kind}/${way}/${inFlight}`,
    title: `${KIND_NAMES[kind]}: ${WAY_NAMES[way]}`,
    load: `${inFlight} in flight, ${sessions} sessions of 12 pages`,
    against: 'bare',
    rounds,
  });
}

function sidesOf(kind, way, inFlight) {
  const isPaper = kind === 'view' && way === 'list' && inFlight <= MOST_PAPER;
  return ['ours', 'bare', ...(isPaper ? ['paper'] : [])];
}
