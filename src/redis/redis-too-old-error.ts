import { SessionwiseError } from '../protocol/index.ts';

/** The server is older than 6.2. */
export class RedisTooOldError extends SessionwiseError {
  override readonly code = 'REDIS_TOO_OLD';
}
