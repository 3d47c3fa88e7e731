import { SessionwiseError } from '../protocol/index.ts';
import type { DegradedReason } from './degraded.ts';

/** Nothing that serves the namespace said that a notice was written. It may have been: doing it again is safe. */
export class NotAcknowledgedError extends SessionwiseError {
  readonly code = 'NOT_ACKNOWLEDGED';
  /** Why. */
  readonly reason: DegradedReason;

  constructor(command: string, reason: DegradedReason, message: string) {
    const why = message || WHY[reason] || reason;
    super(`${command} was not acknowledged: ${why} Doing it again is safe.`);
    this.reason = reason;
  }
}

const WHY: Partial<Record<DegradedReason, string>> = {
  deadline: 'no service answered in time.',
  'breaker-open': 'the service has not answered for a while.',
};
