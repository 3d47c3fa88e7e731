import { SessionwiseError } from '../protocol/index.ts';

/** The namespace has a secret, and none was given. */
export class SecretMissingError extends SessionwiseError {
  override readonly code = 'SECRET_MISSING';
}
