import { createHmac } from 'node:crypto';
import { SerialQueue } from '../../async/index.ts';
import { partitionOf, SUBJECT_FLAGS } from '../../redis/index.ts';
import { type Fact, readFacts, takenWith } from '../facts/fact-section.ts';
import { decryptFacts, encryptFacts, sectionOfFacts } from '../facts/named-facts.ts';
import type { ItemHash } from '../item-hash.ts';
import {
  type ExportedNotices,
  hasNotices,
  NOTHING_WITH_NOTICES,
  type SubjectStates,
} from '../notices/subject-states.ts';
import { readDays } from '../read-days.ts';
import { checkExactLimit, type SeenItemsOptions } from '../seen-items-options.ts';
import type { ReadingContext } from '../subject-reading.ts';
import { ContendedError } from './contended-error.ts';
import { type MergeSide, mergeStates } from './merge-states.ts';
import { pushKnowledgeScript } from './scripts/push-knowledge.ts';
import { readClaimedNotices } from './scripts/read-claimed-notices.ts';
import { readPerson } from './scripts/read-person.ts';
import { placeSourceFilters, readSourceFilters, type SourceFilter } from './source-filters.ts';
import { decodeRecord, encodeRecord } from './subject-state.ts';

const MOST_TRIES = 20;
const { largePages, largeItems, largeMinutes } = SUBJECT_FLAGS;
/** Flags of what lies beside a record. */
const READ_BEHIND = largePages | largeItems | largeMinutes;

/** A session that is claimed, as it was read. */
export interface Claim {
  readonly to: string;
  /** Microseconds of the epoch. */
  readonly at: string;
  readonly dirty: string;
  readonly clean: string;
  /** When it was read, in microseconds of the epoch. */
  readonly time: string;
  readonly record: Buffer | null;
}

/** What a claimed session did with notices, and its number when that was read. */
interface ClaimedNotices extends ExportedNotices {
  readonly dirty: string;
}

/** What is pushed of a session. */
interface Pushed {
  readonly source: MergeSide;
  readonly notices: ClaimedNotices;
  readonly filters: readonly SourceFilter[];
}

/** What is taken of a source's facts behind a push. A push that was read earlier may come behind it, and lack some. */
function takenBehind(
  taken: ReadonlyMap<ItemHash, Fact>,
  facts: ReadonlyMap<ItemHash, Fact>,
): ReadonlyMap<ItemHash, Fact> {
  const all = new Map(taken);
  for (const [name, fact] of facts) all.set(name, takenWith(taken.get(name), fact));
  return all;
}

function pairsOf(flat: readonly Buffer[]): (readonly [Buffer, Buffer])[] {
  return flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1]!] as const] : []));
}

/** The keys of a person that a push reads and writes. */
export function personKeys(
  { redis, keys }: ReadingContext,
  person: string,
): {
  readonly record: string;
  readonly merged: string;
  readonly states: string;
  readonly own: string;
  readonly foreign: string;
  readonly erased: string;
  readonly absent?: string;
} {
  const named = {
    record: keys.subject(person),
    merged: keys.merged(person),
    states: keys.noticeStates(person),
    own: keys.ownNotices(person),
    foreign: keys.foreignNotices(person),
    erased: keys.erased(person),
  };
  return redis.movesSlots ? { ...named, absent: keys.absent(partitionOf(person)) } : named;
}

/** Writes what is known of a claimed session into the record of its person: read, merged here, and written if the record is
 *  still the one that was read. */
export class KnowledgePush {
  readonly #context: ReadingContext;
  readonly #notices: SubjectStates;
  readonly #now: () => number;
  readonly #sourceKey: string;
  readonly #isNative: boolean;
  readonly #exactLimit: number;
  readonly #push: ReturnType<typeof pushKnowledgeScript>;
  // Of one person one at a time: of many at once, each but the first would find another record and begin anew.
  readonly #persons = new SerialQueue();

  /** `now`: milliseconds of the epoch by Redis's clock. `sourceKey`: hashes the names of sources. `seconds`: how long a
   *  person is kept. */
  constructor(
    context: ReadingContext,
    notices: SubjectStates,
    now: () => number,
    sourceKey: string,
    { seen, seconds }: { readonly seen: SeenItemsOptions; readonly seconds: number },
  ) {
    this.#context = context;
    this.#notices = notices;
    this.#now = now;
    this.#sourceKey = sourceKey;
    this.#isNative = seen.engine === 'native';
    this.#exactLimit = checkExactLimit(seen.exactLimit);
    this.#push = pushKnowledgeScript(seen, seconds);
  }

  /** Pushes a session. What is old, or of a person that was erased since, is nobody's any more; one that is not claimed as it
   *  was read is old too.
   *  @throws whatever Redis refuses with; ContendedError where others write the record all the time. */
  async push(claim: Claim, session: string): Promise<'merged' | 'old' | 'erased'> {
    const source = await this.#sideOf(session, claim.record);
    const notices = await this.#noticesOf(claim, session);
    if (!notices) return 'old';
    const { flags = 0 } = source.state?.head ?? {};
    const filters = await readSourceFilters(this.#context, session, flags, this.#isNative);
    if ((flags & READ_BEHIND) !== 0 && !(await this.#isStill(claim, session))) return 'old';
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const read = { source, notices, filters };
      const status = await this.#persons.run(claim.to, () => this.#pushOnce(claim, session, read));
      if (status !== 'changed' && status !== 'late') return status;
    }
    throw new ContendedError("The person's record is written so often that nothing could be merged into it.");
  }

  // Undefined where the session is not claimed any more as it was.
  async #noticesOf({ at, dirty, record }: Claim, session: string): Promise<ClaimedNotices | undefined> {
    if (!hasNotices(record)) return { ...NOTHING_WITH_NOTICES, dirty };
    const { redis, keys } = this.#context;
    const named = {
      claim: keys.claim(session),
      states: keys.noticeStates(session),
      foreign: keys.foreignNotices(session),
      own: keys.ownNotices(session),
    };
    const absent = redis.movesSlots ? { absent: keys.absent(partitionOf(session)) } : {};
    const [atNow, number, states, foreign, own] = await readClaimedNotices.run(redis, { ...named, ...absent }, {});
    if (String(atNow) !== at) return undefined;
    const notices = await this.#notices.decode(session, {
      states: pairsOf(states).map(([field, bytes]) => [String(field), bytes]),
      foreign: foreign.map(String),
      own: pairsOf(own).map(([field, entry]) => [String(field), String(entry)]),
    });
    return { ...notices, dirty: String(number) };
  }

  // What lies beside the record was read behind it. By then the session may have been merged elsewhere and begun anew: for
  // another person, or for nobody.
  async #isStill({ at }: Claim, session: string): Promise<boolean> {
    const { redis, keys } = this.#context;
    return (await redis.command<string | null>('HGET', keys.claim(session), 'at')) === at;
  }

  async #pushOnce(
    { to: person, at }: Claim,
    session: string,
    { source, notices, filters }: Pushed,
  ): Promise<'merged' | 'changed' | 'late' | 'old' | 'erased'> {
    const { redis, encryption } = this.#context;
    const name = this.#sourceOf(session, at);
    const read = await readPerson.run(redis, personKeys(this.#context, person), { source: name });
    const [time, taken, expected, factsBefore] = read;
    const [prepared, had] = [Number(time), String(taken)];
    const takenFacts = await decryptFacts(encryption, person, readFacts(factsBefore ?? Buffer.alloc(0)));
    const total = source.state?.head.views ?? 0;
    const target = await this.#sideOf(person, expected);
    const merged = mergeStates(target, source, {
      views: Math.max(0, total - Number(had)),
      taken: takenFacts,
      exactLimit: this.#exactLimit,
      now: Math.floor(this.#now() / 1_000),
    });
    const { head, begins } = merged;
    const isLarge = (flag: number): boolean => (head.flags & flag) !== 0;
    const [pages, items, given, ownList, facts, nowTaken] = await Promise.all([
      encryption.encrypt(person, begins.pages ? [...target.pages, ...merged.pages] : merged.pages),
      encryption.encrypt(person, begins.items ? [...target.items, ...merged.items] : merged.items),
      this.#notices.mergeArgumentsOf(person, notices),
      this.#notices.ownField(person),
      encryptFacts(encryption, person, merged.facts),
      sectionOfFacts(encryption, person, takenBehind(takenFacts, source.facts)),
    ]);
    const [inPages, inItems] = [isLarge(SUBJECT_FLAGS.largePages), isLarge(SUBJECT_FLAGS.largeItems)];
    const sectionOf = (kept: Buffer | undefined, added: readonly string[], large: boolean): Buffer =>
      large ? Buffer.alloc(0) : Buffer.concat([kept ?? Buffer.alloc(0), Buffer.from(added.join(''), 'latin1')]);
    const next = encodeRecord({
      head,
      facts,
      minutes: merged.minutes,
      items: sectionOf(target.state?.items, items, inItems),
      pages: sectionOf(target.state?.pages, pages, inPages),
    });
    const [largePages, largeItems] = [inPages ? pages : [], inItems ? items : []];
    const { status } = await this.#push.run(
      redis,
      personKeys(this.#context, person),
      {
        expected: expected ?? '',
        next,
        source: name,
        had,
        views: String(Math.max(total, Number(had))),
        facts: nowTaken,
        notices: this.#digestOf(name, notices),
        noticesNumber: Number(notices.dirty),
        at: Number(at),
        prepared,
        flags: head.flags,
        beginsPages: begins.pages,
        beginsItems: begins.items,
        beginsDays: begins.minutes,
        pages: largePages.length,
        items: largeItems.length,
        minutes: merged.largeMinutes.length,
        filters: filters.length,
        lists: given.counts.lists,
        marks: given.counts.marks,
        ownNotices: given.counts.own,
        ownField: ownList.field,
        ownOffset: ownList.offset,
      },
      {
        args: [
          ...largePages,
          ...largeItems,
          ...merged.largeMinutes,
          ...(await placeSourceFilters(this.#context, person, { source: name, session }, filters)),
          ...given.args,
        ],
      },
    );
    return status;
  }

  async #sideOf(subject: string, record: Buffer | null): Promise<MergeSide> {
    if (record === null || record.length === 0)
      return { state: undefined, items: [], pages: [], days: [], facts: new Map() };
    const { encryption } = this.#context;
    const state = decodeRecord(record);
    const [items, pages, facts, days] = await Promise.all([
      encryption.decrypt(subject, state.items),
      encryption.decrypt(subject, state.pages),
      decryptFacts(encryption, subject, state.facts),
      (state.head.flags & SUBJECT_FLAGS.largeMinutes) === 0 ? [] : readDays(this.#context, subject),
    ]);
    return { state, items, pages, facts, days };
  }

  /** The same for the same source and notices; empty for none. Those of two sources that did the same differ. */
  #digestOf(source: string, { lists, marks, foreign, own }: ExportedNotices): string {
    if (lists.length + marks.length + foreign.length + own.length === 0) return '';
    const all = [...[...lists, ...marks].map((each) => JSON.stringify(Object.values(each))), ...foreign, ...own];
    return createHmac('sha256', this.#sourceKey)
      .update(`notices ${source}\n${all.map(String).sort().join('\n')}`)
      .digest('base64url')
      .slice(0, 11);
  }

  /** Names a source for a person's list of what was taken: nobody can tell from it which session it was. */
  #sourceOf(session: string, at: string): string {
    return createHmac('sha256', this.#sourceKey).update(`${session} ${at}`).digest('base64url').slice(0, 11);
  }
}
