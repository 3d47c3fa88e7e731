/* namespace.js: what the bench's sites have in common. */

export const SECRET = 'the secret of the benchmark';
/** A page that waits so long has failed: with the product's 100 ms a machine that hesitates would make pages without
 *  answers, which cost less. */
export const DEADLINE_MS = 10_000;
export const GROUP = 'customers';
export const NOTICES = ['free-delivery', 'repair-cafe', 'new-lamps'];
/** Each page is one of these twelve; six of them are featured. */
export const FEATURED = [0, 2, 4, 6, 8, 10].map((page) => `/whole/p${page}`);

export const SUGGESTIONS = [
  ['cable', ['/whole/p0', '/whole/p1'], 'An HDMI cable'],
  ['controller', ['/whole/p2', '/whole/never'], 'A second controller'],
  ['plug', ['/whole/never', '/whole/p3'], 'A smart plug'],
].map(([name, all, suggest]) => ({
  name,
  when: { all: all.map((seen) => ({ seen })) },
  suggest,
  reason: 'One tap at bedtime switches both off together.',
}));
