import { SessionwiseError } from '../protocol/index.ts';

/** The namespace was made with another secret (`WRONG_KEY`) or with another format or filter engine (`WRONG_FORMAT`). */
export class MetaMismatchError extends SessionwiseError {
  override readonly code: 'WRONG_KEY' | 'WRONG_FORMAT';

  constructor(code: 'WRONG_KEY' | 'WRONG_FORMAT', message: string) {
    super(message);
    this.code = code;
  }
}
