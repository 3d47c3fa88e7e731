import { onTestFinished } from 'vitest';
import type { EventGap } from '../../src/consumers/index.ts';
import { Keys, type RedisConnection } from '../../src/redis/index.ts';
import { SessionData, type SessionDataOptions } from '../../src/sessions/index.ts';

/* consumer-stage.ts: loops over events as tests use them. */

export const keys = new Keys('sw');

/** An event as tests look at it: those of sessions have one, a gap has none. */
export interface Told {
  readonly event: string;
  readonly session?: string;
  readonly tries?: number;
}

/** Opens a store that is closed with the test. */
export function openStore(redis: string, options: Partial<SessionDataOptions> = {}): SessionData {
  const store = new SessionData({ redis, sweep: false, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Takes so many events of a loop, or fewer where it ends. The last one is in hand then. */
export async function take<Event>(loop: AsyncIterator<Event | EventGap>, count: number): Promise<(Event | EventGap)[]> {
  const taken: (Event | EventGap)[] = [];
  while (taken.length < count) {
    const { done, value } = await loop.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

/** The sessions of events, in their order; of a gap its name. */
export function sessionsOf(events: readonly Told[]): string[] {
  return events.map((event) => event.session ?? event.event);
}

/** Writes events of sessions, in the order of their names. */
export async function write(redis: RedisConnection, ...sessions: string[]): Promise<string[]> {
  const fields = (session: string) => ['event', 'created', 'session', session];
  return Promise.all(
    sessions.map((session) => redis.command<string>('XADD', keys.lifecycle(), '*', ...fields(session))),
  );
}

/** How many entries of a group are not acknowledged. */
export async function pendingOf(
  redis: RedisConnection,
  group: string,
  stream: string = keys.lifecycle(),
): Promise<number> {
  const [count] = await redis.command<[number]>('XPENDING', stream, group);
  return count;
}

/** The names of a group's consumers. */
export async function consumersOf(redis: RedisConnection, group: string): Promise<string[]> {
  const all = await redis.command<{ name: string }[]>('XINFO', 'CONSUMERS', keys.lifecycle(), group);
  return all.map(({ name }) => name).sort();
}

/** How many connections of a name a server has. */
export async function connectionsOf(redis: RedisConnection, name: string): Promise<number> {
  const list = await redis.command<string>('CLIENT', 'LIST');
  return list.split('\n').filter((line) => line.includes(` name=${name} `)).length;
}

/** Whether a stream has a group: a loop that begins now has begun. */
export async function hasGroup(
  redis: RedisConnection,
  group: string,
  stream: string = keys.lifecycle(),
): Promise<boolean> {
  const groups = await redis.command<{ name: string }[]>('XINFO', 'GROUPS', stream).catch(() => []);
  return groups.some(({ name }) => name === group);
}
