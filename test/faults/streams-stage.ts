import { monitorEventLoopDelay } from 'node:perf_hooks';
import { expect } from 'vitest';
import { createConnection, Keys, PARTITIONS, type RedisConnection } from '../../src/redis/index.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Child, startChild } from './child.ts';

/* streams-stage.ts: what the tests of streams under fire share: instances and publishers as processes of their own, and
 * what must hold of what they did. */

export const SECRET = 'a secret of the tests, long enough';
/** Those of the default namespace. */
export const keys: Keys = new Keys('sw');

/** How long the tests under fire go on, in seconds: `SESSIONWISE_SOAK_SECONDS`, else `standard`. */
export function soakSeconds(standard: number): number {
  const { SESSIONWISE_SOAK_SECONDS: seconds } = process.env;
  return seconds === undefined ? standard : Number(seconds);
}

/** How long something may take that should take `ms`. Strictly in a soak, which has the machine to itself; two and a half
 *  times as long beside other tests on two cores. */
export function allowed(ms: number): number {
  return soakSeconds(0) > 0 ? ms : 2.5 * ms;
}

/** An instance of the service. */
export type Instance = Child<{ readonly instance: string }>;

/** An instance that also serves `log` (stream-service.js). */
export function startLogger(redis: string, transport: 'streams' | 'both' = 'streams'): Promise<Instance> {
  return startChild('stream-service.js', [redis, SECRET, transport]);
}

/** An instance as users start it. */
export function startServe(redis: string): Promise<Instance> {
  const flags = ['--transport', 'streams', '--redis', redis, '--log-level', 'silent'];
  return startChild('../../dist/cli/main.js', ['serve', ...flags], { SESSIONWISE_SECRET: SECRET });
}

/** What publishers do; only `redis` must be given. */
export interface PublisherOptions {
  readonly redis: string;
  /** Default `log`. */
  readonly command?: 'log' | 'pageview';
  /** What their sessions begin with. Default `visitor`. */
  readonly name?: string;
  /** Default 16. */
  readonly publishers?: number;
  /** Default 8. */
  readonly sessionsEach?: number;
  /** Between two requests of a session, on average, in milliseconds. Default 200: about 640 requests a second in all. */
  readonly pauseMs?: number;
  readonly maxBacklog?: number;
}

/** What became of a session's requests, by their numbers from 1. */
export interface Tally {
  readonly session: string;
  /** Whether they were sent until they were certainly taken. */
  readonly isKept: boolean;
  /** Acknowledged: the number, and when, in milliseconds of the epoch. */
  readonly accepted: readonly (readonly [number: number, at: number])[];
  /** Redis did not say whether it took them. */
  readonly unknown: readonly number[];
  /** The stream was full. */
  readonly refused: readonly number[];
}

/** Publishers that are at work. */
export interface Publishers {
  readonly accepted: number;
  /** Waits until so many more were accepted. */
  more(count: number, deadlineMs?: number): Promise<void>;
  /** What became of all they sent so far. They go on with other sessions. */
  report(): Promise<Tally[]>;
  /** Ends them; what became of all they sent since the last report. */
  stop(): Promise<Tally[]>;
}

/** Starts publishers, spread over two processes. */
export async function startPublishers({
  publishers = 16,
  name = 'visitor',
  ...options
}: PublisherOptions): Promise<Publishers> {
  const defaults = { namespace: 'sw', command: 'log', sessionsEach: 8, pauseMs: 200, secret: SECRET };
  const processes = await Promise.all(
    [0, 1].map((i) => {
      const own = { ...defaults, ...options, name: `${name}${i}`, publishers: publishers / 2 };
      return startChild<object>('stream-publisher.js', [JSON.stringify(own)]);
    }),
  );
  const told = processes.map(({ process: child }) => {
    const latest: { accepted: number; tallies?: Tally[] } = { accepted: 0 };
    child.on('message', (message) => Object.assign(latest, message));
    return latest;
  });
  const ask = async (message: 'report' | 'stop'): Promise<Tally[]> => {
    for (const latest of told) delete latest.tallies;
    for (const { process: child } of processes) child.send(message);
    await waitUntil('the publishers tell what they did', () => told.every(({ tallies }) => tallies), 30_000);
    return told.flatMap(({ tallies }) => tallies!);
  };
  const accepted = (): number => told.reduce((sum, latest) => sum + latest.accepted, 0);
  return {
    get accepted() {
      return accepted();
    },
    async more(more, deadlineMs = 30_000) {
      const then = accepted();
      await waitUntil(`${more} more are accepted`, () => accepted() >= then + more, deadlineMs);
    },
    report: () => ask('report'),
    async stop() {
      const tallies = await ask('stop');
      await waitUntil('the publishers end', () => processes.every(({ isAlive }) => !isAlive));
      return tallies;
    },
  };
}

/** Requests that are not done yet, in all streams. */
export async function backlogOf(redis: RedisConnection): Promise<number> {
  const lengths = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) => redis.command<number>('XLEN', keys.requests(partition))),
  );
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** How many requests of some sessions are not done yet. */
export async function waitingOf(redis: RedisConnection, sessions: ReadonlySet<string>): Promise<number> {
  const entries = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, i) =>
      redis.command<[string, string[]][]>('XRANGE', keys.requests(i), '-', '+').catch(() => undefined),
    ),
  );
  if (entries.includes(undefined)) return Number.POSITIVE_INFINITY;
  return entries.flatMap((some) => some!).filter(([, fields]) => sessions.has(fields[fields.indexOf('s') + 1]!)).length;
}

/** Waits until all streams are empty. */
export async function untilWorkedOff(redis: RedisConnection, deadlineMs = 30_000): Promise<void> {
  await waitUntil('the streams are worked off', async () => (await backlogOf(redis).catch(() => 1)) === 0, deadlineMs);
}

/** How many partitions each instance owns. */
export async function sharesOf(redis: RedisConnection): Promise<Map<string, number>> {
  const shares = new Map<string, number>();
  await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => {
      const token = await redis.command<string | null>('GET', keys.owner(partition));
      const instance = token?.split(':')[0];
      if (instance !== undefined) shares.set(instance, (shares.get(instance) ?? 0) + 1);
    }),
  );
  return shares;
}

/** The instance that owns most. */
export async function mainOwner<Some extends Instance>(redis: RedisConnection, instances: Some[]): Promise<Some> {
  const shares = await sharesOf(redis);
  const share = ({ ready }: Instance): number => shares.get(ready.instance) ?? 0;
  return instances.reduce((most, one) => (share(one) > share(most) ? one : most));
}

/** What a request's effect was. */
export interface Logged {
  readonly number: number;
  /** When it was sent, and when it was done, in milliseconds of the epoch. */
  readonly sentAt: number;
  readonly doneAt: number;
}

/** What `log` wrote down for a session. */
export async function readLog(redis: RedisConnection, session: string): Promise<Logged[]> {
  const lines = await redis.command<string[]>('LRANGE', `${keys.subject(session)}-log`, '0', '-1');
  return lines.map((line) => {
    const [number, sentAt, doneAt] = line.split(' ').map(Number);
    return { number: number!, sentAt: sentAt!, doneAt: doneAt! };
  });
}

/** What came of what publishers sent to `log`. */
export interface Verdict {
  readonly accepted: number;
  readonly unknown: number;
  readonly refused: number;
  readonly done: number;
  /** Accepted, and not done. */
  readonly lost: readonly { readonly session: string; readonly number: number; readonly at: number }[];
  readonly doubled: number;
  /** Done after one with a higher number. */
  readonly disordered: number;
  /** Done, although the stream refused it or nobody sent it. */
  readonly invented: number;
  /** The longest time that an accepted request waited, in milliseconds. */
  readonly longestMs: number;
}

/** Compares what was done with what was sent. */
export async function judge(redis: RedisConnection, tallies: readonly Tally[]): Promise<Verdict> {
  const verdict = {
    accepted: 0,
    unknown: 0,
    refused: 0,
    done: 0,
    doubled: 0,
    disordered: 0,
    invented: 0,
    longestMs: 0,
  };
  const lost: { session: string; number: number; at: number }[] = [];
  for (const { session, accepted, unknown, refused } of tallies) {
    const log = await readLog(redis, session);
    const done = new Set<number>();
    const sent = new Set([...accepted.map(([number]) => number), ...unknown]);
    let last = 0;
    for (const { number, sentAt, doneAt } of log) {
      if (done.has(number)) verdict.doubled += 1;
      else if (number < last) verdict.disordered += 1;
      if (!sent.has(number)) verdict.invented += 1;
      done.add(number);
      last = Math.max(last, number);
      verdict.longestMs = Math.max(verdict.longestMs, doneAt - sentAt);
    }
    for (const [number, at] of accepted) if (!done.has(number)) lost.push({ session, number, at });
    verdict.accepted += accepted.length;
    verdict.unknown += unknown.length;
    verdict.refused += refused.length;
    verdict.done += log.length;
  }
  return { ...verdict, lost };
}

/** Nothing accepted was lost, nothing was done twice, each session in order. */
export function expectExactlyOnce({ lost, doubled, disordered, invented }: Verdict): void {
  expect({ lost: lost.slice(0, 10), doubled, disordered, invented }).toEqual({
    lost: [],
    doubled: 0,
    disordered: 0,
    invented: 0,
  });
}

/** A verdict's figures, for people. */
export function figuresOf({ lost, ...verdict }: Verdict): object {
  return { ...verdict, lost: lost.length };
}

/** Measures for how long this machine stood still meanwhile, in milliseconds: what processes are late by then is not
 *  theirs. */
export function watchStalls(): () => number {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  return () => {
    delay.disable();
    return Math.round(delay.max / 1e6);
  };
}

/** A connection of the test's own. */
export function connect(redis: string): Promise<RedisConnection> {
  return createConnection(redis, 'test').connect();
}
