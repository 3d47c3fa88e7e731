import { type CommandConnection, type Keys, PARTITION_TAGS, partitionOf } from '../../redis/index.ts';
import { confirmLogin } from './scripts/confirm-login.ts';
import { readScores, releaseLogin, removeMembers } from './scripts/index-entries.ts';
import { readOwner } from './scripts/read-owner.ts';

/** Whose a session is, as its record says. */
export interface SessionOwner {
  /** False where the record is of another format, or is something else. */
  readonly isReadable: boolean;
  /** A `userReference`; undefined where the session does not live, or is nobody's. */
  readonly user: string | undefined;
  /** When it was last written. */
  readonly lastSeenAt: number;
}

/** The users' indexes in a Cluster, where they are written apart from the records, each in its own slot. An index says
 *  where to look; the record says whose the session is. So an index may name a session that is not the user's, which
 *  whoever finds it removes; what it must not lack is one that is.
 *
 *  Removing is the dangerous part, because a session can become the user's in the meantime. Whoever takes a place writes
 *  the index, then the record, then the index again; whoever removes reads the entry, then the record, and removes the
 *  entry only if it is still that one and no claim that holds. */
export class UserIndex {
  readonly #keys: Keys;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** What a user's index calls a session. */
  memberOf(session: string): string {
    return `${PARTITION_TAGS[partitionOf(session)]}:${session}`;
  }

  /** Notes when a session of the user ends. `claim`: the score of the place that was claimed for it; undefined where it
   *  has its place and was renewed. Removes, too, what it finds that has no record any more. */
  async confirm(
    redis: CommandConnection,
    user: string,
    session: string,
    expiresAt: number,
    claim?: string,
  ): Promise<void> {
    const index = this.#keys.userSessions(user);
    const args = { member: this.memberOf(session), expiresAt, reservation: claim ?? '' };
    const old = await confirmLogin.run(redis, { index }, args);
    if (old.length > 0) await this.removeStrangers(redis, user, old);
  }

  /** Gives a place back that was claimed for nothing. */
  async release(redis: CommandConnection, user: string, session: string, claim: string): Promise<void> {
    const index = this.#keys.userSessions(user);
    await releaseLogin.run(redis, { index }, { member: this.memberOf(session), reservation: claim });
  }

  /** Looks into the records of members of a user's index, and removes those that are not the user's. */
  async removeStrangers(redis: CommandConnection, user: string, members: readonly string[]): Promise<void> {
    const index = this.#keys.userSessions(user);
    const scores = await readScores.run(redis, { index }, {}, { args: members });
    const listed = members
      .map((member, i) => ({ member, score: scores[i] as string }))
      .filter(({ score }) => score !== '');
    const owners = await Promise.all(listed.map(({ member }) => this.ownerOf(redis, sessionOfMember(member))));
    const strangers = listed.filter((_, i) => owners[i]!.isReadable && owners[i]!.user !== user);
    if (strangers.length === 0) return;
    const args = strangers.flatMap(({ member, score }) => [member, score]);
    await removeMembers.run(redis, { index }, {}, { args });
  }

  /** Whose a session is. */
  async ownerOf(redis: CommandConnection, session: string): Promise<SessionOwner> {
    const { status, values } = await readOwner.run(redis, { record: this.#keys.record(session) }, {});
    const [user, seen] = values;
    return { isReadable: status !== 'unreadable', user, lastSeenAt: Number(seen ?? 0) };
  }
}

/** The session of a member of a user's index. */
export function sessionOfMember(member: string): string {
  return member.slice(member.indexOf(':') + 1);
}
