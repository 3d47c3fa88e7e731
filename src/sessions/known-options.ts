import type { OptionForms } from '../protocol/internal/index.ts';
import type { SessionDataOptions } from './options.ts';

/** The forms of session data's options; `any` is checked by `settingsOf`. */
export const SESSION_DATA_OPTIONS: OptionForms<SessionDataOptions> = {
  redis: 'any',
  ownConnection: 'boolean',
  namespace: 'string',
  idleMs: 'any',
  absoluteMs: 'any',
  touchEveryMs: 'any',
  deadlineMs: 'any',
  integerDeltas: 'any',
  encryption: 'any',
  importFrom: 'any',
  mirrorTo: 'any',
  maxSessionsPerUser: 'any',
  onSessionLimit: 'any',
  graceMs: 'any',
  lifecycleLength: 'any',
  archive: 'function',
  sweep: 'boolean',
};
