import { SessionwiseError } from '../protocol/index.ts';

/** Thrown when the demo shop cannot be started. */
export class DemoError extends SessionwiseError {
  override readonly code = 'DEMO';
}
