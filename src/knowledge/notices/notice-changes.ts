import type { ItemHash } from '../item-hash.ts';
import { decodeEntry, encodeEntry, type StoredNotice } from './notice.ts';
import { NoticeRefusedError } from './notice-refused-error.ts';

/** Changes of a notice; null deletes a field. */
export interface NoticeChanges {
  readonly text?: string;
  readonly title?: string | null;
  readonly severity?: StoredNotice['severity'] | null;
  readonly data?: StoredNotice['data'] | null;
  readonly publishAt?: number;
  readonly expiresAt?: number | null;
}

/** An entry with changes.
 *  @throws NoticeRefusedError where it would end before it begins. */
export function changedEntry(
  entry: string,
  noticeHash: ItemHash,
  { publishAt, expiresAt, ...fields }: NoticeChanges,
): string {
  const { at, expiresAt: until = 0, ...notice } = decodeEntry(entry);
  const next = { ...notice } as Record<string, unknown>;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (value === null) delete next[name];
    else next[name] = value;
  }
  const [from, to] = [publishAt ?? at, expiresAt === null ? 0 : (expiresAt ?? until)];
  if (to > 0 && to <= from)
    throw new NoticeRefusedError('"expiresAt" is not after the time from which on it is shown.');
  return encodeEntry(next as unknown as StoredNotice, noticeHash, from, to);
}
