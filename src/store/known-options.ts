import type { OptionForms } from '../protocol/check-options.ts';
import type { SessionStoreOptions } from './session-store-options.ts';

/** What the options of a store may be; `any` is checked by `settingsOf`. */
export const STORE_OPTIONS: OptionForms<SessionStoreOptions> = {
  redis: 'any',
  namespace: 'string',
  idleMs: 'any',
  absoluteMs: 'any',
  touchEveryMs: 'any',
  deadlineMs: 'any',
  integerDeltas: 'any',
  anonymousIdleMs: 'any',
  encryption: 'any',
  importFrom: 'any',
  maxSessionsPerUser: 'any',
  onSessionLimit: 'any',
  graceMs: 'any',
  lifecycleLength: 'any',
  archive: 'function',
  sweep: 'boolean',
  fail: '"closed"|"open"',
};
