import { UnreadableRecordError } from './unreadable-record-error.ts';

// Replies of Redis: a key of another type; and what our scripts refuse with, behind words of Redis.
const REFUSED = /^WRONGTYPE |\bSUBJECTRECORD /;

/** Whether an error says that a key holds something that cannot be read: trying again does not help. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof UnreadableRecordError || (error instanceof Error && REFUSED.test(error.message));
}
