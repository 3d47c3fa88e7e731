/** The route on which the caller of a request expects its reply. */
export type ReplyRoute =
  /** The id begins with `_`: no reply. */
  | { readonly kind: 'none' }
  /** A list that the caller waits on with BLPOP. */
  | { readonly kind: 'list' }
  /** `<inbox>.<n>`: a message on the caller's inbox channel. */
  | { readonly kind: 'inbox'; readonly inbox: string; readonly number: string };

const PLAIN = /^[A-Za-z0-9_-]{1,128}$/;
const INBOX = /^([A-Za-z0-9_-]{1,128})\.(\d{1,16})$/;

const NO_REPLY: ReplyRoute = { kind: 'none' };
const LIST_REPLY: ReplyRoute = { kind: 'list' };

/** Reads a request id; undefined where it is not of the form, and then nothing may be answered. */
export function parseRequestId(request: string): ReplyRoute | undefined {
  if (PLAIN.test(request)) return request.startsWith('_') ? NO_REPLY : LIST_REPLY;
  const inbox = INBOX.exec(request);
  if (!inbox) return undefined;
  return request.startsWith('_') ? NO_REPLY : { kind: 'inbox', inbox: inbox[1]!, number: inbox[2]! };
}
