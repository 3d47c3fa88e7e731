import { readSubjectHeader, SUBJECT_FLAGS } from '../../redis/index.ts';
import { ITEM_LENGTH } from '../item-encryption.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import type { ReadingContext, SubjectReading } from '../subject-reading.ts';
import type { NoticePosition } from './notice.ts';
import { NOTICE_STATES, type NoticeState, NoticeStates, STATE_NUMBERS } from './notice-states.ts';
import { OWN_NOTICES_FIELD } from './scripts/subject-scripts.ts';

/* subject-states.ts: what subjects did with notices, as Redis has it: a hash, encrypted list -> NoticeStates. Lists and the ids
 * of foreign notices are encrypted for the subject, and the numbers of each list moved by an offset of the subject's own. */

/** A notice, and what was done with it. */
export interface NoticeMark extends NoticePosition {
  readonly state: NoticeState;
}

/** A notice to one subject, with its number in front: "<number> <entry>". */
export type OwnEntry = string;

/** What a subject set for a list. */
export interface ListSettings {
  readonly list: ItemHash;
  readonly isMuted: boolean;
  /** Milliseconds of the epoch; 0: it sees the whole list. */
  readonly joinedAt: number;
}

/** All that a subject did with notices, and the notices to it alone. */
export interface ExportedNotices {
  readonly lists: readonly ListSettings[];
  readonly marks: readonly NoticeMark[];
  /** The hashes of ids of lists that the application keeps. */
  readonly foreign: readonly ItemHash[];
  readonly own: readonly OwnEntry[];
}

/** What is known of a subject and a list. */
export interface StatesOfList {
  readonly states: NoticeStates;
  /** Returns what was done with a notice, by its number in the list. */
  stateOf(sequence: number): NoticeState;
}

/** What is known of a subject and some lists. */
export interface StatesOfLists {
  /** Returns what was done with the notices of a list, by its place. */
  of(place: number): StatesOfList;
  /** Per list, whether anything is known of it. */
  readonly isKnown: readonly boolean[];
  readonly hasOwn: boolean;
}

const NONE = new NoticeStates(undefined);
const NOTHING_DONE: StatesOfList = { states: NONE, stateOf: NONE.inList(0) };
/** Of a subject of which nothing is known about notices. */
export const NOTHING_WITH_NOTICES: ExportedNotices = { lists: [], marks: [], foreign: [], own: [] };

/** Reads what subjects did with notices, and writes it as scripts take it. */
export class SubjectStates {
  readonly #context: ReadingContext;
  readonly #items: ItemHasher;
  /** The list of the notices to one subject alone. */
  readonly ownList: ItemHash;

  constructor(context: ReadingContext, items: ItemHasher) {
    this.#context = context;
    this.#items = items;
    this.ownList = items.of('own', '');
  }

  /** Reads what a subject did with notices of lists. */
  async read(reading: SubjectReading, lists: readonly ItemHash[]): Promise<StatesOfLists> {
    if (!(await reading.hasNotices())) {
      return { of: () => NOTHING_DONE, isKnown: lists.map(() => false), hasOwn: false };
    }
    const fields = await this.#fieldsOf(reading.subject, lists);
    const key = this.#context.keys.noticeStates(reading.subject);
    const names = [...fields.map(({ field }) => field), OWN_NOTICES_FIELD];
    const found = await this.#context.redis.commandForBuffers<(Buffer | null)[]>('HMGET', key, ...names);
    return {
      of: (place) => {
        if (!found[place]) return NOTHING_DONE;
        const states = new NoticeStates(found[place]);
        return { states, stateOf: states.inList(fields[place]!.offset) };
      },
      isKnown: lists.map((_, i) => Boolean(found[i])),
      hasOwn: Boolean(found.at(-1)),
    };
  }

  /** Reads the notices to one subject, by the hashes of their ids. `lastAt`: when the last one was published. */
  async readOwn(
    subject: string,
  ): Promise<{ readonly entries: ReadonlyMap<ItemHash, OwnEntry>; readonly lastAt: number }> {
    const key = this.#context.keys.ownNotices(subject);
    const found = await this.#context.redis.command<Record<string, string>>('HGETALL', key);
    const entries = new Map(ownEntries(Object.entries(found)).map(([field, entry]) => [Number(field.slice(1)), entry]));
    return { entries, lastAt: Number(found.at ?? 0) };
  }

  /** Per foreign id, whether it was read (and not forgotten since). */
  async hasForeign(reading: SubjectReading, ids: readonly string[]): Promise<boolean[]> {
    if (ids.length === 0 || !(await reading.hasNotices())) return ids.map(() => false);
    const { subject } = reading;
    const scores = await this.#context.redis.command<(number | null)[]>(
      'ZMSCORE',
      this.#context.keys.foreignNotices(subject),
      ...(await this.#context.encryption.encrypt(subject, this.#items.ofAll('notice', ids))),
    );
    return scores.map((score) => score !== null);
  }

  /** The arguments with which a script marks notices of a subject: triples of list, number and state, then foreign ids. */
  async argumentsOf(
    subject: string,
    marks: readonly NoticeMark[],
    foreign: readonly ItemHash[],
  ): Promise<(string | number)[]> {
    const lists = [...new Set(marks.map(({ list }) => list))];
    const [fields, ids] = await Promise.all([
      this.#fieldsOf(subject, lists),
      this.#context.encryption.encrypt(subject, foreign),
    ]);
    const byList = new Map(lists.map((list, i) => [list, fields[i]!]));
    const triples = marks.flatMap(({ list, sequence, state }) => {
      const { field, offset } = byList.get(list)!;
      return [field, numberIn(offset, sequence), state];
    });
    return [...triples, ...ids];
  }

  /** The arguments with which a push merges what another subject did: for each list its name, whether it is muted, and from
   *  when on it is seen; triples of list, number and state; for each own notice the hash of its id, its entry and its state;
   *  foreign ids. Counts of each stand in `counts`. */
  async mergeArgumentsOf(
    subject: string,
    { lists, marks, foreign, own }: ExportedNotices,
  ): Promise<{ readonly args: (string | number)[]; readonly counts: { lists: number; marks: number; own: number } }> {
    const settings = lists.filter(({ list }) => list !== this.ownList);
    const listed = marks.filter(({ list }) => list !== this.ownList);
    const ofOwn = new Map(marks.filter(({ list }) => list === this.ownList).map((mark) => [mark.sequence, mark.state]));
    const [fields, marked] = await Promise.all([
      this.fieldsOf(
        subject,
        settings.map(({ list }) => list),
      ),
      this.argumentsOf(subject, listed, foreign),
    ]);
    const ownArgs = own.flatMap((numbered) => {
      const at = numbered.indexOf(' ');
      const entry = numbered.slice(at + 1);
      return [noticeKeyOf(entry), entry, ofOwn.get(Number(numbered.slice(0, at))) ?? NOTICE_STATES.unseen];
    });
    const settingArgs = settings.flatMap(({ isMuted, joinedAt }, i) => [fields[i]!, isMuted ? '1' : '', joinedAt]);
    const triples = 3 * listed.length;
    return {
      args: [...settingArgs, ...marked.slice(0, triples), ...ownArgs, ...marked.slice(triples)],
      counts: { lists: settings.length, marks: listed.length, own: own.length },
    };
  }

  /** The encrypted names of lists. */
  async fieldsOf(subject: string, lists: readonly ItemHash[]): Promise<string[]> {
    return (await this.#fieldsOf(subject, lists)).map(({ field }) => field);
  }

  /** The name and the offset of the list of a subject's own notices. */
  async ownField(subject: string): Promise<{ readonly field: string; readonly offset: number }> {
    return (await this.#fieldsOf(subject, [this.ownList]))[0]!;
  }

  /** Reads all that a subject did with notices. `record`: the subject's record. */
  async exportOf(subject: string, record: Buffer | null): Promise<ExportedNotices> {
    if (!hasNotices(record)) return NOTHING_WITH_NOTICES;
    const { redis, keys } = this.#context;
    const [states, foreign, own] = await Promise.all([
      redis.commandForBuffers<Record<string, Buffer> | Map<Buffer, Buffer>>('HGETALL', keys.noticeStates(subject)),
      redis.commandForBuffers<Buffer[]>('ZRANGE', keys.foreignNotices(subject), '0', '-1'),
      redis.command<Record<string, string>>('HGETALL', keys.ownNotices(subject)),
    ]);
    const entries = states instanceof Map ? [...states.entries()] : Object.entries(states);
    return this.decode(subject, {
      states: entries.map(([field, bytes]) => [String(field), bytes]),
      foreign: foreign.map(String),
      own: Object.entries(own),
    });
  }

  /** Decrypts all that a subject did with notices, as Redis has it. */
  async decode(
    subject: string,
    {
      states: stored,
      foreign: ids,
      own,
    }: {
      readonly states: readonly (readonly [field: string, bytes: Buffer])[];
      readonly foreign: readonly string[];
      readonly own: readonly (readonly [field: string, entry: string])[];
    },
  ): Promise<ExportedNotices> {
    const { encryption } = this.#context;
    const entries = stored.filter(([field]) => field !== OWN_NOTICES_FIELD);
    const [lists, foreign] = await Promise.all([
      encryption.decrypt(subject, Buffer.from(entries.map(([field]) => field).join(''), 'latin1')),
      encryption.decrypt(subject, Buffer.from(ids.join(''), 'latin1')),
    ]);
    const fields = await this.#fieldsOf(subject, lists);
    const states = entries.map(([, bytes]) => new NoticeStates(bytes));
    const marks = states.flatMap((known, i) =>
      [...known.entries()].map(([number, state]) => ({
        list: lists[i]!,
        sequence: sequenceOf(fields[i]!.offset, number),
        state,
      })),
    );
    const settings = states.map(({ isMuted, joinedAt }, i) => ({ list: lists[i]!, isMuted, joinedAt }));
    return { lists: settings, marks, foreign, own: ownEntries(own).map(([, entry]) => entry) };
  }

  /** Counts the notices that a subject has read, as far as it is known. */
  async countRead(subject: string): Promise<number> {
    const { redis, keys } = this.#context;
    const found = await redis.commandForBuffers<Buffer[]>('HVALS', keys.noticeStates(subject));
    const states = found.filter(({ length }) => length > 1).flatMap((bytes) => [...new NoticeStates(bytes).entries()]);
    return states.filter(([, state]) => state === NOTICE_STATES.read || state === NOTICE_STATES.dismissed).length;
  }

  /** The name of each list in the subject's hash, and the offset of its numbers. */
  async #fieldsOf(
    subject: string,
    lists: readonly ItemHash[],
  ): Promise<{ readonly field: string; readonly offset: number }[]> {
    // A hash that stands for no list: the second half of a pair.
    const hashes = lists.flatMap((list) => [list, OFFSETS - list]);
    const encrypted = await this.#context.encryption.encrypt(subject, hashes);
    return lists.map((_, i) => ({ field: encrypted[2 * i]!, offset: offsetOf(encrypted[2 * i + 1]!) }));
  }
}

/** Whether anything was done with notices, or there are some to the subject alone. `record`: the subject's record. */
export function hasNotices(record: Buffer | null): record is Buffer {
  return Boolean(record?.length) && (readSubjectHeader(record!).flags & SUBJECT_FLAGS.notices) !== 0;
}

// The hash has other fields too.
function ownEntries<Field extends readonly [field: string, entry: string]>(fields: readonly Field[]): Field[] {
  return fields.filter(([field]) => field.startsWith('i'));
}

function noticeKeyOf(entry: string): string {
  return /^\d+ \d+ (\d+) /.exec(entry)![1]!;
}

// Hashes end below it.
const OFFSETS = 2 ** 53 - 1;

/** The first 52 of 56 bits: the sum with a number that begins at a microsecond of this century stays exact. */
function offsetOf(encrypted: string): number {
  let offset = 0;
  for (let i = 0; i < ITEM_LENGTH - 1; i += 1) offset = offset * 128 + encrypted.charCodeAt(i);
  return offset * 8 + (encrypted.charCodeAt(ITEM_LENGTH - 1) >> 4);
}

/** The number of a notice in a subject's states. */
function numberIn(offset: number, sequence: number): number {
  return (sequence + offset) % STATE_NUMBERS;
}

/** The number in its list of a notice in a subject's states. */
function sequenceOf(offset: number, number: number): number {
  return (number - offset + STATE_NUMBERS) % STATE_NUMBERS;
}
