const LONGEST = 300;

/** An error as a sentence for a page: what Redis refuses is said with its words. */
export function sentenceOf(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, LONGEST);
  if (message.startsWith('NOPERM')) return `The user of this dashboard may not do that in Redis: ${message}`;
  if (/^[A-Z]{3,} /.test(message)) return `Redis refuses: ${message}`;
  return message === '' ? 'It failed, without a reason.' : message;
}
