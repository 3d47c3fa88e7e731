/* Judgements of a Redis: settings that would lose, evict or expose data, and what is wrong with a namespace. */

export { diagnose } from './diagnose.ts';
export { examine } from './examine.ts';
export type { Finding } from './finding.ts';
export { judgePresence } from './judge-namespace.ts';
