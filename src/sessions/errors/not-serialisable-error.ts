import { SessionwiseError } from '../../protocol/index.ts';

/** A field of a session cannot be written as JSON; nothing was written. */
export class NotSerialisableError extends SessionwiseError {
  override readonly code = 'SESSION_NOT_SERIALISABLE';
  /** The top-level field. */
  readonly field: string;

  constructor(field: string, why: string, options?: ErrorOptions) {
    super(`The session's field "${field}" cannot be stored: ${why}. Store plain data, or convert it first.`, options);
    this.field = field;
  }
}
