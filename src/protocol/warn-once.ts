import type { SessionwiseWarningCode } from './warning-codes.ts';

const MOST_REASONS = 100;
const warned = new Set<string>();

/** Emits a process warning, once a code and reason in a process's life, and never in production (`NODE_ENV`): failures
 *  that pages survive silently should be noticed during development. `node --disable-warning=<code>` turns a code off.
 *  `reason`: what tells two warnings of one code apart, such as the namespace. Default: all of a code are one. */
export function warnOnce(code: SessionwiseWarningCode, message: string, reason = ''): void {
  const key = `${code} ${reason}`;
  if (process.env.NODE_ENV === 'production' || warned.has(key) || warned.size >= MOST_REASONS) return;
  warned.add(key);
  process.emitWarning(message, { type: 'SessionwiseWarning', code });
}
