import type { ConsumeOptions, NoticeEvent } from '../consumers/index.ts';
import {
  type CommandMap,
  checkUserId,
  type Notice,
  type NoticeAudience,
  type NoticeEdit,
  type NoticeFields,
  type NoticeStats,
  ProtocolError,
  personOf,
  sessionOf,
} from '../protocol/index.ts';

/* notice-publisher.ts: writing notices. Other than what a page asks, each method fails where nothing acknowledged it. All are
 * idempotent, so trying again is safe. */

/** Whom a notice is for: a group; those for whom a segment of the rules holds; one person, by the site's user id; or one session,
 *  by its public id. */
export type NoticeRecipients =
  | { readonly group: string }
  | { readonly segment: string }
  | { readonly person: string }
  | { readonly session: string };

/** A time: milliseconds of the epoch, or a Date. */
export type Moment = number | Date;

/** A notice that is to be published. */
export interface NewNotice extends Omit<NoticeFields, 'publishAt' | 'expiresAt'> {
  readonly to: NoticeRecipients;
  /** By it the notice is marked, edited and withdrawn; published again under the same id, nothing changes. The same id for
   *  several recipients is one notice: read in one place, it is read in all. */
  readonly id: string | number;
  /** From when on it is shown, exact to the second. Default: now. */
  readonly publishAt?: Moment;
  /** From when on it is shown no more. Default: never. */
  readonly expiresAt?: Moment;
}

/** Changes of a notice: what is given replaces what is there, null deletes a field. */
export interface NoticeChangesGiven {
  readonly text?: string;
  readonly title?: string | null;
  readonly severity?: NoticeFields['severity'] | null;
  readonly data?: NoticeFields['data'] | null;
  readonly publishAt?: Moment;
  readonly expiresAt?: Moment | null;
}

/** The one person or session whose notice it is; needed only where it is not a group's or a segment's. */
export interface NoticeOwner {
  readonly to?: { readonly person: string } | { readonly session: string };
}

type WritingCommand =
  | 'publish-notice'
  | 'edit-notice'
  | 'withdraw-notice'
  | 'list-notices'
  | 'notice-stats'
  | 'set-group';

/** Sends a command and waits for its answer.
 *  @throws NotAcknowledgedError where none came; ProtocolError for a payload that is refused. */
export type SendAcknowledged = <C extends WritingCommand>(
  command: C,
  session: string,
  payload: CommandMap[C]['payload'],
  deadlineMs: number,
) => Promise<CommandMap[C]['reply']>;

const DEADLINE_MS = 5_000;
// These commands are about lists. Whoever serves this session does them.
const ANY_SESSION = sessionOf('sessionwise notices');

/** Writes notices, and tells how many have seen them and what happens with them. Every method but `events` waits at most 5
 *  seconds.
 *  @throws NotAcknowledgedError where no service answered; ProtocolError for what cannot be used. */
export class NoticePublisher {
  readonly #send: SendAcknowledged;
  readonly #open: (options: ConsumeOptions) => AsyncIterableIterator<NoticeEvent>;

  constructor(send: SendAcknowledged, open: (options: ConsumeOptions) => AsyncIterableIterator<NoticeEvent>) {
    this.#send = send;
    this.#open = open;
  }

  /** Publishes a notice: one write, whatever the size of the audience. Returns whether it is new, and from when on it is
   *  shown, in milliseconds of the epoch. On the wire `publish-notice`. */
  async publish(notice: NewNotice): Promise<{ readonly isNew: boolean; readonly at: number }> {
    const { to, publishAt, expiresAt, ...fields } = notice;
    const times = { ...timeOf('publishAt', publishAt), ...timeOf('expiresAt', expiresAt) };
    const { isNew, at } = await this.#ask('publish-notice', { ...fields, ...times, to: audienceOf(to) });
    return { isNew, at };
  }

  /** Changes a notice wherever it stands; what was read stays read. Returns in how many lists it stands. On the wire
   *  `edit-notice`. */
  async edit(id: string | number, changes: NoticeChangesGiven, { to }: NoticeOwner = {}): Promise<number> {
    const { publishAt, expiresAt, ...fields } = changes;
    const times = { ...timeOf('publishAt', publishAt), ...timeOf('expiresAt', expiresAt) };
    return (await this.#ask('edit-notice', { ...fields, ...times, id, ...ownerOf(to) } as NoticeEdit)).lists;
  }

  /** Takes a notice away wherever it stands. Returns in how many lists it stood. On the wire `withdraw-notice`. */
  async withdraw(id: string | number, { to }: NoticeOwner = {}): Promise<number> {
    return (await this.#ask('withdraw-notice', { id, ...ownerOf(to) })).lists;
  }

  /** Lists the newest notices, also those that are still to come or have expired. `limit`: default 50, at most 1,000. On the
   *  wire `list-notices`. */
  async list(of: NoticeRecipients, { limit = 50 }: { readonly limit?: number } = {}): Promise<Notice[]> {
    return this.#ask('list-notices', { of: audienceOf(of), limit });
  }

  /** Estimates how many sessions and persons have seen and read each notice (HyperLogLog, standard error 0.81 %). On the wire
   *  `notice-stats`. */
  stats(ids: readonly (string | number)[]): Promise<NoticeStats[]> {
    return this.#ask('notice-stats', ids);
  }

  /** Says how those who meet a group begin to see its list: all of it (default), or what is published from then on. On the
   *  wire `set-group`. */
  async setGroup(group: string, { join }: { readonly join: 'all' | 'now' }): Promise<void> {
    await this.#ask('set-group', { group, join });
  }

  /** Loops over what happens with notices, by a consumer group: `for await (const event of notices.events({ group }))`, to
   *  send mail or push. The client needs `secret`, which opens the names of groups and subjects. An event is done when the
   *  loop asks for the next one; one over which the loop ended comes again (`tries`), so each is told at least once. What a
   *  process that died had in hand, another loop takes over. While Redis is away, the loop goes on by itself. `gap` tells
   *  that events are missing. It ends by `break`, `return`, the signal, or `close` of the client.
   *  @throws ConsumerRefusedError (from the loop) where Redis refuses for good, or the secret is another one; RangeError
   *  without `secret`, and for options that cannot be used. */
  events(options: ConsumeOptions): AsyncIterableIterator<NoticeEvent> {
    return this.#open(options);
  }

  #ask<C extends WritingCommand>(command: C, payload: CommandMap[C]['payload']): Promise<CommandMap[C]['reply']> {
    return this.#send(command, ANY_SESSION, payload, DEADLINE_MS);
  }
}

function timeOf(name: string, moment: Moment | null | undefined): Record<string, number | null> {
  if (moment === undefined) return {};
  return { [name]: moment instanceof Date ? moment.getTime() : moment };
}

function ownerOf(to: NoticeOwner['to']): { to?: { subject: string } } {
  if (to === undefined) return {};
  const audience = audienceOf(to);
  if ('subject' in audience) return { to: audience };
  throw new ProtocolError('bad-payload', '"to" names a list: a notice is changed in all lists at once. Leave it out.');
}

function audienceOf(to: NoticeRecipients): NoticeAudience {
  if (typeof to === 'object' && to !== null && Object.keys(to).length === 1) {
    if ('person' in to) return { subject: personOf(checkUserId(to.person)) };
    if ('session' in to) return { subject: to.session };
    if ('group' in to || 'segment' in to) return to;
  }
  throw new ProtocolError(
    'bad-payload',
    '"to" cannot be used: give { group }, { segment }, { person } or { session }.',
  );
}
