import { SessionwiseError } from '../../protocol/index.ts';

/** A notice cannot be published or changed as asked; the message says why. */
export class NoticeRefusedError extends SessionwiseError {
  readonly code = 'NOTICE_REFUSED';
}
