import { NoVisitor } from './no-visitor.ts';
import { type PageOptions, SessionHandle } from './session-handle.ts';

/** Makes the handle of a page that has no visitor: each question is answered with `undefined` at once, nothing is sent or
 *  counted, and `id` is undefined. It needs no client. `deadlineMs`: what `leftMs` says; default 0. */
export function handleWithoutVisitor({
  deadlineMs = 0,
  page,
}: Pick<PageOptions, 'deadlineMs' | 'page'> = {}): SessionHandle {
  return new SessionHandle(new NoVisitor(deadlineMs), { page });
}
