import { type CommandConnection, type Keys, PARTITION_TAGS, partitionOf } from '../../redis/index.ts';
import { confirmLogin } from './scripts/confirm-login.ts';
import { readScores, releaseLogin, removeMembers } from './scripts/index-entries.ts';
import { readOwner } from './scripts/read-owner.ts';

/** The user of a session, as its record says. */
export interface SessionOwner {
  /** False where the record has another format, or the key another type. */
  readonly isReadable: boolean;
  /** A `userReference`; undefined where the session has ended, or has no user. */
  readonly user: string | undefined;
  /** When it was last written. */
  readonly lastSeenAt: number;
}

/** The users' indexes in a Cluster, where they are written apart from the records, each in its own slot. The index
 *  lists candidates; the record decides. The index may contain stale sessions, which readers remove; it must contain
 *  every session of the user.
 *
 *  Removal is the dangerous part, because the session can become the user's in the meantime. A login writes the index,
 *  then the record, then the index again; a removal reads the entry, then the record, and removes the entry only if it
 *  is unchanged and no reservation holds it. */
export class UserIndex {
  readonly #keys: Keys;

  constructor(keys: Keys) {
    this.#keys = keys;
  }

  /** The name of a session in a user's index. */
  memberOf(session: string): string {
    return `${PARTITION_TAGS[partitionOf(session)]}:${session}`;
  }

  /** Writes when a session of the user ends. `reservation`: its score; undefined for a renewal. Also removes
   *  entries that it finds without a record. */
  async confirm(
    redis: CommandConnection,
    user: string,
    session: string,
    expiresAt: number,
    reservation?: string,
  ): Promise<void> {
    const index = this.#keys.userSessions(user);
    const args = { member: this.memberOf(session), expiresAt, reservation: reservation ?? '' };
    const old = await confirmLogin.run(redis, { index }, args);
    if (old.length > 0) await this.removeStrangers(redis, user, old);
  }

  /** Releases a reservation whose login failed. */
  async release(redis: CommandConnection, user: string, session: string, reservation: string): Promise<void> {
    const index = this.#keys.userSessions(user);
    await releaseLogin.run(redis, { index }, { member: this.memberOf(session), reservation });
  }

  /** Reads the records of members of a user's index, and removes members that do not belong to the user. */
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

  /** Reads the user of a session. */
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
