import type { NoticeAudience } from '../../protocol/index.ts';
import type { SubjectReading } from '../subject-reading.ts';
import type { ListName } from './kept-lists.ts';
import type { ListedNotice } from './notice.ts';
import type { NoticeChanges } from './notice-changes.ts';
import type { NoticeLists, NoticeToList, Published } from './notice-lists.ts';
import type { OwnNotices } from './own-notices.ts';

/** Writes notices to whom they are for, as it stands on the wire: to a group, to a segment, or to one session or person. */
export class AddressedNotices {
  readonly #lists: NoticeLists;
  readonly #own: OwnNotices;
  readonly #read: (name: string) => SubjectReading;

  /** `read`: begins a reading of a session or a person. */
  constructor(
    { lists, own }: { readonly lists: NoticeLists; readonly own: OwnNotices },
    read: (name: string) => SubjectReading,
  ) {
    this.#lists = lists;
    this.#own = own;
    this.#read = read;
  }

  /** Publishes a notice; the same id again changes nothing.
   *  @throws NoticeRefusedError where it would end before it begins, the list is full of what is still to come, or the session
   *  was ended. */
  publish(to: NoticeAudience, notice: NoticeToList): Promise<Published> {
    if ('subject' in to) return this.#own.publish(this.#read(to.subject).subject, notice, to.subject);
    return this.#lists.publish(listOf(to), notice);
  }

  /** Changes a notice in all lists that hold it, or `to` one subject; `undefined` takes it away. Returns in how many lists it
   *  stands, or stood.
   *  @throws NoticeRefusedError where it would end before it begins. */
  async change(id: string, changes: NoticeChanges | undefined, to?: { readonly subject: string }): Promise<number> {
    if (to) return Number(await this.#own.change(this.#read(to.subject).subject, id, changes, to.subject));
    return changes ? this.#lists.edit(id, changes) : this.#lists.withdraw(id);
  }

  /** Lists the notices, also those that are still to come or have expired; the newest first. */
  async list(of: NoticeAudience): Promise<readonly ListedNotice[]> {
    if ('subject' in of) return this.#own.list(this.#read(of.subject).subject);
    return (await this.#lists.read(listOf(of))).notices;
  }
}

function listOf(to: Exclude<NoticeAudience, { readonly subject: string }>): ListName {
  return 'group' in to ? { kind: 'group', name: to.group } : { kind: 'segment', name: to.segment };
}
