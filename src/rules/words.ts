/** Says how often in words: `once`, `2 times`, `1 of 3 times`. */
export function times(count: string): string {
  return count === '1' ? 'once' : `${count} times`;
}

/** Says within how many days, as the end of a sentence; nothing where it is at any time. */
export function within(days: number | undefined): string {
  if (days === undefined) return '';
  return days === 1 ? ' today' : ` within ${days} days`;
}

/** Says how much of what is needed is there: `2 of 3`, or `5` where it is enough. */
export function amount(count: number, atLeast: number): string {
  return count >= atLeast ? String(count) : `${count} of ${atLeast}`;
}

/** Says how much was needed, as the end of a sentence, where more than one is there. */
export function needed(count: number, atLeast: number): string {
  return count >= atLeast && atLeast > 1 ? ` (${atLeast} needed)` : '';
}
