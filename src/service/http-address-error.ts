import { SessionwiseError } from '../protocol/index.ts';

/** The service could not listen on the address. */
export class HttpAddressError extends SessionwiseError {
  override readonly code = 'HTTP_ADDRESS';
}
