const warned = new Set<string>();

/** Emits a process warning of this code, once in a process's life, and never in production (`NODE_ENV`): failures that
 *  pages survive silently should be noticed during development. `node --disable-warning=<code>` turns it off. */
export function warnOnce(code: 'SESSIONWISE_NOBODY_SERVES' | 'SESSIONWISE_OVERLAP', message: string): void {
  if (process.env.NODE_ENV === 'production' || warned.has(code)) return;
  warned.add(code);
  process.emitWarning(message, { type: 'SessionwiseWarning', code });
}
