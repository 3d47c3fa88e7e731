import { setTimeout as sleep } from 'node:timers/promises';
import { SerialQueue } from '../../async/index.ts';
import type { Keys } from '../../redis/index.ts';
import type { BoundedOperation } from '../connection/bounded-operation.ts';
import { SessionLimitError } from '../errors/session-limit-error.ts';
import { TooManySessionsError } from '../errors/too-many-sessions-error.ts';
import { type EntryVerdict, reserveLogin } from './scripts/reserve-login.ts';
import { sessionOfMember, type UserIndex } from './user-index.ts';

/** How much longer than its operation a reservation holds, in milliseconds. The servers' clocks differ: a step that one
 *  refuses as too late must not be possible on another. */
const RESERVATION_SLACK_MS = 5_000;
/** Pause before looking at other reservations again, in milliseconds: the first and the longest. A look costs one
 *  command for each of the user's sessions. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 40;
/** Share of its deadline for which an operation waits for other reservations. The rest is enough to end a session and
 *  reserve, so that a reservation whose process died does not look like an outage of Redis. */
const PATIENT_SHARE = 0.5;

/** An entry of a user's index that is reserved for a login. */
export interface LoginReservation {
  /** The entry's score, by which it is known. */
  readonly score: string;
  /** Sessions that were ended for it. */
  readonly ended: readonly string[];
}

/** Options of reservations. */
export interface ReservationOptions {
  readonly deadlineMs: number;
  /** 0: any number. */
  readonly maxSessionsPerUser: number;
  readonly onSessionLimit: 'refuse' | 'end-oldest';
}

/** Ends a session because of the limit, if it belongs to the user. Returns whether it lived until then. */
export type EndForReservation = (redis: BoundedOperation, session: string, user: string) => Promise<boolean>;

interface IndexEntry {
  readonly member: string;
  readonly score: string;
  /** Whether it is a reservation that has not expired. */
  readonly holds: boolean;
  readonly isReadable: boolean;
  readonly isTaken: boolean;
  readonly lastSeenAt: number;
}

/** Enforces the limit of sessions per user in a Cluster, where the session and the user's index lie in different
 *  slots. A step in the user's slot reserves an entry of the index if there is room; so parallel logins cannot
 *  exceed the limit. Where there is no room, the records are read, because entries may be stale. Then the oldest
 *  sessions are ended, or the login is refused.
 *
 *  A reservation of another login is waited for, and no session is ended meanwhile: if that login failed, the
 *  session would have ended for nothing. If it stays for too long, this login is refused and can be tried again. */
export class LoginReservations {
  readonly #keys: Keys;
  readonly #index: UserIndex;
  readonly #options: ReservationOptions;
  readonly #end: EndForReservation;
  readonly #queue = new SerialQueue();

  constructor(keys: Keys, index: UserIndex, options: ReservationOptions, end: EndForReservation) {
    this.#keys = keys;
    this.#index = index;
    this.#options = options;
    this.#end = end;
  }

  /** Reserves an entry for a session that ends at `expiresAt`.
   *  @throws TooManySessionsError where more sessions have to end than one step looks at; SessionLimitError where
   *  the limit is reached and no session may be ended, or reservations of other logins fill it. */
  reserve(redis: BoundedOperation, user: string, session: string, expiresAt: number): Promise<LoginReservation> {
    const reserve = (): Promise<LoginReservation> => this.#reserve(redis, user, session, expiresAt);
    // One at a time in this process: parallel ones would only wait for each other's reservations.
    return this.#options.maxSessionsPerUser > 0 ? this.#queue.run(user, reserve) : reserve();
  }

  async #reserve(redis: BoundedOperation, user: string, session: string, expiresAt: number): Promise<LoginReservation> {
    const { maxSessionsPerUser: limit, deadlineMs, onSessionLimit } = this.#options;
    const index = this.#keys.userSessions(user);
    const own = this.#index.memberOf(session);
    const holdsMs = deadlineMs + RESERVATION_SLACK_MS;
    const args = { member: own, limit, holdsMs, expiresAt: Math.ceil(expiresAt) };
    // From when the operation began: it may have waited for its turn behind one that waited for the same reservation.
    const patientUntil = redis.deadlineAt - deadlineMs * (1 - PATIENT_SHARE);
    let pauseMs = FIRST_PAUSE_MS;
    const ended: string[] = [];
    for (let verdicts: string[] = []; ; ) {
      const { status, values } = await reserveLogin.run(redis, { index }, args, { args: verdicts });
      const [answer, ...reply] = values;
      if (status === 'reserved') return { score: answer, ended };
      // Leaves out the session's own entry: it does not count against itself.
      const entries = (await this.#look(redis, user, reply)).filter(({ member }) => member !== own);
      verdicts = entries.flatMap((entry) => verdictOf(entry));
      const taken = entries.filter(({ isTaken }) => isTaken).sort((one, other) => one.lastSeenAt - other.lastSeenAt);
      const reserved = entries.filter(({ isTaken, holds, isReadable }) => isReadable && holds && !isTaken);
      const uncounted = entries.filter(({ isReadable, isTaken, holds }) => !isReadable || !(isTaken || holds)).length;
      const count = Number(answer) - uncounted;
      const tooMany = count - limit + 1;
      if (tooMany <= 0) continue;
      if (onSessionLimit === 'refuse' && count - reserved.length >= limit) throw new SessionLimitError(limit);
      if (reserved.length > 0) {
        if (performance.now() > patientUntil) throw new SessionLimitError(limit, true);
        await sleep(pauseMs);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
        continue;
      }
      if (tooMany > taken.length) throw new TooManySessionsError(limit);
      for (const { member, score } of taken.slice(0, tooMany)) {
        if (await this.#end(redis, sessionOfMember(member), user)) ended.push(sessionOfMember(member));
        verdicts.push(...verdict(member, score, 'ended'));
      }
    }
  }

  async #look(redis: BoundedOperation, user: string, flat: readonly string[]): Promise<IndexEntry[]> {
    const entries: Promise<IndexEntry>[] = [];
    for (let i = 0; i + 2 < flat.length; i += 3) {
      const [member, score, holds] = [flat[i]!, flat[i + 1]!, flat[i + 2] === '1'];
      entries.push(
        this.#index.ownerOf(redis, sessionOfMember(member)).then(({ isReadable, user: owner, lastSeenAt }) => {
          return { member, score, holds, isReadable, isTaken: owner === user, lastSeenAt };
        }),
      );
    }
    return Promise.all(entries);
  }
}

function verdict(member: string, score: string, is: EntryVerdict): string[] {
  return [member, score, is];
}

function verdictOf({ member, score, holds, isReadable, isTaken }: IndexEntry): string[] {
  if (!isReadable) return verdict(member, score, 'unreadable');
  return isTaken || holds ? [] : verdict(member, score, 'gone');
}
