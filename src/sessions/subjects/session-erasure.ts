import type { CommandConnection } from '../../redis/index.ts';
import { deploymentOf, stepKeys } from '../cluster/deferred-index-writes.ts';
import { UserIndex } from '../cluster/user-index.ts';
import { userReference } from '../tokens/user-reference.ts';
import { LifecycleEvents } from './lifecycle-events.ts';
import { eraseSession } from './scripts/erase-session.ts';
import type { Subject } from './subject.ts';
import { type SubjectContext, SubjectSessions } from './subject-sessions.ts';

/** What an erasure of session data deleted, by kind. */
export interface ErasedSessions {
  /** The public ids of the sessions that were erased. */
  readonly ids: readonly string[];
  /** Session records, with those that waited for the archive. */
  readonly sessions: number;
  /** Keys of what was calculated about these sessions. */
  readonly knowledge: number;
  /** Entries of ended sessions in the queue of the archive. */
  readonly waitingForArchive: number;
  /** Entries of the lifecycle stream, with those that the erasure itself made. */
  readonly lifecycleEvents: number;
  /** Sessions of the user's index that cannot be read, so nobody knows whether they are the user's. They stay. */
  readonly unreadable: number;
}

const SESSIONS_AT_ONCE = 50;
// Logins that happen meanwhile are found in the next round. Whoever logs in after all rounds begins anew.
const MOST_ROUNDS = 5;

/** Erases the sessions of a subject in steps with a deadline each: session data, what was calculated about the sessions,
 *  and the lifecycle events that name them. Doing it again is harmless, and goes on where it was interrupted. */
export class SessionErasure {
  readonly #context: SubjectContext;
  readonly #sessions: SubjectSessions;
  readonly #index: UserIndex;
  readonly #events: LifecycleEvents;

  constructor(context: SubjectContext) {
    this.#context = context;
    this.#sessions = new SubjectSessions(context);
    this.#index = new UserIndex(context.keys);
    this.#events = new LifecycleEvents(context, this.#sessions);
  }

  /** Erases one session, or all that a user has.
   *  @throws the error of a step; what was erased by then stays erased. */
  async erase(subject: Subject): Promise<ErasedSessions> {
    const counts = { sessions: 0, knowledge: 0, waitingForArchive: 0, unreadable: 0 };
    const ids = new Set<string>();
    if (subject.session !== undefined) await this.#eraseAll([subject.session], '', counts, ids);
    else await this.#eraseUser(userReference(subject.user), counts, ids);
    return { ids: [...ids], ...counts, lifecycleEvents: await this.#events.erase([...ids]) };
  }

  /** Deletes the lifecycle events of sessions. Returns how many. */
  eraseEvents(sessions: readonly string[]): Promise<number> {
    return this.#events.erase(sessions);
  }

  async #eraseUser(user: string, counts: Counts, ids: Set<string>): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const listed = await this.#sessions.listed(user);
      const found = [...new Set([...listed, ...(await this.#sessions.waiting(user))])];
      counts.unreadable = 0;
      const erased = await this.#eraseAll(found, user, counts, ids);
      await this.#cleanIndex(user, listed);
      if (erased === 0) return;
    }
  }

  async #eraseAll(sessions: readonly string[], user: string, counts: Counts, ids: Set<string>): Promise<number> {
    let erased = 0;
    for (let at = 0; at < sessions.length; at += SESSIONS_AT_ONCE) {
      const some = sessions.slice(at, at + SESSIONS_AT_ONCE);
      const key = this.#context.keys.record(some[0]!);
      const results = await this.#context.step(key, (redis) =>
        Promise.all(some.map((session) => this.#eraseOne(redis, session, user))),
      );
      for (const [i, { status, values }] of results.entries()) {
        if (status === 'unreadable') counts.unreadable += 1;
        if (status !== 'done') continue;
        const [hasData = 0, parts = 0, waiting = 0] = values;
        erased += 1;
        ids.add(some[i]!);
        counts.sessions += hasData;
        counts.knowledge += parts;
        counts.waitingForArchive += waiting;
      }
    }
    return erased;
  }

  #eraseOne(redis: CommandConnection, session: string, user: string): ErasedOne {
    const { keys, lifecycleLength } = this.#context;
    const deployment = deploymentOf(this.#sessions.deferredWrites);
    const args = { session, user, namespace: keys.namespace, lifecycleLength };
    return eraseSession.for(deployment).run(redis, stepKeys(deployment, keys, session), args);
  }

  async #cleanIndex(user: string, sessions: readonly string[]): Promise<void> {
    const key = this.#context.keys.userSessions(user);
    for (let at = 0; at < sessions.length; at += SESSIONS_AT_ONCE) {
      const members = sessions.slice(at, at + SESSIONS_AT_ONCE).map((session) => this.#index.memberOf(session));
      await this.#context.step(key, (redis) => this.#index.removeStrangers(redis, user, members));
    }
  }
}

interface Counts {
  sessions: number;
  knowledge: number;
  waitingForArchive: number;
  unreadable: number;
}

type ErasedOne = ReturnType<ReturnType<typeof eraseSession.for>['run']>;
