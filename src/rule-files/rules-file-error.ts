import { SessionwiseError } from '../protocol/index.ts';

/** Reasons why a file of rules or drafts was not changed. */
export type RulesFileErrorCode =
  /** It cannot be read or written, or is none. */
  | 'RULES_FILE'
  /** There is no draft of that name, or a rule has its name. */
  | 'DRAFT_REFUSED'
  /** Another process has been changing it for too long. */
  | 'RULES_FILE_BUSY';

/** Thrown where a file of rules or drafts cannot be read, or is not changed. Nothing was written then. */
export class RulesFileError extends SessionwiseError {
  override readonly code: RulesFileErrorCode;

  constructor(code: RulesFileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
