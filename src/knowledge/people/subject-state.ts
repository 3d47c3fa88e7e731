import {
  readSubjectHeader,
  SUBJECT_HEADER_BYTES,
  type SubjectHeader,
  WINDOW_MINUTES,
  writeSubjectHeader,
} from '../../redis/index.ts';
import { readFacts, type StoredFact, writeFacts } from '../facts/fact-section.ts';
import { ITEM_LENGTH } from '../item-encryption.ts';
import { MINUTE_SIZE } from '../scripts/minutes-lua.ts';

/** A subject's record, taken apart. Minutes are numbers of the epoch, ascending; items and pages stand encrypted, as they
 *  do in the record. */
export interface SubjectState {
  readonly head: Omit<SubjectHeader, 'window' | 'minutes' | 'items' | 'pages' | 'factsBytes'>;
  readonly facts: readonly StoredFact[];
  /** Active minutes that the record holds: those of the window and those outside. */
  readonly minutes: readonly number[];
  readonly items: Buffer;
  readonly pages: Buffer;
}

/** Takes a record apart.
 *  @throws Error where it is none. */
export function decodeRecord(record: Buffer): SubjectState {
  const { window, minutes: count, items, pages: _, factsBytes, ...head } = readSubjectHeader(record);
  const minutesFrom = SUBJECT_HEADER_BYTES + factsBytes;
  const minutes: number[] = [];
  for (let i = 0; i < count; i += 1) minutes.push(record.readUInt32BE(minutesFrom + MINUTE_SIZE * i));
  const top = Math.floor(head.lastView / 60);
  for (let back = WINDOW_MINUTES - 1; back >= 0; back -= 1) {
    if (Math.floor(window / 2 ** back) % 2 === 1) minutes.push(top - back);
  }
  const itemsFrom = minutesFrom + MINUTE_SIZE * count;
  const pagesFrom = itemsFrom + ITEM_LENGTH * items;
  return {
    head,
    facts: readFacts(record.subarray(SUBJECT_HEADER_BYTES, minutesFrom)),
    minutes,
    items: record.subarray(itemsFrom, pagesFrom),
    pages: record.subarray(pagesFrom),
  };
}

/** Puts a record together. Minutes outside the window stand in the section, which must have room for them. */
export function encodeRecord({ head, facts, minutes, items, pages }: SubjectState): Buffer {
  const top = Math.floor(head.lastView / 60);
  const outside = minutes.filter((minute) => minute <= top - WINDOW_MINUTES);
  let window = 0;
  for (const minute of minutes) if (minute > top - WINDOW_MINUTES) window += 2 ** (top - minute);
  const section = Buffer.alloc(MINUTE_SIZE * outside.length);
  for (const [i, minute] of outside.entries()) section.writeUInt32BE(minute, MINUTE_SIZE * i);
  const factsSection = writeFacts(facts);
  const header = writeSubjectHeader({
    ...head,
    factsBytes: factsSection.length,
    window,
    minutes: outside.length,
    items: items.length / ITEM_LENGTH,
    pages: pages.length / ITEM_LENGTH,
  });
  return Buffer.concat([header, factsSection, section, items, pages]);
}
