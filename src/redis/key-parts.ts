/** Length of a partition's hash tag. */
export const TAG_LENGTH = 3;

/** The last parts of a session's keys. Those of calculated data have one letter each, because scripts make the others of
 *  that of the record: knowledge/scripts/parts-lua.ts. */
export const PARTS = {
  record: 's',
  recordBefore: 'sb',
  mirrorBase: 'cr',
  subject: 'k',
  page: 'p',
  pageCount: 'pu',
  item: 'i',
  itemCount: 'iu',
  days: 'a',
  foreignNotices: 'n',
  noticeStates: 'g',
  ownNotices: 'l',
  claim: 'c',
} as const;
/** The last parts of a person's further keys. */
export const PERSON_PARTS = { merged: 'm', erased: 'e', beside: 'b' } as const;
const SESSION_DATA: readonly string[] = [PARTS.record, PARTS.recordBefore, PARTS.mirrorBase];
/** Those of calculated data. */
export const CALCULATED_PARTS: readonly string[] = Object.values(PARTS).filter((part) => !SESSION_DATA.includes(part));
