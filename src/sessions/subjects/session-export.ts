import { SessionDataError } from '../errors/session-data-error.ts';
import type { SessionDataOptions } from '../options.ts';
import { readable, readBody } from '../record/record-body.ts';
import { RecordEncryption } from '../record/record-encryption.ts';
import { readHeader } from '../record/record-header.ts';
import { DEVICE_FIELD, readFields, type SessionFields, USER_FIELD } from '../record/session-fields.ts';
import { userReference } from '../tokens/user-reference.ts';
import { type ExportedEvent, LifecycleEvents } from './lifecycle-events.ts';
import type { Subject } from './subject.ts';
import { type SubjectContext, SubjectSessions } from './subject-sessions.ts';

/** All that is stored of one session. Times are ISO 8601. */
export interface ExportedSession {
  /** The public id. */
  readonly session: string;
  /** `ended`: it waits for the archive. */
  readonly state: 'living' | 'ended';
  /** The user's id, as `identify` was given it. */
  readonly userId?: string;
  readonly device?: string;
  readonly createdAt: string;
  readonly lastSeenAt: string;
  readonly expiresAt: string;
  /** The fields, without the cookie's; null where they cannot be read: `problem` says why. */
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly problem?: string;
}

/** What is stored and cannot be read. */
export interface UnreadablePart {
  /** `person`, or the public id of a session. */
  readonly of: string;
  readonly problem: string;
}

/** All that is stored of the sessions of a subject. */
export interface ExportedSessions {
  readonly sessions: readonly ExportedSession[];
  readonly lifecycleEvents: readonly ExportedEvent[];
  /** What was found and cannot be read. Of a session of a user it is not even known whether it is still theirs. */
  readonly unreadable: readonly UnreadablePart[];
}

const SESSIONS_AT_ONCE = 50;
const HIDDEN: ReadonlySet<string> = new Set(['cookie']);

/** Reads everything that is stored of the sessions of a subject, in steps with a deadline each. */
export class SessionExport {
  readonly #context: SubjectContext;
  readonly #encryption: RecordEncryption | undefined;
  readonly #sessions: SubjectSessions;
  readonly #events: LifecycleEvents;

  /** `encryption`: that of the stores; default none.
   *  @throws RangeError for invalid keys. */
  constructor(context: SubjectContext, encryption?: SessionDataOptions['encryption']) {
    this.#context = context;
    this.#encryption =
      encryption && new RecordEncryption(encryption.keys, context.keys.namespace, encryption.acceptPlain === true);
    this.#sessions = new SubjectSessions(context);
    this.#events = new LifecycleEvents(context, this.#sessions);
  }

  /** Exports one session, or all that a user has.
   *  @throws the error of a step. */
  async export(subject: Subject): Promise<ExportedSessions> {
    const user = subject.user === undefined ? undefined : userReference(subject.user);
    const names =
      user === undefined
        ? [subject.session!]
        : [...(await this.#sessions.listed(user)), ...(await this.#sessions.waiting(user))];
    const { sessions, unreadable } = await this.#read([...new Set(names)], user);
    const known = user === undefined ? names : sessions.map(({ session }) => session);
    return { sessions, lifecycleEvents: await this.#events.read(known), unreadable };
  }

  async #read(names: readonly string[], user: string | undefined): Promise<Omit<ExportedSessions, 'lifecycleEvents'>> {
    const { keys, step } = this.#context;
    const sessions: ExportedSession[] = [];
    const unreadable: UnreadablePart[] = [];
    for (let at = 0; at < names.length; at += SESSIONS_AT_ONCE) {
      const some = names.slice(at, at + SESSIONS_AT_ONCE);
      const records = await step(keys.record(some[0]!), (redis) =>
        Promise.all(some.map((name) => redis.commandForBuffers<Buffer | null>('GET', keys.record(name)))),
      );
      for (const [i, record] of records.entries()) {
        if (record === null) continue;
        try {
          const session = this.#describe(some[i]!, record, user);
          if (session) sessions.push(session);
        } catch (error) {
          // One that cannot be read must not keep all others from their user.
          if (!(error instanceof SessionDataError)) throw error;
          unreadable.push({ of: some[i]!, problem: error.message });
        }
      }
    }
    return { sessions, unreadable };
  }

  #describe(session: string, record: Buffer, user: string | undefined): ExportedSession | undefined {
    const header = readable(session, () => readHeader(record));
    if (user !== undefined && header.user !== user) return undefined;
    // A mark that a session has ended has no fields.
    if (header.ended && record.length === header.length) return undefined;
    const read = this.#fieldsOf(session, record);
    const userId = textOf(read.fields, USER_FIELD);
    const device = textOf(read.fields, DEVICE_FIELD);
    return {
      session,
      state: header.ended ? 'ended' : 'living',
      ...(userId !== undefined && { userId }),
      ...(device !== undefined && { device }),
      createdAt: new Date(header.createdAt).toISOString(),
      lastSeenAt: new Date(header.lastSeenAt).toISOString(),
      expiresAt: new Date(header.expiresAt).toISOString(),
      data: read.fields ? readFields(read.fields, HIDDEN, 0) : null,
      ...(read.problem !== undefined && { problem: read.problem }),
    };
  }

  #fieldsOf(session: string, record: Buffer): { readonly fields?: SessionFields; readonly problem?: string } {
    try {
      return { fields: readBody(this.#encryption, session, record, readHeader(record)) };
    } catch (error) {
      if (error instanceof SessionDataError) return { problem: error.message };
      throw error;
    }
  }
}

function textOf(fields: SessionFields | undefined, name: string): string | undefined {
  const json = fields?.get(name);
  return json === undefined ? undefined : (JSON.parse(json) as string);
}
