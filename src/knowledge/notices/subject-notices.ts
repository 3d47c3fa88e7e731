import { TurnBudget } from '../../async/index.ts';
import { isPerson } from '../../protocol/index.ts';
import type { Apply } from '../../redis/index.ts';
import type { ItemHash, ItemHasher } from '../item-hash.ts';
import type { MovedRetention, SubjectKind } from '../retention.ts';
import type { ReadingContext, SubjectReading } from '../subject-reading.ts';
import type { SubjectWrites } from '../subject-writes.ts';
import type { ListName, NoticeList } from './kept-lists.ts';
import { MarkWrites, NO_FOREIGN } from './mark-writes.ts';
import type { NoticePosition } from './notice.ts';
import type { NoticeEvents } from './notice-events.ts';
import type { NoticeLists } from './notice-lists.ts';
import type { NoticeReach } from './notice-reach.ts';
import { NOTICE_STATES, type NoticeState } from './notice-states.ts';
import { isUnread, type KnownList, type KnownPlaces, NoticeView, strongerState, unionOf } from './notice-view.ts';
import { OwnNotices, sequenceOfOwn } from './own-notices.ts';
import { markNoticesScript, publishOwnScript, setListsScript } from './scripts/subject-scripts.ts';
import type { SubjectStates } from './subject-states.ts';

// So many notices are looked at in one turn of the event loop: the process has other things to do too.
const VIEWED_IN_A_TURN = 5_000;

interface NoticeScripts {
  readonly mark: ReturnType<typeof markNoticesScript>;
  readonly setLists: ReturnType<typeof setListsScript>;
  readonly publishOwn: ReturnType<typeof publishOwnScript>;
}

/** The notices of subjects: what each is shown, and what it did with them. */
export class SubjectNotices {
  readonly lists: NoticeLists;
  readonly states: SubjectStates;
  /** How many subjects saw and read a notice. */
  readonly reach: NoticeReach;
  readonly events: NoticeEvents;
  /** The notices to one subject alone. */
  readonly own: OwnNotices;
  readonly #context: ReadingContext;
  readonly #items: ItemHasher;
  readonly #writes: SubjectWrites;
  readonly #now: () => number;
  readonly #timeAt: (key: string) => Promise<number>;
  readonly #ofSessions: NoticeScripts;
  readonly #ofPeople: NoticeScripts;
  readonly #marks: MarkWrites;
  readonly #turns = new TurnBudget(VIEWED_IN_A_TURN);

  /** `now`: milliseconds of the epoch by Redis's clock, as it was measured last. `timeAt`: asks the server that holds a key;
   *  default: `now`. */
  constructor(
    context: ReadingContext,
    parts: {
      readonly items: ItemHasher;
      readonly lists: NoticeLists;
      readonly states: SubjectStates;
      readonly reach: NoticeReach;
      readonly events: NoticeEvents;
      readonly writes: SubjectWrites;
      readonly now: () => number;
      readonly timeAt: ((key: string) => Promise<number>) | undefined;
      readonly retention: Readonly<Record<SubjectKind, MovedRetention>>;
    },
  ) {
    this.lists = parts.lists;
    this.states = parts.states;
    this.reach = parts.reach;
    this.events = parts.events;
    this.#context = context;
    this.#items = parts.items;
    this.#writes = parts.writes;
    this.#now = parts.now;
    this.#timeAt = parts.timeAt ?? (() => Promise.resolve(parts.now()));
    this.#ofSessions = scriptsOf(parts.retention.session, 'session');
    this.#ofPeople = scriptsOf(parts.retention.person, 'person');
    this.#marks = new MarkWrites(context, parts, (subject) => this.#scriptsOf(subject).mark);
    this.own = new OwnNotices(context, parts, (subject) => this.#scriptsOf(subject).publishOwn);
  }

  /** Looks at the lists of groups and segments, and at the subject's own notices, as the subject sees them now. A list which
   *  it meets for the first time and which is to be seen from then on only is joined by that. */
  async view(reading: SubjectReading, names: readonly ListName[]): Promise<NoticeView> {
    const hashes = names.map((name) => this.lists.hashOf(name));
    // Both are read at once; a notice that comes in between has a number of which nothing is known, and is unread.
    const [lists, known] = await Promise.all([
      Promise.all(names.map((name) => this.lists.read(name))),
      this.states.read(reading, hashes),
    ]);
    const own = known.hasOwn ? await this.#ownList(reading) : undefined;
    // A list was read, or a notice published, at a time that is behind the service's own clock, or before that of Redis was
    // set back.
    const measured = this.#now();
    const now = Math.max(measured, own?.list.readAt ?? 0, ...lists.map(({ readAt }) => readAt));
    const late = lists.filter(({ joining }, i) => joining === 'now' && !known.isKnown[i]);
    if (late.length > 0) await this.#join(reading.subject, late);
    const shownTo = lists.flatMap((list, i) => (late.includes(list) ? [] : [{ list, ...known.of(i) }]));
    await this.#turns.take(shownTo.reduce((sum, { list }) => sum + list.notices.length, 0));
    const view = new NoticeView(shownTo, own, now, measured);
    const { doubtful } = view;
    const places = await this.#everywhere(reading, doubtful);
    doubtful.forEach((id, i) => {
      view.settle(id, places[i]!);
    });
    return view;
  }

  /** Marks notices by their ids, wherever they stand. Ids that stand nowhere are the application's: those are read or not,
   *  and never only seen. Returns how many were marked. */
  async markIds(reading: SubjectReading, ids: readonly string[], state: NoticeState, apply?: Apply): Promise<number> {
    if (ids.length === 0) return 0;
    const { places, foreign } = await this.locate(reading, ids);
    const marks = places.flatMap((positions, i) =>
      positions.map((position) => ({ ...position, state, notice: this.#items.of('notice', ids[i]!) })),
    );
    const others = state === NOTICE_STATES.seen ? [] : foreign;
    await this.#marks.write(reading.subject, marks, { ids: others, areRead: !isUnread(state) }, apply);
    const kept = ids.filter((_, i) => places[i]!.length > 0);
    if (kept.length > 0) await this.events.marked(reading.subject, reading.name, nameOfMark(state), kept);
    return ids.length - (foreign.length - others.length);
  }

  /** Marks all notices that a subject is shown of lists. Returns how many were marked. */
  async markAll(
    reading: SubjectReading,
    names: readonly ListName[],
    state: NoticeState,
    apply?: Apply,
  ): Promise<number> {
    const view = await this.view(reading, names);
    const wanted = [...view.shown()].filter(
      (each) =>
        nameOfMark(each.state) !== nameOfMark(state) &&
        !(state === NOTICE_STATES.seen && each.state > NOTICE_STATES.seen),
    );
    const inMore = wanted.filter(({ further }) => further > 0);
    const places = await this.lists.locate(inMore.map(({ notice }) => notice.id));
    const listed = new Map(inMore.map((each, i) => [each, places[i]!]));
    const marks = wanted.flatMap((each) =>
      unionOf(each.positions, listed.get(each) ?? []).map((position) => ({
        ...position,
        state,
        notice: this.#items.of('notice', each.notice.id),
      })),
    );
    await this.#marks.write(reading.subject, marks, NO_FOREIGN, apply);
    const ids = wanted.map(({ notice }) => notice.id);
    if (ids.length > 0) await this.events.marked(reading.subject, reading.name, nameOfMark(state), ids);
    return wanted.length;
  }

  /** Per notice, what was done with it in any of its places. */
  async statesOf(reading: SubjectReading, places: readonly (readonly NoticePosition[])[]): Promise<NoticeState[]> {
    const lists = [...new Set(places.flat().map(({ list }) => list))];
    if (lists.length === 0) return places.map(() => NOTICE_STATES.unseen);
    const known = await this.states.read(reading, lists);
    const byList = new Map(lists.map((list, i) => [list, known.of(i)]));
    return places.map((positions) =>
      positions.reduce<NoticeState>((strongest, { list, sequence }) => {
        return strongerState(byList.get(list)!.stateOf(sequence), strongest);
      }, NOTICE_STATES.unseen),
    );
  }

  // Where notices stand in all lists, and what was done with them in any.
  async #everywhere(reading: SubjectReading, ids: readonly string[]): Promise<KnownPlaces[]> {
    if (ids.length === 0) return [];
    const places = await this.lists.locate(ids);
    const states = await this.statesOf(reading, places);
    return places.map((positions, i) => ({ positions, state: states[i]! }));
  }

  /** Finds the places of notices, among the subject's own and in all lists; ids that stand nowhere are the application's. */
  async locate(
    reading: SubjectReading,
    ids: readonly string[],
  ): Promise<{ readonly places: readonly (readonly NoticePosition[])[]; readonly foreign: readonly string[] }> {
    const [listed, known] = await Promise.all([this.lists.locate(ids), this.states.read(reading, [])]);
    const own = known.hasOwn ? await this.states.readOwn(reading.subject) : undefined;
    const places = ids.map((id, i) => {
      const entry = own?.entries.get(this.#items.of('notice', id));
      return entry ? [...listed[i]!, { list: this.states.ownList, sequence: sequenceOfOwn(entry) }] : listed[i]!;
    });
    return { places, foreign: ids.filter((_, i) => places[i]!.length === 0) };
  }

  /** Mutes groups for a subject, or un-mutes them: a muted one shows nothing and counts nothing. */
  async mute(subject: string, muted: readonly string[], unmuted: readonly string[], apply?: Apply): Promise<void> {
    const hashes = [...muted, ...unmuted].map((name) => this.lists.hashOf({ kind: 'group', name }));
    await this.#setLists(subject, hashes, (i) => (i < muted.length ? 'mute' : 'unmute'), apply);
    await this.events.settled(subject);
  }

  async #ownList(reading: SubjectReading): Promise<KnownList> {
    const [list, known] = await Promise.all([
      this.own.read(reading.subject),
      this.states.read(reading, [this.states.ownList]),
    ]);
    return { list, ...known.of(0) };
  }

  // By the clock that stamps what is published to the list: what comes behind this moment is seen, and nothing before it.
  async #join(subject: string, lists: readonly NoticeList[]): Promise<void> {
    const hashes = lists.map(({ hash }) => hash);
    const times = await Promise.all(hashes.map((hash) => this.#timeAt(this.#context.keys.noticeListIndex(hash))));
    await this.#setLists(subject, hashes, (i) => String(times[i]));
  }

  async #setLists(
    subject: string,
    hashes: readonly ItemHash[],
    whatOf: (place: number) => string,
    apply: Apply = this.#writes.apply,
  ): Promise<void> {
    if (hashes.length === 0) return;
    const named = this.#writes.keysOf(subject, { states: this.#context.keys.noticeStates(subject) });
    const step = async () => {
      const fields = await this.states.fieldsOf(subject, hashes);
      const args = fields.flatMap((field, i) => [field, whatOf(i)]);
      const now = this.#writes.seconds();
      return this.#scriptsOf(subject).setLists.step(named, { now }, (claimed) => claimed, { args });
    };
    if ((await this.#writes.write(subject, step(), apply)) === 1) await this.#writes.mergeLate(subject);
  }

  #scriptsOf(subject: string): NoticeScripts {
    return isPerson(subject) ? this.#ofPeople : this.#ofSessions;
  }
}

/** The state that a mark asks for. */
export const MARKS = {
  seen: NOTICE_STATES.seen,
  read: NOTICE_STATES.read,
  unread: NOTICE_STATES.unreadAgain,
  dismissed: NOTICE_STATES.dismissed,
} as const satisfies Readonly<Record<string, NoticeState>>;

function nameOfMark(state: NoticeState): string {
  const asked = state === NOTICE_STATES.unreadFirst ? NOTICE_STATES.unreadAgain : state;
  return Object.entries(MARKS).find(([, mark]) => mark === asked)?.[0] ?? '';
}

function scriptsOf(retention: MovedRetention, of: SubjectKind): NoticeScripts {
  return {
    mark: markNoticesScript(retention, of),
    setLists: setListsScript(retention, of),
    publishOwn: publishOwnScript(retention, of),
  };
}
