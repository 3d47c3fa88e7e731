import { SessionwiseError } from '../../protocol/index.ts';

/** An encrypted payload cannot be decrypted: another secret, or changed bytes. */
export class PayloadDecryptionError extends SessionwiseError {
  override readonly code = 'PAYLOAD_DECRYPTION';
}
