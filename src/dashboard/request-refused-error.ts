import { SessionwiseError } from '../protocol/index.ts';

/** A request to the dashboard that is not served; answered with its status and message. */
export class RequestRefusedError extends SessionwiseError {
  override readonly code = 'DASHBOARD_REFUSED';
  override readonly status: number;
  /** What the page does about it: log in, or fetch another token against cross-site requests. */
  readonly remedy: 'login' | 'csrf' | undefined;
  /** After how many seconds it may be tried again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    message: string,
    { remedy, retryAfterSeconds }: { readonly remedy?: 'login' | 'csrf'; readonly retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.status = status;
    this.remedy = remedy;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
