import { type Candidate, type Discovery, inWords } from '../../discover/index.ts';
import { printableOnOneLine } from '../printable.ts';
import type { BasketFile } from './read-baskets.ts';

/* describe-discovery.ts: candidates in words that a shop owner reads, without the terms of data mining. */

/** What the data are called. */
export interface DataWords {
  /** `basket`, `visitor` or `subject`; `s` makes the plural. */
  readonly one: string;
  /** How one has an item: `hold` or `saw`. */
  readonly have: string;
  readonly has: string;
}

export const BASKETS: DataWords = { one: 'basket', have: 'hold', has: 'holds' };
export const SUBJECTS: DataWords = { one: 'subject', have: 'saw', has: 'saw' };
export const VISITORS: DataWords = { one: 'visitor', have: 'saw', has: 'saw' };

/** Says what was read, a line each. */
export function describeFile(file: BasketFile): string[] {
  const { name, format, store, skippedLines, firstSkipped, otherRequests, unusableItems } = file;
  const { one } = format === 'log' ? VISITORS : BASKETS;
  const kind = format === 'log' ? 'pages' : 'items';
  const lines = [`${name}: ${many(store.baskets, one)}, ${n(store.names.length)} different ${kind}.`];
  if (otherRequests > 0) {
    lines.push(
      `Left out: ${many(otherRequests, 'request')} of robots, of files that pages load, or not answered with a page (--all-requests counts them).`,
    );
  }
  if (skippedLines > 0) {
    lines.push(
      `Left out: ${many(skippedLines, 'line')} that could not be read, the first is line ${n(firstSkipped!)}.`,
    );
  }
  if (unusableItems > 0) lines.push(`Left out: ${many(unusableItems, 'item')} that no rule could name.`);
  return lines;
}

/** Says what was found: how many rules, and the candidates. `lift`: the least that was asked for. */
export function describeDiscovery(
  found: Discovery,
  words: DataWords,
  asked: { confidence: number; lift: number },
): string[] {
  const { rules, rulesBySize, liftedRules, minCount, candidates } = found;
  const least = `in at least ${many(minCount, words.one)}, right in at least ${percent(asked.confidence)} of the cases`;
  if (rules === 0) {
    return ['', `No rules: nothing goes together ${least}. Try a lower --support or a lower --confidence.`];
  }
  const sizes = Object.entries(rulesBySize).map(([size, count]) => `${n(count)} of ${size} items`);
  const lines = ['', `${many(rules, 'rule')} ${least}: ${inWords(sizes)}.`];
  if (liftedRules < rules) {
    lines.push(`Left out: ${n(rules - liftedRules)} of them, no better than chance or than --lift asks for.`);
  }
  if (candidates.length === 0) return lines;
  lines.push(candidates.length === 1 ? 'The best one:' : `The best ${n(candidates.length)}:`);
  candidates.forEach((candidate, i) => void lines.push('', ...describeCandidate(candidate, i + 1, words)));
  return lines;
}

function describeCandidate(candidate: Candidate, number: number, { one, have, has }: DataWords): string[] {
  const { when, suggest, baskets, whenBaskets, confidence, lift, suggestBaskets, support } = candidate;
  const names = inWords(when.map(printableOnOneLine));
  const suggested = printableOnOneLine(suggest);
  const all = (suggestBaskets * support) / baskets;
  const place = `${number}.`.padEnd(4);
  return [
    `${place}${names} => ${suggested}`,
    `    Of ${many(whenBaskets, one)} that ${whenBaskets === 1 ? has : have} ${names}, ${n(baskets)} also ${have} ${suggested} (${percent(confidence)}).`,
    `    Of all ${one}s ${percent(all)} do: ${times(lift)}.`,
  ];
}

function times(lift: number): string {
  return `${lift.toFixed(lift < 10 ? 1 : 0)} times as many`;
}

function percent(share: number): string {
  const percents = 100 * share;
  return `${percents.toFixed(percents < 10 ? 1 : 0)} %`;
}

function many(count: number, one: string): string {
  return `${n(count)} ${one}${count === 1 ? '' : 's'}`;
}

function n(count: number): string {
  return count.toLocaleString('en-US');
}
