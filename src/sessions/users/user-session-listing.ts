import { sessionOfMember, UserIndex } from '../cluster/user-index.ts';
import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { StoreConnection } from '../connection/store-connection.ts';
import { StoreUnavailableError } from '../errors/store-unavailable-error.ts';
import type { SessionRecords } from '../operations/session-records.ts';
import { userReference } from '../tokens/user-reference.ts';
import {
  describeSession,
  type EndReason,
  type UserSession,
  type UserSessions,
  unlessUnreadable,
} from './user-sessions.ts';

/** How many sessions one step looks at or ends. */
const AT_ONCE = 200;
/** Default length of a page. */
const PAGE_LENGTH = 100;

/** A page of a user's sessions. */
export interface UserSessionPage {
  /** The most sessions, from 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  /** The last session of the page before: the list goes on behind it. */
  readonly after?: UserSession | undefined;
}

interface Owned {
  readonly member: string;
  readonly session: string;
  readonly lastSeenAt: number;
}

/** Lists and ends a user's sessions in steps of 200, because there may be thousands. Each step has a deadline of its
 *  own, and Redis serves other clients between two steps. */
export class UserSessionListing {
  readonly #connection: StoreConnection;
  readonly #records: SessionRecords;
  readonly #users: UserSessions;
  readonly #index: UserIndex;

  constructor(connection: StoreConnection, records: SessionRecords, users: UserSessions) {
    this.#connection = connection;
    this.#records = records;
    this.#users = users;
    this.#index = new UserIndex(records.keys);
  }

  /** Lists a page of a user's living sessions, the last seen first. A page shorter than its limit is the last.
   *  @throws RangeError for what is no user id, or no limit. */
  async list(userId: string, { limit = PAGE_LENGTH, after }: UserSessionPage = {}): Promise<UserSession[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
      throw new RangeError(`limit ${String(limit)} cannot be used: give a whole number from 1 to 1000.`);
    }
    const user = userReference(userId);
    const owned = (await this.#owned(user)).sort((one, other) => -compare(one, other));
    const rest = after ? owned.filter((one) => one.session !== after.session && compare(one, after) < 0) : owned;
    const page: UserSession[] = [];
    // Sessions that have ended meanwhile are replaced by later ones of the list.
    while (rest.length > 0 && page.length < limit) {
      const sessions = rest.splice(0, Math.min(AT_ONCE, limit - page.length));
      const loaded = await this.#step(user, true, (redis) =>
        Promise.all(sessions.map(({ session }) => this.#records.tryLoad(redis, session))),
      );
      for (const session of loaded) if (session?.header.user === user) page.push(describeSession(session));
    }
    return page;
  }

  /** Ends a user's sessions but `keep`. Returns how many.
   *  @throws StoreUnavailableError that says how many had ended by then. */
  async endAll(userId: string, keep?: string): Promise<number> {
    const user = userReference(userId);
    const members = (await this.#members(user)).filter((member) => sessionOfMember(member) !== keep);
    return (await this.#end(user, members, 'by-user')).length;
  }

  /** Ends the longest idle sessions of a user until at most `most` are left. Returns their ids.
   *  @throws StoreUnavailableError that says how many had ended by then. */
  async endOldest(userId: string, most: number): Promise<string[]> {
    const user = userReference(userId);
    const owned = (await this.#owned(user)).sort(compare);
    const members = owned.slice(0, Math.max(0, owned.length - most)).map(({ member }) => member);
    return this.#end(user, members, 'limit');
  }

  async #end(user: string, members: readonly string[], reason: EndReason): Promise<string[]> {
    const ended: string[] = [];
    for (let at = 0; at < members.length; at += AT_ONCE) {
      const some = members.slice(at, at + AT_ONCE);
      try {
        await this.#step(user, false, async (redis) => {
          const lived = await Promise.all(some.map((member) => this.#endOne(redis, user, member, reason)));
          ended.push(...some.filter((_, i) => lived[i]).map(sessionOfMember));
          // In a Cluster the index is cleaned later; until then ended sessions would count against the limit.
          if (this.#records.deferredWrites && reason === 'limit') await this.#index.removeStrangers(redis, user, some);
        });
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || at === 0) throw error;
        throw new StoreUnavailableError(
          `${error.message} At least ${ended.length} of ${members.length} sessions of the user have ended by now: do it again to end the others.`,
          { cause: error },
        );
      }
    }
    return ended;
  }

  #endOne(redis: BoundedOperation, user: string, member: string, reason: EndReason): Promise<boolean> {
    const reference = { session: sessionOfMember(member), hash: undefined };
    return this.#users.endRecord(redis, reference, reason, { user }).catch(unlessUnreadable);
  }

  async #owned(user: string): Promise<Owned[]> {
    const members = await this.#members(user);
    const owned: Owned[] = [];
    for (let at = 0; at < members.length; at += AT_ONCE) {
      const some = members.slice(at, at + AT_ONCE);
      const owners = await this.#step(user, true, (redis) =>
        Promise.all(some.map((member) => this.#index.ownerOf(redis, sessionOfMember(member)))),
      );
      const strangers = some.filter((_, i) => owners[i]!.isReadable && owners[i]!.user !== user);
      if (strangers.length > 0) this.#records.deferredWrites?.foundStrangers(user, strangers);
      for (const [i, member] of some.entries()) {
        const { user: owner, lastSeenAt } = owners[i]!;
        if (owner === user) owned.push({ member, session: sessionOfMember(member), lastSeenAt });
      }
    }
    return owned;
  }

  #members(user: string): Promise<string[]> {
    return this.#step(user, true, (redis) =>
      redis.command<string[]>('ZRANGE', this.#records.keys.userSessions(user), '0', '-1'),
    );
  }

  #step<Result>(user: string, reads: boolean, work: (redis: BoundedOperation) => Promise<Result>): Promise<Result> {
    return this.#connection.run(work, { key: this.#records.keys.userSessions(user), reads });
  }
}

type Seen = Pick<UserSession, 'session' | 'lastSeenAt'>;

/** Below 0 where `one` was seen before `other`. */
function compare(one: Seen, other: Seen): number {
  const difference = Math.round(one.lastSeenAt) - Math.round(other.lastSeenAt);
  return difference === 0 ? (one.session < other.session ? -1 : 1) : difference;
}
