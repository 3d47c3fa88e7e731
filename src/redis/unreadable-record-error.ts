import { SessionwiseError } from '../protocol/index.ts';

/** What lies in the key of a subject is no record of this format. */
export class UnreadableRecordError extends SessionwiseError {
  readonly code = 'UNREADABLE_RECORD';

  constructor() {
    super('What lies in the key of a subject is no record of this format.');
  }
}
