import { SessionwiseError } from '../../protocol/index.ts';

/** Session data could not be read or written in time. Nothing is known to be lost: a write was either done or not done,
 *  never in part. */
export class StoreUnavailableError extends SessionwiseError {
  override readonly code = 'STORE_UNAVAILABLE';
  override readonly status = 503;
}
