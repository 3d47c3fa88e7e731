import { SessionwiseError } from '../../protocol/index.ts';

/** A step of an erasure or an export was not answered in time. */
export class SubjectTimeoutError extends SessionwiseError {
  override readonly code = 'SUBJECT_TIMEOUT';

  constructor(deadlineMs: number) {
    super(
      `Redis did not answer a step within ${deadlineMs} ms. What was erased by then stays erased: do it again for the rest.`,
    );
  }
}
