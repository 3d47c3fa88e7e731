import { SessionwiseError } from '../../protocol/index.ts';

/** The stored data of a session cannot be read with the options of this store; they were left as they are. */
export class SessionDataError extends SessionwiseError {
  override readonly code = 'SESSION_DATA';
  override readonly status = 500;
}

/** Makes the error for encrypted data in a store without keys. */
export function encryptedWithoutKeys(session: string): SessionDataError {
  return new SessionDataError(
    `The data of session ${session} are encrypted: give this store the keys (encryption.keys).`,
  );
}
