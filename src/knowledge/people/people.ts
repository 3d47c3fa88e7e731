import { createHash, createHmac } from 'node:crypto';
import { PARTITIONS, partitionOf, type SeenKind, SUBJECT_FLAGS } from '../../redis/index.ts';
import { readDays } from '../read-days.ts';
import type { MarkedNotices, ReadNotices } from '../read-notices.ts';
import { checkExactLimit, type SeenItemsOptions } from '../seen-items-options.ts';
import type { ReadingContext } from '../subject-reading.ts';
import { type BesideFilter, listBeside, MOST_BESIDE } from './beside-filters.ts';
import { type MergeSide, mergeStates } from './merge-states.ts';
import { claimSession } from './scripts/claim-session.ts';
import { erasePerson } from './scripts/erase-person.ts';
import { pushKnowledgeScript } from './scripts/push-knowledge.ts';
import { readPerson } from './scripts/read-person.ts';
import { settleClaim } from './scripts/settle-claim.ts';
import { decodeRecord, encodeRecord } from './subject-state.ts';

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

interface Claim {
  readonly to: string;
  /** Microseconds of the epoch. */
  readonly at: string;
  readonly dirty: string;
  readonly clean: string;
  /** When it was read, in microseconds of the epoch. */
  readonly time: string;
  readonly record: Buffer | null;
}

interface DumpedFilter {
  readonly kind: SeenKind;
  readonly filter: Buffer;
  readonly count: Buffer;
}

/** What is pushed of a session. */
interface Pushed {
  readonly source: MergeSide;
  readonly notices: MarkedNotices;
  readonly filters: readonly DumpedFilter[];
}

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
  readonly #notices: ReadNotices;
  readonly #exactLimit: number;
  readonly #push: ReturnType<typeof pushKnowledgeScript>;
  readonly #now: () => number;
  readonly #sourceKey: string;
  readonly #retireMs: number;
  readonly #isNative: boolean;

  /** `now`: milliseconds of the epoch by Redis's clock. `sourceKey`: hashes the names of sources. */
  constructor(
    context: ReadingContext,
    notices: ReadNotices,
    now: () => number,
    sourceKey: string,
    { seen, seconds, retireMs = RETIRE_MS }: PeopleOptions,
  ) {
    this.#retireMs = retireMs;
    this.#context = context;
    this.#notices = notices;
    this.#now = now;
    this.#sourceKey = sourceKey;
    this.#isNative = seen.engine === 'native';
    this.#exactLimit = checkExactLimit(seen.exactLimit);
    this.#push = pushKnowledgeScript(seen, seconds);
  }

  /** Merges a session into a person. Resolves when all that was noted of it before is the person's. Done again, it does
   *  nothing. A session that is another person's is that one's first: what was noted until now is merged there, and the
   *  session begins anew.
   *  @throws whatever Redis refuses with; Error where others write the person's record all the time. */
  async identify(person: string, session: string): Promise<void> {
    await this.#context.writes.settled(session);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const claim = await this.#claim(session, person);
      if (!claim) return;
      const isOthers = claim.to !== person;
      if (!isOthers && claim.clean === claim.dirty) return;
      const isGone = (await this.#pushTo(claim, session)) !== 'merged';
      const isSettled = await this.#settle(session, claim, isOthers || isGone);
      if (isSettled && !isOthers) return;
    }
    throw new Error('The session is written so often that it could not be merged.');
  }

  /** Merges what was noted of a session that is claimed already. Resolves when it is the person's. */
  async mergeLate(session: string): Promise<void> {
    const claim = await this.#claim(session, '');
    if (!claim || claim.clean === claim.dirty) return;
    const isGone = (await this.#pushTo(claim, session)) !== 'merged';
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
    const isGone = (await this.#pushTo(claim, session)) !== 'merged';
    await this.#settle(session, claim, retires || isGone);
  }

  /** Deletes all that is known of a person. What sessions have noted for them is deleted too, and nothing that was noted
   *  before is merged later. For an hour nothing is noted of the person. Returns whether anything was known. */
  async erase(person: string): Promise<boolean> {
    const { redis, keys } = this.#context;
    const known = await erasePerson.run(redis, this.#targetKeys(person), { namespace: keys.namespace, person });
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const sessions = await redis.command<string[]>('ZRANGE', keys.merging(partition), '0', '-1');
      for (const session of sessions) {
        if ((await redis.command<string | null>('HGET', keys.claim(session), 'to')) === person)
          await this.lookAt(session);
      }
    }
    return known === 1;
  }

  /** Ends the claim of a session at a logout: merges what is not merged yet, and deletes its record. The id is a new
   *  visitor's then. */
  async release(session: string): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const claim = await this.#claim(session, '');
      if (!claim) return;
      await this.#pushTo(claim, session);
      if (await this.#settle(session, claim, true)) return;
    }
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

  // What is old, or of a person that was erased since, is nobody's any more.
  async #pushTo(claim: Claim, session: string): Promise<'merged' | 'old' | 'erased'> {
    const source = await this.#sideOf(session, claim.record);
    const notices = await this.#notices.exportOf(session, claim.record);
    const filters = await this.#filtersOf(session, source.state?.head.flags ?? 0);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const status = await this.#pushOnce(claim, session, { source, notices, filters });
      if (status !== 'changed' && status !== 'late') return status;
    }
    throw new Error("The person's record is written so often that nothing could be merged into it.");
  }

  async #pushOnce(
    { to: person, at }: Claim,
    session: string,
    { source, notices, filters }: Pushed,
  ): Promise<'merged' | 'changed' | 'late' | 'old' | 'erased'> {
    const { redis, encryption } = this.#context;
    const name = this.#sourceOf(session, at);
    const [time, taken, expected] = await readPerson.run(redis, this.#targetKeys(person), { source: name });
    const [prepared, had] = [Number(time), String(taken)];
    const total = source.state?.head.views ?? 0;
    const target = await this.#sideOf(person, expected);
    const merged = mergeStates(target, source, {
      views: Math.max(0, total - Number(had)),
      exactLimit: this.#exactLimit,
      now: Math.floor(this.#now() / 1_000),
    });
    const { head, begins } = merged;
    const isLarge = (flag: number): boolean => (head.flags & flag) !== 0;
    const [pages, items, positions] = await Promise.all([
      encryption.encrypt(person, begins.pages ? [...target.pages, ...merged.pages] : merged.pages),
      encryption.encrypt(person, begins.items ? [...target.items, ...merged.items] : merged.items),
      this.#notices.argumentsOf(person, notices),
    ]);
    const [inPages, inItems] = [isLarge(SUBJECT_FLAGS.largePages), isLarge(SUBJECT_FLAGS.largeItems)];
    const sectionOf = (kept: Buffer | undefined, added: readonly string[], large: boolean): Buffer =>
      large ? Buffer.alloc(0) : Buffer.concat([kept ?? Buffer.alloc(0), Buffer.from(added.join(''), 'latin1')]);
    const next = encodeRecord({
      head,
      minutes: merged.minutes,
      items: sectionOf(target.state?.items, items, inItems),
      pages: sectionOf(target.state?.pages, pages, inPages),
    });
    const [largePages, largeItems] = [inPages ? pages : [], inItems ? items : []];
    const { status } = await this.#push.run(
      redis,
      this.#targetKeys(person),
      {
        expected: expected ?? '',
        next,
        source: name,
        had,
        views: String(Math.max(total, Number(had))),
        at: Number(at),
        prepared,
        flags: head.flags,
        beginsPages: begins.pages,
        beginsItems: begins.items,
        beginsDays: begins.minutes,
        pages: largePages.length,
        items: largeItems.length,
        minutes: merged.largeMinutes.length,
        positions: notices.positions.length,
        filters: filters.length,
      },
      {
        args: [
          ...largePages,
          ...largeItems,
          ...merged.largeMinutes,
          ...(await this.#placed(person, name, session, filters)),
          ...positions,
        ],
      },
    );
    return status;
  }

  // The filters and unique counts of a session that has outgrown its record, as the push script takes them.
  async #filtersOf(session: string, flags: number): Promise<DumpedFilter[]> {
    const { redis, keys } = this.#context;
    const kinds: [SeenKind, number][] = [
      ['page', SUBJECT_FLAGS.largePages],
      ['item', SUBJECT_FLAGS.largeItems],
    ];
    const dumped = kinds
      .filter(([, flag]) => (flags & flag) !== 0)
      .map(async ([kind]) => {
        const [filter, count] = await Promise.all([
          this.#isNative
            ? redis.commandForBuffers<Buffer | null>('DUMP', keys.seenFilter(session, kind))
            : redis.commandForBuffers<Buffer | null>('GET', keys.seenFilter(session, kind)),
          redis.commandForBuffers<Buffer | null>('GET', keys.uniqueCount(session, kind)),
        ]);
        // One that was lost alone holds nothing.
        return filter && count ? [{ kind, filter, count }] : [];
      });
    return (await Promise.all(dumped)).flat();
  }

  // The same source has the same place each time.
  async #placed(
    person: string,
    source: string,
    session: string,
    filters: readonly DumpedFilter[],
  ): Promise<(string | Buffer)[]> {
    if (filters.length === 0) return [];
    const beside = await listBeside(this.#context, person);
    return filters.flatMap(({ kind, filter, count }) => {
      const place = placeOf(
        beside.filter((each) => each.kind === kind),
        source,
      );
      return [`${kind === 'page' ? 'p' : 'i'}${place}`, `${source} ${session}`, filter, count];
    });
  }

  async #sideOf(subject: string, record: Buffer | null): Promise<MergeSide> {
    if (record === null || record.length === 0) return { state: undefined, items: [], pages: [], days: [] };
    const { encryption } = this.#context;
    const state = decodeRecord(record);
    const [items, pages, days] = await Promise.all([
      encryption.decrypt(subject, state.items),
      encryption.decrypt(subject, state.pages),
      (state.head.flags & SUBJECT_FLAGS.largeMinutes) === 0 ? [] : readDays(this.#context, subject),
    ]);
    return { state, items, pages, days };
  }

  /** Names a source for a person's list of what was taken: nobody can tell from it which session it was. */
  #sourceOf(session: string, at: string): string {
    return createHmac('sha256', this.#sourceKey).update(`${session} ${at}`).digest('base64url').slice(0, 11);
  }

  #keysOf(session: string): { record: string; claim: string; merging: string; absent?: string } {
    const { redis, keys } = this.#context;
    const partition = partitionOf(session);
    const named = { record: keys.subject(session), claim: keys.claim(session), merging: keys.merging(partition) };
    return redis.movesSlots ? { ...named, absent: keys.absent(partition) } : named;
  }

  #targetKeys(person: string): {
    record: string;
    merged: string;
    rings: string;
    foreign: string;
    erased: string;
    absent?: string;
  } {
    const { redis, keys } = this.#context;
    const named = {
      record: keys.subject(person),
      merged: keys.merged(person),
      rings: keys.noticeRings(person),
      foreign: keys.foreignNotices(person),
      erased: keys.erased(person),
    };
    return redis.movesSlots ? { ...named, absent: keys.absent(partitionOf(person)) } : named;
  }
}

// Its own, else a free one, else any: above so many visitors with long histories of their own some of what was seen may be
// fresh again.
function placeOf(beside: readonly BesideFilter[], source: string): number {
  const own = beside.find((each) => each.source === source);
  if (own) return own.place;
  const taken = new Set(beside.map(({ place }) => place));
  for (let place = 0; place < MOST_BESIDE; place += 1) if (!taken.has(place)) return place;
  return createHash('sha256').update(source).digest()[0]! % MOST_BESIDE;
}
