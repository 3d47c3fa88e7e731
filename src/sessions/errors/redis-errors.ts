/** Whether Redis says that a key holds another type than session data have. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && /\bWRONGTYPE\b/.test(error.message);
}

/** Whether a script says that session data have a format that this version does not know. */
export function isOtherFormat(error: unknown): boolean {
  return error instanceof Error && /\bSESSIONDATA\b/.test(error.message);
}

/** Whether Redis answers and refuses to write; reads still succeed. */
export function isRefusedWrite({ message }: Error): boolean {
  return /\b(OOM|READONLY|MISCONF|NOPERM|NOREPLICAS)\b/.test(message);
}
