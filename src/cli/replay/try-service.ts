import type { Degraded, SessionClient } from '../../client/index.ts';
import { createToken, sessionOf } from '../../protocol/index.ts';
import { Keys, type RedisConnection } from '../../redis/index.ts';
import { Activity } from '../../structures/index.ts';
import { inFlight } from './in-flight.ts';
import { ReplayError } from './replay-error.ts';

/** How the service is tried. */
export interface TryOptions {
  /** How long to wait for somebody to listen, in milliseconds; 0: somebody must be there already. */
  readonly waitMs: number;
  /** Requests in flight while it warms up. */
  readonly concurrency: number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

const FIRST_CHARACTERS = '0123456789abcdefghijklmnopqrstuvwxyz';
const PAGE = '/';
// The second day of the epoch: no clock is so wrong that it stands there.
const LONG_AGO = 86_400_000;
// More pages than any exact form holds (512), so that one session turns to a filter, and the filter grows. Redis allots
// a latency histogram of 24 KB (7.0.15) at the first call of each command: those are no session's cost.
const WARM_UP_PAGES = 600;
const RETRY_MS = 20;
const RETRY_REASONS: readonly Degraded['reason'][] = ['nobody-listens', 'disconnected', 'unavailable'];

/** Makes sure, before anything of a log is sent, that every session has one service, which honours the log's times; and
 *  warms it up (scripts, buffers, every command that views use). It uses a throwaway session per first character, so that instances that share the
 *  sessions by globs are all asked, and deletes their keys again: nothing stays.
 *  @throws ReplayError `NO_SERVICE` or `TIMES_NOT_ACCEPTED`. */
export async function tryService(client: SessionClient, redis: RedisConnection, options: TryOptions): Promise<void> {
  const { concurrency, deadlineMs, signal } = options;
  const sessions = [...FIRST_CHARACTERS].map((first) => first + sessionOf(createToken()).slice(1));
  const reasons = new Map<string, Degraded>();
  const note = (degraded: Degraded): void => void reasons.set(degraded.session, degraded);
  const view = (session: string, path: string = PAGE) =>
    client.request('pageview', session, { path, at: LONG_AGO }, { deadlineMs: Math.max(deadlineMs, 1_000) });
  client.on('degraded', note);
  try {
    // The first alone: it loads the script, and so makes sure that all others keep their order.
    await untilServed(client, sessions[0]!, options, reasons);
    const counts = await Promise.all(sessions.map(async (session) => (await view(session))?.totalPages));
    const unserved = sessions.filter((_, i) => counts[i] === undefined);
    if (unserved.length > 0) throw describeUnserved(unserved, reasons, redis.address, client.namespace);
    const known = await Promise.all(sessions.map((session) => client.request('session-analytics', session, '')));
    if (counts.some((count) => count! > 1) || known.some((visit) => visit && visit.totalPages > 1)) {
      throw new ReplayError(
        'NO_SERVICE',
        `Several instances serve the same sessions at ${redis.address}: each view would count twice. Stop all but one.`,
      );
    }
    if (known.some((visit) => visit?.firstActiveMinute !== LONG_AGO)) {
      throw new ReplayError(
        'TIMES_NOT_ACCEPTED',
        `The service at ${redis.address} ignores a log's times: start it with --accept-times.`,
      );
    }
    const pages = Array.from({ length: WARM_UP_PAGES }, (_, i) => `${PAGE}${i}`);
    await inFlight(pages, concurrency, (page) => view(sessions[0]!, page).then(() => undefined), signal);
  } finally {
    client.off('degraded', note);
    await forget(redis, new Keys(client.namespace), sessions);
  }
}

async function untilServed(
  client: SessionClient,
  session: string,
  { waitMs, deadlineMs, signal }: TryOptions,
  reasons: ReadonlyMap<string, Degraded>,
): Promise<void> {
  const end = performance.now() + waitMs;
  while (!(await client.request('session-analytics', session, '', { deadlineMs }))) {
    signal.throwIfAborted();
    const reason = reasons.get(session)?.reason;
    if (performance.now() >= end || !reason || !RETRY_REASONS.includes(reason)) return;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function describeUnserved(
  sessions: readonly string[],
  reasons: ReadonlyMap<string, Degraded>,
  address: string,
  namespace: string,
): ReplayError {
  const { reason, message } = reasons.get(sessions[0]!) ?? {};
  const who = `the namespace "${namespace}" at ${address}`;
  if (message !== undefined) return new ReplayError('NO_SERVICE', `The service of ${who} refuses: ${message}`);
  if (reason !== 'nobody-listens') {
    return new ReplayError('NO_SERVICE', `The service of ${who} does not answer (${reason}): is it overloaded?`);
  }
  const start = 'start `sessionwise serve --accept-times` for it';
  if (sessions.length === FIRST_CHARACTERS.length) {
    return new ReplayError('NO_SERVICE', `Nobody serves ${who}: ${start}, or leave --redis out.`);
  }
  const missing = sessions.map((session) => session[0]).join(' ');
  return new ReplayError('NO_SERVICE', `Nobody serves sessions that begin with ${missing} in ${who}: ${start}.`);
}

async function forget(redis: RedisConnection, keys: Keys, sessions: readonly string[]): Promise<void> {
  const activity = new Activity(redis, keys);
  try {
    for (const session of sessions) {
      const days = await activity.days(session);
      await redis.command('DEL', ...keys.all(session), ...days.map((day) => keys.activity(session, day)));
    }
  } catch {
    // Redis went away: what is left expires within half an hour, as a bounce does, or in 30 days.
  }
}
