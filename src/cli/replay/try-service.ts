import type { Degraded, SessionClient } from '../../client/index.ts';
import { createToken, sessionOf } from '../../protocol/index.ts';
import { Keys, type RedisConnection } from '../../redis/index.ts';
import { inFlight } from './in-flight.ts';
import { ReplayError } from './replay-error.ts';

/** Options of the trial. */
export interface TryOptions {
  /** How long to wait for a service, in milliseconds; 0: it must be running already. */
  readonly waitMs: number;
  /** Requests in flight while it warms up. */
  readonly concurrency: number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

const FIRST_CHARACTERS = '0123456789abcdefghijklmnopqrstuvwxyz';
const PAGE = '/';
// The second day of the epoch: a service that ignores the time of a view cannot store it by chance.
const LONG_AGO = 86_400_000;
// More pages than any exact form holds (512), so that the commands of filters are called too. Redis allocates a latency
// histogram of 24 KB (7.0.15) at the first call of each command, which must not count as memory of sessions.
const WARM_UP_PAGES = 600;
const RETRY_MS = 20;
const RETRY_REASONS: readonly Degraded['reason'][] = ['nobody-listens', 'disconnected', 'unavailable'];

/** Checks, before a log is sent, that each session has exactly one service and that it accepts the log's times; then
 *  warms the service up (scripts, buffers, every command that views use). It uses one temporary session per first
 *  character, so that instances with different globs are all asked, and deletes their keys again.
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
    // Sends the first alone: it loads the script, so that later views keep their order.
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
  const served = `the namespace "${namespace}" at ${address}`;
  if (message !== undefined) return new ReplayError('NO_SERVICE', `The service of ${served} refuses: ${message}`);
  if (reason !== 'nobody-listens') {
    return new ReplayError('NO_SERVICE', `The service of ${served} does not answer (${reason}): is it overloaded?`);
  }
  const start = 'start `sessionwise serve --accept-times` for it';
  if (sessions.length === FIRST_CHARACTERS.length) {
    return new ReplayError('NO_SERVICE', `No service runs for ${served}: ${start}, or leave --redis out.`);
  }
  const missing = sessions.map((session) => session[0]).join(' ');
  return new ReplayError(
    'NO_SERVICE',
    `No service has the sessions that begin with ${missing} in ${served}: ${start}.`,
  );
}

async function forget(redis: RedisConnection, keys: Keys, sessions: readonly string[]): Promise<void> {
  try {
    for (const session of sessions) await redis.command('DEL', ...keys.all(session));
  } catch {
    // Redis is unavailable: the keys expire by themselves, within half an hour as those of a bounce do, or in 30 days.
  }
}
