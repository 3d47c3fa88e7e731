import type { CommandConnection } from '../../redis/index.ts';
import { eraseEvents } from './scripts/erase-events.ts';
import type { SubjectContext, SubjectSessions } from './subject-sessions.ts';

/** An entry of the lifecycle stream, as it is exported. */
export interface ExportedEvent {
  readonly session: string;
  readonly event: string;
  readonly reason?: string;
  /** ISO 8601, by Redis's clock. */
  readonly at: string;
}

const EVENTS_AT_ONCE = 500;
const SESSIONS_AT_ONCE = 1_000;

/** Reads and deletes the lifecycle events that name some sessions. */
export class LifecycleEvents {
  readonly #context: SubjectContext;
  readonly #sessions: SubjectSessions;

  constructor(context: SubjectContext, sessions: SubjectSessions) {
    this.#context = context;
    this.#sessions = sessions;
  }

  /** Reads the events of sessions, the oldest first. */
  async read(sessions: readonly string[]): Promise<ExportedEvent[]> {
    const names = new Set(sessions);
    const stream = this.#context.keys.lifecycle();
    const events: ExportedEvent[] = [];
    for (let from = '-'; from !== ''; ) {
      const page = await this.#context.step(stream, (redis) =>
        redis.command<[string, string[]][]>('XRANGE', stream, from, '+', 'COUNT', String(EVENTS_AT_ONCE)),
      );
      for (const [id, fields] of page) {
        const event = eventOf(id, fields);
        if (names.has(event.session)) events.push(event);
      }
      from = page.length < EVENTS_AT_ONCE ? '' : `(${page.at(-1)![0]}`;
    }
    return events;
  }

  /** Deletes the events of sessions. Returns how many. In a Cluster those that wait in outboxes are moved first: whoever
   *  moves the same ones finds them moved, and brings none back. */
  async erase(sessions: readonly string[]): Promise<number> {
    if (sessions.length === 0) return 0;
    const { keys, step } = this.#context;
    const { deferredWrites } = this.#sessions;
    let deleted = 0;
    for (const partition of deferredWrites ? this.#sessions.partitionsOf(sessions) : []) {
      const outbox = keys.outbox(partition);
      await step(outbox, () => deferredWrites!.outbox.move(partition));
      deleted += await this.#eraseFrom(outbox, sessions);
    }
    return deleted + (await this.#eraseFrom(keys.lifecycle(), sessions));
  }

  async #eraseFrom(stream: string, sessions: readonly string[]): Promise<number> {
    let deleted = 0;
    for (let at = 0; at < sessions.length; at += SESSIONS_AT_ONCE) {
      const some = sessions.slice(at, at + SESSIONS_AT_ONCE);
      for (let from = '-'; from !== ''; ) {
        const erase = (redis: CommandConnection): Promise<[number, string]> =>
          eraseEvents.run(redis, { stream }, { from, count: EVENTS_AT_ONCE }, { args: some });
        const [count, last] = await this.#context.step(stream, erase);
        deleted += count;
        from = last === '' ? '' : `(${last}`;
      }
    }
    return deleted;
  }
}

function eventOf(id: string, flat: readonly string[]): ExportedEvent {
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!;
  const { session = '', event = '', reason } = fields;
  return {
    session,
    event,
    ...(reason !== undefined && { reason }),
    at: new Date(Number.parseInt(id, 10)).toISOString(),
  };
}
