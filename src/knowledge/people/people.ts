import { PARTITIONS, partitionOf } from '../../redis/index.ts';
import type { SubjectStates } from '../notices/subject-states.ts';
import type { SeenItemsOptions } from '../seen-items-options.ts';
import type { ReadingContext } from '../subject-reading.ts';
import { ContendedError } from './contended-error.ts';
import { type Claim, KnowledgePush, personKeys } from './knowledge-push.ts';
import { claimSession } from './scripts/claim-session.ts';
import { erasePerson } from './scripts/erase-person.ts';
import { postponeClaim } from './scripts/postpone-claim.ts';
import { settleClaim } from './scripts/settle-claim.ts';

/* people.ts: how what is known of a session becomes a person's (docs/adr/0025).
 *
 * Session and person lie in different slots, so no step reaches both. The session is *claimed* first: from then on all that
 * is still noted of it is the person's. Then what is known of it is *pushed*: counters as totals, of which the person takes
 * what it has not taken of this source, and all else by union. So a push may come twice, late, or out of order. When the
 * claim is a minute old and nothing new was noted, it is pushed once more and the session *retires*: its record is deleted,
 * and the id is a new visitor's. What was begun and not ended, by a process that ended, is done by the next sweep. */

/** How long after its claim a session is still looked after, in milliseconds. */
export const RETIRE_MS = 60_000;
const CLAIM_SECONDS = 30 * 86_400;
const MOST_TRIES = 20;

/** Options of people. */
export interface PeopleOptions {
  readonly seen: SeenItemsOptions;
  /** How long a person is kept after the last message that writes, in seconds. */
  readonly seconds: number;
  /** How long after its claim a session is still looked after, in milliseconds. Default 60,000. */
  readonly retireMs?: number;
}

/** Merges what is known of sessions into what is known of persons. Subjects are named as their keys are. */
export class People {
  readonly #context: ReadingContext;
  readonly #push: KnowledgePush;
  readonly #now: () => number;
  readonly #retireMs: number;

  /** `now`: milliseconds of the epoch by Redis's clock. `sourceKey`: hashes the names of sources. */
  constructor(
    context: ReadingContext,
    notices: SubjectStates,
    now: () => number,
    sourceKey: string,
    { seen, seconds, retireMs = RETIRE_MS }: PeopleOptions,
  ) {
    this.#retireMs = retireMs;
    this.#context = context;
    this.#now = now;
    this.#push = new KnowledgePush(context, notices, now, sourceKey, { seen, seconds });
  }

  /** Merges a session into a person. Resolves when all that was noted of it before is the person's. Done again, it does
   *  nothing. A session that is another person's is that one's first: what was noted until now is merged there, and the
   *  session begins anew. Whether there was anything to merge.
   *  @throws whatever Redis refuses with; ContendedError where others write the record all the time. */
  async identify(person: string, session: string): Promise<boolean> {
    await this.#context.writes.settled(session);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const claim = await this.#claim(session, person);
      if (!claim) return false;
      const isOthers = claim.to !== person;
      if (!isOthers && claim.clean === claim.dirty) return tries > 0;
      const isGone = (await this.#push.push(claim, session)) !== 'merged';
      const isSettled = await this.#settle(session, claim, isOthers || isGone);
      if (isSettled && !isOthers) return true;
    }
    throw new ContendedError('The session is written so often that it could not be merged.');
  }

  /** Merges what was noted of a session that is claimed already. Resolves when it is the person's. */
  async mergeLate(session: string): Promise<void> {
    const claim = await this.#claim(session, '');
    if (!claim || claim.clean === claim.dirty) return;
    const isGone = (await this.#push.push(claim, session)) !== 'merged';
    await this.#settle(session, claim, isGone);
  }

  /** Looks at a claimed session whose time has come: merges what is not merged yet, and lets it retire where the claim is a
   *  minute old. */
  async lookAt(session: string): Promise<void> {
    const claim = await this.#claim(session, '');
    if (!claim) {
      await this.#context.redis.command('ZREM', this.#keysOf(session).merging, session);
      return;
    }
    const retires = claim.clean === claim.dirty && (Number(claim.time) - Number(claim.at)) / 1_000 >= this.#retireMs;
    // Once more, also where nothing was noted since: a master that failed may have lost it.
    const isGone = (await this.#push.push(claim, session)) !== 'merged';
    await this.#settle(session, claim, retires || isGone);
  }

  /** Puts off a claimed session that could not be merged. `again`: when to look at it next, in milliseconds of the epoch;
   *  `mostMs`: a claim that is older is given up, and all that is known of the session is deleted; default: none is. */
  async postpone(session: string, again: number, mostMs = 0): Promise<'postponed' | 'givenUp' | 'gone'> {
    const { redis, keys } = this.#context;
    const args = { namespace: keys.namespace, session, again, mostMs };
    return (await postponeClaim.run(redis, this.#keysOf(session), args)).status;
  }

  /** Deletes all that is known of a person. What sessions have noted for them is deleted too, and nothing that was noted
   *  before is merged later. For an hour nothing is noted of the person. Returns whether anything was known. */
  async erase(person: string): Promise<boolean> {
    const { redis, keys } = this.#context;
    const known = await erasePerson.run(redis, personKeys(this.#context, person), {
      namespace: keys.namespace,
      person,
    });
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const sessions = await redis.command<string[]>('ZRANGE', keys.merging(partition), '0', '-1');
      for (const session of sessions) {
        if ((await redis.command<string | null>('HGET', keys.claim(session), 'to')) === person)
          await this.lookAt(session);
      }
    }
    return known === 1;
  }

  async #claim(session: string, person: string): Promise<Claim | undefined> {
    const { redis } = this.#context;
    const now = Math.floor(this.#now() / 1_000);
    const args = { session, person, now, seconds: CLAIM_SECONDS };
    const { status, values } = await claimSession.run(redis, this.#keysOf(session), args);
    if (status === 'nothing') return undefined;
    const [to, at, dirty, clean, time] = values.map(String) as [string, string, string, string, string];
    return { to, at, dirty, clean, time, record: values[5] ?? null };
  }

  async #settle(session: string, { at, dirty }: Claim, retires: boolean): Promise<boolean> {
    const { redis, keys } = this.#context;
    const again = Number(at) / 1_000 + this.#retireMs;
    const args = { namespace: keys.namespace, session, at, dirty, again, retires };
    return (await settleClaim.run(redis, this.#keysOf(session), args)).status === 'settled';
  }

  #keysOf(session: string): { record: string; claim: string; merging: string; absent?: string } {
    const { redis, keys } = this.#context;
    const partition = partitionOf(session);
    const named = { record: keys.subject(session), claim: keys.claim(session), merging: keys.merging(partition) };
    return redis.movesSlots ? { ...named, absent: keys.absent(partition) } : named;
  }
}
