import type { ItemHash } from '../item-hash.ts';
import type { NoticeList } from './kept-lists.ts';
import { byAge, isShown, type ListedNotice, type NoticePosition } from './notice.ts';
import { NOTICE_STATES, type NoticeState } from './notice-states.ts';
import type { StatesOfList } from './subject-states.ts';

/** A list, and what the subject did with its notices. */
export interface KnownList extends StatesOfList {
  readonly list: NoticeList;
}

/** A notice that is shown to a subject. */
export interface ShownNotice {
  readonly notice: ListedNotice;
  /** The places where it was found. */
  readonly positions: readonly NoticePosition[];
  /** In how many further lists it may stand. */
  readonly further: number;
  readonly state: NoticeState;
}

/** Where a notice stands in all lists, and what was done with it in any of them. */
export type KnownPlaces = Pick<ShownNotice, 'positions' | 'state'>;

interface Head {
  readonly known: KnownList;
  readonly notice: ListedNotice;
  readonly next: number;
}

const { unseen, seen, read, dismissed, unreadAgain, unreadFirst } = NOTICE_STATES;
// Of the same notice in several lists: what was done in one holds in all.
const RANK: Readonly<Record<NoticeState, number>> = {
  [unseen]: 0,
  [seen]: 1,
  [unreadAgain]: 2,
  [unreadFirst]: 2,
  [read]: 3,
  [dismissed]: 4,
};

/** Whether a notice counts as unread. */
export function isUnread(state: NoticeState): boolean {
  return state !== read && state !== dismissed;
}

/** Returns what holds of a notice with which two things were done, in two lists. */
export function strongerState(one: NoticeState, other: NoticeState): NoticeState {
  return RANK[one] > RANK[other] ? one : other;
}

/** Lists as a subject sees them at a time. Counts all that is shown, and looks only at those that are asked for. */
export class NoticeView {
  /** The lists that are muted, by their hashes. */
  readonly muted: readonly ItemHash[];
  readonly #heard: readonly KnownList[];
  readonly #now: number;
  readonly #earliest: number;
  /** The ids that stand in several lists, or stood. */
  readonly #shared: ReadonlySet<string>;
  /** Those of them that are shown. */
  readonly #several = new Map<string, ShownNotice>();
  #unseen = 0;
  #unread = 0;
  #changesAt: number | undefined;

  /** `own`: the subject's own notices, whose ids may stand in lists too. `earliest`: the time that it may be yet, where
   *  clocks differ. Until then nothing ends: what is shown for too long does less harm than what is hidden. */
  constructor(lists: readonly KnownList[], own: KnownList | undefined, now: number, earliest: number = now) {
    this.#earliest = earliest;
    const known = own ? [...lists, own] : lists;
    this.muted = known.flatMap(({ list, states }) => (states.isMuted ? [list.hash] : []));
    this.#heard = known.filter(({ states }) => !states.isMuted);
    this.#now = now;
    const ids = known.flatMap(({ list }) => list.shared);
    this.#shared = new Set(own ? [...ids, ...own.list.notices.map(({ id }) => id)] : ids);
    for (const each of this.#heard) this.#count(each);
    for (const { state } of this.#several.values()) this.#countOne(state, 1);
  }

  /** How many were not even seen. */
  get unseen(): number {
    return this.#unseen;
  }

  get unread(): number {
    return this.#unread;
  }

  /** When the next one begins or ends to be shown, in milliseconds of the epoch. */
  get changesAt(): number | undefined {
    return this.#changesAt;
  }

  /** The ids of those that are unread here and stand in further lists: they may have been read there. */
  get doubtful(): string[] {
    return [...this.#several.values()]
      .filter(({ further, state }) => isUnread(state) && further > 0)
      .map(({ notice }) => notice.id);
  }

  /** Notes what was done with a notice in all lists. */
  settle(id: string, { positions, state }: KnownPlaces): void {
    const known = this.#several.get(id);
    if (!known) return;
    const stronger = strongerState(state, known.state);
    this.#countOne(known.state, -1);
    this.#countOne(stronger, 1);
    this.#several.set(id, { ...known, positions: unionOf(known.positions, positions), further: 0, state: stronger });
  }

  /** What is shown, the newest first, each notice once. `isBehind`: leaves out the newest, for which it returns false. */
  *shown(isBehind: (notice: ListedNotice) => boolean = () => true): Generator<ShownNotice> {
    const heads = new Heads(this.#heard, isBehind);
    for (let head = heads.take(); head; head = heads.take()) {
      const { notice, known } = head;
      const shared = this.#several.get(notice.id);
      // Of several places, in that where it is the newest.
      if (shared ? shared.notice !== notice : !this.#isShown(known, notice)) continue;
      const shown = shared ?? {
        notice,
        positions: [notice.position],
        further: 0,
        state: known.stateOf(notice.position.sequence),
      };
      if (shown.state !== dismissed) yield shown;
    }
  }

  #count({ list, states, stateOf }: KnownList): void {
    if (!list.isTimed && states.isEmpty && states.joinedAt === 0 && this.#shared.size === 0) {
      this.#unseen += list.notices.length;
      this.#unread += list.notices.length;
      return;
    }
    const shared = this.#shared.size > 0 ? this.#shared : undefined;
    const { joinedAt } = states;
    let [unseenHere, unreadHere] = [0, 0];
    for (const notice of list.notices) {
      if (notice.at < joinedAt) continue;
      if (list.isTimed && !this.#isShownByTime(notice)) continue;
      const state = stateOf(notice.position.sequence);
      if (shared?.has(notice.id)) this.#join(notice, state);
      else {
        if (state === unseen) unseenHere += 1;
        if (isUnread(state)) unreadHere += 1;
      }
    }
    this.#unseen += unseenHere;
    this.#unread += unreadHere;
  }

  // Notes when that changes.
  #isShownByTime(notice: ListedNotice): boolean {
    const isToCome = notice.at > this.#now;
    const next = isToCome ? notice.at : (notice.expiresAt ?? 0);
    if (next > (isToCome ? this.#now : this.#earliest) && (this.#changesAt === undefined || next < this.#changesAt))
      this.#changesAt = next;
    return isShown(notice, this.#now, this.#earliest);
  }

  #join(notice: ListedNotice, state: NoticeState): void {
    const other = this.#several.get(notice.id);
    const further = furtherOf(notice);
    if (!other) {
      this.#several.set(notice.id, { notice, positions: [notice.position], further, state });
      return;
    }
    const isOwn = notice.group === undefined && notice.segment === undefined;
    this.#several.set(notice.id, {
      notice: byAge(notice, other.notice) < 0 ? notice : other.notice,
      positions: [...other.positions, notice.position],
      further: isOwn ? other.further : Math.max(other.further - 1, further - other.positions.length, 0),
      state: strongerState(state, other.state),
    });
  }

  #countOne(state: NoticeState, by: 1 | -1): void {
    if (state === unseen) this.#unseen += by;
    if (isUnread(state)) this.#unread += by;
  }

  #isShown({ states }: KnownList, notice: ListedNotice): boolean {
    return notice.at >= states.joinedAt && isShown(notice, this.#now, this.#earliest);
  }
}

/** The newest notice of each of several lists: a heap, so that 100 lists cost no look at each for every notice. */
class Heads {
  readonly #heap: Head[] = [];

  constructor(lists: readonly KnownList[], isBehind: (notice: ListedNotice) => boolean) {
    for (const known of lists) {
      const first = known.list.byAge.findIndex(isBehind);
      if (first >= 0) this.#heap.push({ known, notice: known.list.byAge[first]!, next: first + 1 });
    }
    this.#heap.sort((a, b) => byAge(a.notice, b.notice));
  }

  /** Takes the newest of all. */
  take(): Head | undefined {
    const head = this.#heap[0];
    if (!head) return undefined;
    const { known, next } = head;
    const notice = known.list.byAge[next];
    const last = notice ? { known, notice, next: next + 1 } : this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    return head;
  }

  // Puts a head in the place of the first, and lets it sink behind those that are newer.
  #sink(head: Head): void {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [this.#heap[child], this.#heap[child + 1]];
      if (!left) break;
      if (right && byAge(right.notice, left.notice) < 0) child += 1;
      if (byAge(head.notice, this.#heap[child]!.notice) <= 0) break;
      this.#heap[at] = this.#heap[child]!;
      at = child;
    }
    this.#heap[at] = head;
  }
}

/** In how many lists besides its own a notice stands. */
function furtherOf({ lists = 1 }: ListedNotice): number {
  return lists - 1;
}

/** Positions, and those of others that are in further lists. */
export function unionOf(positions: readonly NoticePosition[], others: readonly NoticePosition[]): NoticePosition[] {
  const isKnown = ({ list }: NoticePosition): boolean => positions.some((position) => position.list === list);
  return [...positions, ...others.filter((other) => !isKnown(other))];
}
