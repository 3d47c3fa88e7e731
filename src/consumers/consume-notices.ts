import type { Notice, NoticeAudience, NoticeMarkName } from '../protocol/index.ts';
import type { NoticeSeal } from '../protocol/internal/index.ts';
import type { Keys, RedisConnection } from '../redis/index.ts';
import { type ConsumeOptions, checkConsumeOptions } from './consume-options.ts';
import type { ConsumedEvent, EventGap } from './consumed-event.ts';
import { ConsumerRefusedError } from './consumer-refused-error.ts';
import { StreamConsumer, type StreamEntry } from './stream-consumer.ts';

/** What happens with notices, as a consumer gets it. */
export type NoticeEvent = NoticePublishedEvent | NoticeChangedEvent | NoticeMarkedEvent | EventGap;

/** A notice was published: told at once, also where it is shown later, from `notice.at` on. */
export interface NoticePublishedEvent extends ConsumedEvent {
  readonly event: 'published';
  /** Whom it is for: a group or a segment by its name; or a subject, as of `NoticeMarkedEvent`. */
  readonly to: NoticeAudience;
  readonly notice: Omit<Notice, 'group' | 'segment'>;
  /** Whether the same id stands in other lists too. */
  readonly isElsewhere: boolean;
}

/** A notice was changed, or taken away, wherever it stood. */
export interface NoticeChangedEvent extends ConsumedEvent {
  readonly event: 'edited' | 'withdrawn';
  readonly noticeId: string;
  /** The one subject whose notice it was; undefined for that of a list. */
  readonly subject: string | undefined;
}

/** A subject marked notices: looked at them, read them, put them back to unread, or dismissed them. */
export interface NoticeMarkedEvent extends ConsumedEvent {
  readonly event: NoticeMarkName;
  /** A session's public id or, with `personOf(userId)`, a person. */
  readonly subject: string;
  /** At most 100: of more, several events tell. */
  readonly noticeIds: readonly string[];
}

type Told = Exclude<NoticeEvent, EventGap>;

/** Where the events of a namespace are, and what opens them. */
export interface NoticeEventSource {
  readonly redis: () => RedisConnection;
  readonly ownsRedis: boolean;
  readonly keys: Keys;
  readonly seal: NoticeSeal;
}

const WANTED = ['published', 'edited', 'withdrawn', 'marked'];

/** Makes a loop over what happens with notices; it begins with the first event that is asked for.
 *  @throws RangeError for options that cannot be used. */
export function consumeNotices(
  { redis, ownsRedis, keys, seal }: NoticeEventSource,
  options: ConsumeOptions,
): StreamConsumer<Told> {
  const source = { what: 'events of notices', stream: keys.live(), redis, ownsRedis, wanted: WANTED };
  const read = (entry: StreamEntry): Told | undefined => readEvent(entry, seal);
  return new StreamConsumer({ ...source, read }, checkConsumeOptions('notices.events()', options));
}

function readEvent({ id, tries, fields }: StreamEntry, seal: NoticeSeal): Told | undefined {
  const { event, notice, id: noticeId, elsewhere } = fields;
  const common = { id, at: Number.parseInt(id, 10), tries };
  const names = openNames(fields, seal);
  if (event === 'published' && names && 'to' in names && notice !== undefined) {
    const published = JSON.parse(notice) as NoticePublishedEvent['notice'];
    return { event, to: names.to, notice: published, isElsewhere: elsewhere === '1', ...common };
  }
  if ((event === 'edited' || event === 'withdrawn') && noticeId !== undefined) {
    const subject = names && 'to' in names && 'subject' in names.to ? names.to.subject : undefined;
    return { event, noticeId, subject, ...common };
  }
  if (event === 'marked' && names && 'ids' in names) {
    return { event: names.as, subject: names.subject, noticeIds: names.ids, ...common };
  }
  return undefined;
}

type Names =
  | { readonly to: NoticeAudience }
  | { readonly subject: string; readonly as: NoticeMarkName; readonly ids: readonly string[] };

// Undefined where there are none.
function openNames({ event = '', to = '', sealed }: StreamEntry['fields'], seal: NoticeSeal): Names | undefined {
  if (sealed === undefined) return undefined;
  const names = seal.open(event, to, sealed);
  if (names !== undefined) return names as Names;
  throw new ConsumerRefusedError(
    'An event of notices was sealed with another secret, or changed: give `secret`, the secret of the namespace.',
  );
}
