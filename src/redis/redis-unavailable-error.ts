import { SessionwiseError } from '../protocol/index.ts';

/** The first connection failed: Redis could not be reached, or refused the name or password. */
export class RedisUnavailableError extends SessionwiseError {
  override readonly code = 'REDIS_UNAVAILABLE';
}
