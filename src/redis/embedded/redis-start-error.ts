import { SessionwiseError } from '../../protocol/index.ts';

/** The server ended or did not answer before the deadline; the message carries the end of its own output. */
export class RedisStartError extends SessionwiseError {
  override readonly code = 'REDIS_START_FAILED';
}
