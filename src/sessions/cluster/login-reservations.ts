import { setTimeout as sleep } from 'node:timers/promises';
import { SerialQueue } from '../../async/index.ts';
import type { Keys } from '../../redis/index.ts';
import type { BoundedOperation } from '../connection/bounded-operation.ts';
import { SessionLimitError } from '../errors.ts';
import { TooManySessionsError } from '../too-many-sessions-error.ts';
import { claimPlace, type PlaceVerdict } from './scripts/claim-place.ts';
import { sessionOfMember, type UserIndex } from './user-index.ts';

/** How much longer than its operation a claim holds, in milliseconds: what was refused as too late by the clock of one
 *  server must not be possible by that of another. */
const CLAIM_SLACK_MS = 5_000;
/** How long to wait before looking again at claims of others, in milliseconds: at first, and at most. A look costs a
 *  command for each of the user's sessions. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 40;
/** For how much of its deadline an operation waits for claims of others. In the rest it can still end a session and take
 *  its place, so that a claim whose process died does not look like a Redis that is away. */
const PATIENT_SHARE = 0.5;

/** A place in a user's index that is claimed for a session. */
export interface PlaceClaim {
  /** The entry's score, by which it is known. */
  readonly score: string;
  /** Sessions that were ended for it. */
  readonly ended: readonly string[];
}

/** The terms of places. */
export interface PlaceTerms {
  readonly deadlineMs: number;
  /** 0: any number. */
  readonly maxSessionsPerUser: number;
  readonly onSessionLimit: 'refuse' | 'end-oldest';
}

/** Ends a session if it is the user's, because of the cap; whether it lived until then. */
export type EndForPlace = (redis: BoundedOperation, session: string, user: string) => Promise<boolean>;

interface Place {
  readonly member: string;
  readonly score: string;
  /** Whether it is a claim that holds. */
  readonly holds: boolean;
  readonly isReadable: boolean;
  readonly isTaken: boolean;
  readonly lastSeenAt: number;
}

/** In a Cluster: who may become a user's. A step in the user's slot gives a place away if there is one; so no number of
 *  logins at once gets past the cap. Where there is none, the records are looked into: an entry may be out of date. Then
 *  the oldest sessions are ended, or the login is refused.
 *
 *  A claim of another login is waited for first, and nobody is ended meanwhile: it may come to nothing, and then a
 *  session would have ended for it. Where it stands for too long this login is refused and can be tried again. */
export class PlaceClaims {
  readonly #keys: Keys;
  readonly #index: UserIndex;
  readonly #terms: PlaceTerms;
  readonly #end: EndForPlace;
  readonly #queue = new SerialQueue();

  constructor(keys: Keys, index: UserIndex, terms: PlaceTerms, end: EndForPlace) {
    this.#keys = keys;
    this.#index = index;
    this.#terms = terms;
    this.#end = end;
  }

  /** Claims a place for a session that ends at `expiresAt`.
   *  @throws TooManySessionsError where more have to end than are looked at; SessionLimitError where there is none and none may be made, or claims of others are in the way. */
  claim(redis: BoundedOperation, user: string, session: string, expiresAt: number): Promise<PlaceClaim> {
    const claim = (): Promise<PlaceClaim> => this.#claim(redis, user, session, expiresAt);
    // One after the other in this process: they would only wait for each other's claims.
    return this.#terms.maxSessionsPerUser > 0 ? this.#queue.run(user, claim) : claim();
  }

  async #claim(redis: BoundedOperation, user: string, session: string, expiresAt: number): Promise<PlaceClaim> {
    const { maxSessionsPerUser: limit, deadlineMs, onSessionLimit } = this.#terms;
    const index = this.#keys.userSessions(user);
    const own = this.#index.memberOf(session);
    const terms = [own, limit, deadlineMs + CLAIM_SLACK_MS, Math.ceil(expiresAt)];
    // From when the operation began: it may have waited for its turn behind one that waited for the same claim.
    const patientUntil = redis.begunAt + deadlineMs * PATIENT_SHARE;
    let pauseMs = FIRST_PAUSE_MS;
    const ended: string[] = [];
    for (let verdicts: string[] = []; ; ) {
      const [isClaimed, answer, ...reply] = await claimPlace.run(redis, [index], [...terms, ...verdicts]);
      if (isClaimed === 1) return { score: answer, ended };
      // The session's own entry, if it has one, takes no place from itself.
      const places = (await this.#look(redis, user, reply)).filter(({ member }) => member !== own);
      verdicts = places.flatMap((place) => verdictOf(place));
      const taken = places.filter(({ isTaken }) => isTaken).sort((one, other) => one.lastSeenAt - other.lastSeenAt);
      const claimed = places.filter(({ isTaken, holds, isReadable }) => isReadable && holds && !isTaken);
      const uncounted = places.filter(({ isReadable, isTaken, holds }) => !isReadable || !(isTaken || holds)).length;
      const count = Number(answer) - uncounted;
      const tooMany = count - limit + 1;
      if (tooMany <= 0) continue;
      if (onSessionLimit === 'refuse' && count - claimed.length >= limit) throw new SessionLimitError(limit);
      if (claimed.length > 0) {
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

  async #look(redis: BoundedOperation, user: string, flat: readonly string[]): Promise<Place[]> {
    const places: Promise<Place>[] = [];
    for (let i = 0; i + 2 < flat.length; i += 3) {
      const [member, score, holds] = [flat[i]!, flat[i + 1]!, flat[i + 2] === '1'];
      places.push(
        this.#index.ownerOf(redis, sessionOfMember(member)).then(({ isReadable, user: owner, lastSeenAt }) => {
          return { member, score, holds, isReadable, isTaken: owner === user, lastSeenAt };
        }),
      );
    }
    return Promise.all(places);
  }
}

function verdict(member: string, score: string, is: PlaceVerdict): string[] {
  return [member, score, is];
}

function verdictOf({ member, score, holds, isReadable, isTaken }: Place): string[] {
  if (!isReadable) return verdict(member, score, 'unreadable');
  return isTaken || holds ? [] : verdict(member, score, 'gone');
}
