import type { CommandConnection } from '../../redis/index.ts';
import { deploymentOf, stepKeys } from '../cluster/deferred-index-writes.ts';
import { UserIndex } from '../cluster/user-index.ts';
import { dropMirror } from '../mirror/scripts/drop-mirror.ts';
import { userReference } from '../tokens/user-reference.ts';
import { BegunErasures } from './begun-erasures.ts';
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
  /** Copies of sessions that were written for connect-redis (`mirrorTo`). */
  readonly copies: number;
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
 *  and the lifecycle events that name them. Doing it again is harmless, and goes on where it was interrupted: a list of the
 *  user's sessions stays until all is done, because their records no longer name the user. */
export class SessionErasure {
  readonly #context: SubjectContext;
  readonly #sessions: SubjectSessions;
  readonly #index: UserIndex;
  readonly #events: LifecycleEvents;
  readonly #begun: BegunErasures;

  constructor(context: SubjectContext) {
    this.#context = context;
    this.#sessions = new SubjectSessions(context);
    this.#index = new UserIndex(context.keys);
    this.#events = new LifecycleEvents(context, this.#sessions);
    this.#begun = new BegunErasures(context);
  }

  /** Erases one session, or all that a user has, with their lifecycle events.
   *  @throws the error of a step; what was erased by then stays erased. */
  async erase(subject: Subject): Promise<ErasedSessions> {
    const erased = await this.eraseRecords(subject);
    const lifecycleEvents = await this.eraseEvents(erased.ids);
    await this.finish(subject);
    return { ...erased, lifecycleEvents };
  }

  /** Erases all of sessions but their events, for a caller that erases more of them; `finish` ends it. */
  async eraseRecords(subject: Subject): Promise<Omit<ErasedSessions, 'lifecycleEvents'>> {
    const counts = { sessions: 0, copies: 0, knowledge: 0, waitingForArchive: 0, unreadable: 0 };
    if (subject.session !== undefined) {
      await this.#eraseAll([subject.session], '', counts);
      return { ids: [subject.session], ...counts };
    }
    const user = userReference(subject.user);
    const ids = new Set<string>();
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      if (!(await this.#eraseUser(user, counts, ids))) break;
    }
    return { ids: [...ids], ...counts };
  }

  /** Notes more sessions of a user before something is deleted that alone names them. */
  async remember(subject: Subject, sessions: readonly string[]): Promise<void> {
    if (subject.user !== undefined) await this.#begun.add(userReference(subject.user), sessions);
  }

  /** Deletes the lifecycle events of sessions. Returns how many. */
  eraseEvents(sessions: readonly string[]): Promise<number> {
    return this.#events.erase(sessions);
  }

  /** Ends an erasure: everything of the subject's sessions is deleted. */
  async finish(subject: Subject): Promise<void> {
    if (subject.user !== undefined) await this.#begun.clear(userReference(subject.user));
  }

  /** Erases what there is of a user now. Returns whether there was anything. */
  async #eraseUser(user: string, counts: Counts, ids: Set<string>): Promise<boolean> {
    const listed = await this.#sessions.listed(user);
    const begun = await this.#begun.read(user);
    const owned = [...(await this.#sessions.owned(user, listed)), ...(await this.#sessions.waiting(user))];
    await this.#begun.add(user, owned);
    counts.unreadable = 0;
    const results = await this.#eraseAll([...new Set([...listed, ...owned, ...begun])], user, counts);
    const ours = new Set([...owned, ...begun]);
    for (const [session, status] of results) {
      // Another's by now: an index may be stale, and a login may come in between.
      if (status === 'notTheirs') await this.#begun.remove(user, session);
      else if (status === 'done' || ours.has(session)) ids.add(session);
    }
    await this.#cleanIndex(user, listed);
    return [...results.values()].includes('done');
  }

  async #eraseAll(
    sessions: readonly string[],
    user: string,
    counts: Counts,
  ): Promise<Map<string, Awaited<ErasedOne>['status']>> {
    const statuses = new Map<string, Awaited<ErasedOne>['status']>();
    for (let at = 0; at < sessions.length; at += SESSIONS_AT_ONCE) {
      const some = sessions.slice(at, at + SESSIONS_AT_ONCE);
      const key = this.#context.keys.record(some[0]!);
      const results = await this.#context.step(key, (redis) =>
        Promise.all(some.map((session) => this.#eraseOne(redis, session, user))),
      );
      for (const [i, { status, values }] of results.entries()) {
        statuses.set(some[i]!, status);
        const [hasData = 0, parts = 0, waiting = 0] = values;
        counts.sessions += hasData;
        counts.knowledge += parts;
        counts.waitingForArchive += waiting;
        if (status === 'unreadable') counts.unreadable += 1;
      }
      const ended = some.filter((_, i) => results[i]!.status === 'done' || results[i]!.status === 'gone');
      counts.copies += await this.#eraseCopies(ended);
    }
    return statuses;
  }

  // Behind the records, so that no store that is saving makes a copy again.
  async #eraseCopies(sessions: readonly string[]): Promise<number> {
    const { keys, mirrors, step } = this.#context;
    if (!mirrors || sessions.length === 0) return 0;
    const dropped = await step(keys.record(sessions[0]!), (redis) =>
      Promise.all(
        sessions.map((session) =>
          dropMirror.run(redis, { record: keys.record(session), base: keys.mirrorBase(session) }, {}),
        ),
      ),
    );
    return dropped.reduce((sum, count) => sum + count, 0);
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
  copies: number;
  knowledge: number;
  waitingForArchive: number;
  unreadable: number;
}

type ErasedOne = ReturnType<ReturnType<typeof eraseSession.for>['run']>;
