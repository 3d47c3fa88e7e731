import { SessionwiseError } from '../protocol/index.ts';

/** The shop could not be started. */
export class DemoError extends SessionwiseError {
  override readonly code = 'DEMO';
}
