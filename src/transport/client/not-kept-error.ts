import { SessionwiseError } from '../../protocol/index.ts';

/** A command that must be kept was not taken, or not certainly. */
export class NotKeptError extends SessionwiseError {
  /** `BACKLOG_FULL`: it was not taken, try later. `NOT_KEPT`: Redis did not say so in time; it may have been taken.
   *  `BAD_PAYLOAD`: it is not what the command takes. `TOO_LARGE`: it is beyond a limit (64 KiB, 1,000 items, 2,048 bytes
   *  an item). Neither was sent. */
  override readonly code: 'BACKLOG_FULL' | 'NOT_KEPT' | 'BAD_PAYLOAD' | 'TOO_LARGE';
  /** 503 for `BACKLOG_FULL` and `NOT_KEPT`: another try may succeed. */
  declare readonly status?: 503;

  constructor(code: NotKeptError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    if (code === 'BACKLOG_FULL' || code === 'NOT_KEPT') this.status = 503;
  }
}
