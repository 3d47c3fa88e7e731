/* notices-model.ts: notices as a plain program keeps them: every list and every subject's marks in Maps, nothing bounded,
 * nothing encoded. The real ones must show the same. */

export type Mark = 'seen' | 'read' | 'unread' | 'dismissed';

/** A notice of a list. */
export interface Published {
  /** Another one for each publishing: an id that is withdrawn and published again is a new notice. */
  readonly key: string;
  readonly id: string;
  text: string;
  at: number;
  expiresAt: number;
}

type State = 'new' | Mark;

interface Seen {
  /** From when on the list is seen; undefined: it was not met. */
  joinedAt?: number;
  muted: boolean;
}

/** What a visitor is shown. */
export interface Shown {
  readonly notices: { id: string; text: string; seen: boolean; read: boolean }[];
  readonly unseen: number;
  readonly unread: number;
}

const RANK: Readonly<Record<State, number>> = { new: 0, seen: 1, unread: 2, read: 3, dismissed: 4 };

/** All notices of a namespace. */
export class NoticesModel {
  readonly #lists = new Map<string, Map<string, Published>>();
  readonly #joins = new Map<string, 'all' | 'now'>();
  readonly #settings = new Map<string, Map<string, Seen>>();
  readonly #marks = new Map<string, Map<string, State>>();
  #published = 0;

  /** The same once more: what is done with one of the two is not done with the other. */
  clone(): NoticesModel {
    const other = new NoticesModel();
    for (const [list, notices] of this.#lists) {
      other.#lists.set(list, new Map([...notices].map(([id, notice]) => [id, { ...notice }])));
    }
    for (const [list, joining] of this.#joins) other.#joins.set(list, joining);
    for (const [subject, settings] of this.#settings) {
      other.#settings.set(subject, new Map([...settings].map(([list, seen]) => [list, { ...seen }])));
    }
    for (const [subject, marks] of this.#marks) other.#marks.set(subject, new Map(marks));
    other.#published = this.#published;
    return other;
  }

  /** What lists hold, whoever is shown it. The notices to one subject are the list `own <subject>`. */
  notices(list: string): Published[] {
    return [...this.#listOf(list).values()];
  }

  /** The lists that hold an id, those of one subject aside. */
  listsWith(id: string): string[] {
    return this.#holding(id).map(([, list]) => list);
  }

  /** Whether a look at a list is the meeting of a subject that sees only what is published from then on. */
  isMeeting(subject: string, list: string): boolean {
    return this.#joins.get(list) === 'now' && !this.#settingsOf(subject).has(list);
  }

  /** What a subject did with notices, as text: the same where it did the same. */
  marksOf(subject: string): string {
    return JSON.stringify([...this.#marksOf(subject)].sort());
  }

  publish(list: string, id: string, text: string, at: number, expiresAt: number): boolean {
    const held = this.#listOf(list);
    if (held.has(id)) return false;
    this.#published += 1;
    held.set(id, { key: `${list} ${this.#published}`, id, text, at, expiresAt });
    return true;
  }

  /** Changes a notice of one list; undefined takes it away. Whether the list holds it. */
  change(list: string, id: string, text: string | undefined): boolean {
    const notice = this.#listOf(list).get(id);
    if (notice && text !== undefined) notice.text = text;
    if (notice && text === undefined) this.#listOf(list).delete(id);
    return notice !== undefined;
  }

  edit(id: string, text: string): number {
    const found = this.#holding(id);
    for (const [held] of found) held.get(id)!.text = text;
    return found.length;
  }

  withdraw(id: string): number {
    const found = this.#holding(id);
    for (const [held] of found) held.delete(id);
    return found.length;
  }

  join(list: string, joining: 'all' | 'now'): void {
    this.#joins.set(list, joining);
  }

  mute(subject: string, list: string, muted: boolean): void {
    const settings = this.#settingsOf(subject);
    const seen = settings.get(list);
    if (seen) seen.muted = muted;
    else settings.set(list, { muted, joinedAt: 0 });
  }

  /** Marks a notice wherever it stands, also where it is not shown. */
  mark(subject: string, id: string, mark: Mark): void {
    for (const [held, list] of this.#holding(id)) this.#mark(subject, list, held.get(id)!, mark);
    const own = this.#listOf(`own ${subject}`);
    if (own.has(id)) this.#mark(subject, `own ${subject}`, own.get(id)!, mark);
  }

  markAll(subject: string, lists: readonly string[], mark: Mark, now: number): number {
    const shown = this.#shown(subject, lists, now).filter(({ state }) => state !== 'dismissed');
    const wanted = shown.filter(({ state }) => (mark === 'seen' ? state === 'new' : state !== mark));
    for (const { notice, places } of wanted) {
      const listed = isListed(places)
        ? this.#holding(notice.id).map(([held, list]) => ({ list, notice: held.get(notice.id)! }))
        : [];
      const isIn = (list: string): boolean => places.some((place) => place.list === list);
      for (const place of [...places, ...listed.filter(({ list }) => !isIn(list))]) {
        this.#mark(subject, place.list, place.notice, mark);
      }
    }
    return wanted.length;
  }

  /** What the source did becomes the target's; what one of the two is shown stays shown. */
  merge(target: string, source: string): void {
    const settings = this.#settingsOf(target);
    for (const [list, seen] of this.#settingsOf(source)) {
      if (list.startsWith('own ')) continue;
      const had = settings.get(list);
      if (!had) settings.set(list, { ...seen });
      else if (had.joinedAt !== undefined) had.joinedAt = Math.min(had.joinedAt, seen.joinedAt ?? 0);
    }
    const marks = this.#marksOf(target);
    for (const [key, state] of this.#marksOf(source)) marks.set(key, merged(marks.get(key) ?? 'new', state));
    const own = this.#listOf(`own ${target}`);
    for (const notice of this.#listOf(`own ${source}`).values()) {
      const had = own.get(notice.id);
      if (!had) own.set(notice.id, notice);
      else marks.set(had.key, merged(marks.get(had.key) ?? 'new', this.#marksOf(source).get(notice.key) ?? 'new'));
    }
  }

  view(subject: string, lists: readonly string[], now: number): Shown {
    const shown = this.#shown(subject, lists, now).filter(({ state }) => state !== 'dismissed');
    const unread = shown.filter(({ state }) => state !== 'read');
    return {
      notices: shown.map(({ notice: { id, text }, state }) => ({
        id,
        text,
        seen: state !== 'new',
        read: state === 'read',
      })),
      unseen: shown.filter(({ state }) => state === 'new').length,
      unread: unread.length,
    };
  }

  #shown(subject: string, lists: readonly string[], now: number) {
    const byId = new Map<string, { notice: Published; state: State; places: { list: string; notice: Published }[] }>();
    for (const list of [...lists, `own ${subject}`]) {
      const settings = this.#settingsOf(subject);
      let seen = settings.get(list);
      const isOwn = list.startsWith('own ');
      if (!seen && !isOwn && this.#joins.get(list) === 'now') {
        seen = { muted: false, joinedAt: now };
        settings.set(list, seen);
        // It is joined by this look, which shows nothing yet.
        continue;
      }
      if (seen?.muted) continue;
      for (const notice of this.#listOf(list).values()) {
        if (notice.at < (seen?.joinedAt ?? 0) || notice.at > now) continue;
        if (notice.expiresAt > 0 && now >= notice.expiresAt) continue;
        const state = this.#marksOf(subject).get(notice.key) ?? 'new';
        const other = byId.get(notice.id);
        const place = { list, notice };
        if (!other) byId.set(notice.id, { notice, state, places: [place] });
        else {
          other.places.push(place);
          if (RANK[state] > RANK[other.state]) other.state = state;
          if (notice.at > other.notice.at) other.notice = notice;
        }
      }
    }
    const all = [...byId.values()];
    // What is unread here may have been read in a list that is not asked about.
    const unread = all.filter(({ state, places }) => state !== 'read' && state !== 'dismissed' && isListed(places));
    for (const shown of unread) {
      for (const [held] of this.#holding(shown.notice.id)) {
        const state = this.#marksOf(subject).get(held.get(shown.notice.id)!.key) ?? 'new';
        if (RANK[state] > RANK[shown.state]) shown.state = state;
      }
    }
    return all.sort((a, b) => b.notice.at - a.notice.at || (a.notice.id < b.notice.id ? 1 : -1));
  }

  #mark(subject: string, list: string, { key }: Published, mark: Mark): void {
    const settings = this.#settingsOf(subject);
    // A list in which something is marked was met.
    if (!settings.has(list)) settings.set(list, { muted: false, joinedAt: 0 });
    const marks = this.#marksOf(subject);
    const old = marks.get(key) ?? 'new';
    if (mark === 'seen' && old !== 'new') return;
    if (mark === 'read' && old === 'dismissed') return;
    marks.set(key, mark);
  }

  #holding(id: string): [Map<string, Published>, string][] {
    return [...this.#lists].flatMap(([list, held]) => (held.has(id) && !list.startsWith('own ') ? [[held, list]] : []));
  }

  #listOf(list: string): Map<string, Published> {
    return held(this.#lists, list, () => new Map());
  }

  #settingsOf(subject: string): Map<string, Seen> {
    return held(this.#settings, subject, () => new Map());
  }

  #marksOf(subject: string): Map<string, State> {
    return held(this.#marks, subject, () => new Map());
  }
}

/** Whether a notice was found in the list of a group, and not only among the subject's own. */
function isListed(places: readonly { readonly list: string }[]): boolean {
  return places.some(({ list }) => !list.startsWith('own '));
}

function merged(old: State, other: State): State {
  if (old === 'unread') return old;
  if (other === 'unread') return RANK[old] < RANK.read ? other : old;
  return RANK[other] > RANK[old] ? other : old;
}

function held<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
