// Requests over each way, ours beside a bare loop over the driver that sends the same Redis commands. The service and
// the client have a process each, and so have their bare likes; the four stay, and for each window both ends are opened
// anew on an empty Redis. Rounds in turn; shown are medians, a ratio is the median of the rounds' ratios.
import { startBenchProcessWith } from './bench-process.js';
import { withBenchRedis } from './bench-redis.js';
import { interleave, median } from './rounds.js';

const PROCESS = new URL('./wire-process.js', import.meta.url);
const SIDES = ['ours', 'bare'];
// As docs/operations.md has the service started: room for what hundreds of requests in flight keep alive.
const FLAGS = ['--max-semi-space-size=64'];
const ROUNDS = 5;
const WAYS = {
  pool: 'channels, pooled BLPOP, 16 connections',
  list: 'channels, pooled BLPOP',
  inbox: 'channels, inbox',
  streams: 'streams',
  inline: 'inline',
};
const COUNTS = { 1: 4_000, 32: 20_000, 128: 24_000, 512: 24_000 };
// Of what the bare loop does in a second.
const AT_LEAST_OF_BARE = 0.8;
// Of what pooled BLPOP does in a second, with the connections that a client has unless told. The rows of BLPOP beside the
// bare loop have as many connections as requests in flight, so that nobody waits for one.
const AT_LEAST_OF_POOL = { inbox: 1.5, streams: 1.2 };
const COMPARED_IN_FLIGHT = 128;
// Part of the requests: what comes more seldom is not of a request (heartbeats, leases).
const SELDOM = 0.04;

export async function benchWire({ smoke }) {
  const rows = Object.entries(COUNTS)
    .filter(([inFlight]) => !smoke || inFlight === '1' || inFlight === '128')
    .flatMap(([inFlight, count]) =>
      Object.keys(WAYS).map((way) => ({ way, inFlight: Number(inFlight), count: smoke ? 256 : count })),
    )
    .filter(({ way, inFlight }) => way !== 'pool' || inFlight === COMPARED_IN_FLIGHT);
  const found = await withBenchRedis(({ redis, url }) => measureRows(redis, url, rows, smoke));
  const table = (title, columns) => {
    console.log(`\n${title}`);
    console.table(Object.fromEntries(rows.map((row, i) => [label(row), columns(found[i], row)])));
  };
  const us = (digits, figure) => (rounds) =>
    Object.fromEntries(SIDES.map((side) => [side, middle(rounds, digits, (round) => figure(round[side]))]));
  const parts = { Redis: 'redisUs', service: 'serviceUs', client: 'clientUs' };
  table('A second', (rounds) => ({ ...us(0, perSecond)(rounds), ratio: ratioToBare(rounds) }));
  table('CPU, us each', (rounds, { count }) => {
    const each = Object.entries(parts).flatMap(([part, name]) =>
      SIDES.map((side) => [`${part}, ${side}`, middle(rounds, 1, (round) => round[side][name] / count)]),
    );
    return Object.fromEntries(each);
  });
  table('Commands of Redis each, those within scripts included: ours, then where the bare loop differs', commandsOf);
  return judge(rows, found, smoke);
}

async function measureRows(redis, url, rows, smoke) {
  const processes = {};
  try {
    for (const side of SIDES) {
      processes[side] = [];
      for (let role = 0; role < 2; role += 1)
        processes[side].push(await startBenchProcessWith(FLAGS, PROCESS, side, url));
    }
    const measure = async ({ way, inFlight, count }, side) => {
      const [service, client] = processes[side];
      await redis.command('FLUSHALL');
      if (way !== 'inline') await service.ask('serve', { way });
      await client.ask('open', { way, inFlight });
      await client.ask('ask', { count: Math.ceil(count / 3), inFlight });
      const before = await service.ask('cpu');
      const figures = await client.ask('measure', { count, inFlight });
      const serviceUs = (await service.ask('cpu')) - before;
      await client.ask('close');
      if (way !== 'inline') await service.ask('close');
      return { ...figures, count, serviceUs };
    };
    const all = { rows, subjects: SIDES, measure };
    // A round to warm up, that nobody sees.
    if (!smoke) await interleave({ ...all, rounds: 1 });
    return await interleave({ ...all, rounds: smoke ? 1 : ROUNDS });
  } finally {
    await Promise.all(Object.values(processes).flatMap((both) => both.map((one) => one.stop())));
  }
}

function label({ way, inFlight }) {
  return `${WAYS[way]}, ${inFlight} in flight`;
}

function perSecond({ count, ms }) {
  return (count / ms) * 1000;
}

function middle(rounds, digits, figure) {
  return Number(median(rounds.map(figure)).toFixed(digits));
}

function ratioToBare(rounds) {
  return middle(rounds, 2, ({ ours, bare }) => perSecond(ours) / perSecond(bare));
}

function commandsOf(rounds) {
  const each = (side, name) => middle(rounds, 2, ({ [side]: { calls, count } }) => (calls[name] ?? 0) / count);
  const names = new Set(rounds.flatMap(({ ours, bare }) => [...Object.keys(ours.calls), ...Object.keys(bare.calls)]));
  const often = [...names].toSorted().filter((name) => SIDES.some((side) => each(side, name) > SELDOM));
  const written = (name, times) => (times === 1 ? name : `${times.toFixed(2)} ${name}`);
  const differing = often.filter((name) => Math.abs(each('ours', name) - each('bare', name)) > SELDOM);
  return {
    commands: often.map((name) => written(name, each('ours', name))).join(' + '),
    'bare differs': differing.map((name) => written(name, each('bare', name))).join(' + ') || 'nowhere',
  };
}

function judge(rows, found, smoke) {
  const limits = {};
  const limit = (name, ratio, atLeast) => {
    limits[name] = { ratio, 'at least': atLeast, met: ratio >= atLeast };
  };
  for (const [i, row] of rows.entries()) {
    if (row.way === 'pool') continue;
    limit(`${label(row)}, to bare`, ratioToBare(found[i]), AT_LEAST_OF_BARE);
  }
  const roundsOf = (way) =>
    found[rows.findIndex((row) => row.way === way && row.inFlight === COMPARED_IN_FLIGHT)].map(({ ours }) =>
      perSecond(ours),
    );
  const pool = roundsOf('pool');
  for (const [way, atLeast] of Object.entries(AT_LEAST_OF_POOL)) {
    const ratio = Number(median(roundsOf(way).map((ours, i) => ours / pool[i])).toFixed(2));
    limit(`${WAYS[way]} to ${WAYS.pool}, ${COMPARED_IN_FLIGHT} in flight`, ratio, atLeast);
  }
  if (!smoke && Object.values(limits).some(({ met }) => !met)) process.exitCode = 1;
  console.log(`\nLimits${smoke ? ', which a smoke run does not judge' : ''}`);
  return limits;
}
