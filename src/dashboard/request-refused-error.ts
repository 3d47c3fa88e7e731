import { SessionwiseError } from '../protocol/index.ts';

/** A request to the dashboard that is not served; answered with its status and message. */
export class RequestRefusedError extends SessionwiseError {
  override readonly code = 'DASHBOARD_REFUSED';
  override readonly status: number;
  /** What the page does about it: log in, or fetch another token against cross-site requests. */
  readonly remedy: 'login' | 'csrf' | undefined;
  /** After how many seconds it may be tried again. */
  readonly retryAfterSeconds: number | undefined;
  /** Whether the message may quote what somebody typed, a user id in a wrong field for example: then no log has it. */
  readonly quotesInput: boolean;

  constructor(
    status: number,
    message: string,
    {
      remedy,
      retryAfterSeconds,
      quotesInput = false,
    }: {
      readonly remedy?: 'login' | 'csrf';
      readonly retryAfterSeconds?: number;
      readonly quotesInput?: boolean;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.remedy = remedy;
    this.retryAfterSeconds = retryAfterSeconds;
    this.quotesInput = quotesInput;
  }
}
