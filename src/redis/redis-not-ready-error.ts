import { SessionwiseError } from '../protocol/index.ts';

/** The connection is down, or its commands have gone unanswered for two seconds: nothing was sent. */
export class RedisNotReadyError extends SessionwiseError {
  override readonly code = 'REDIS_NOT_READY';
}
