import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/protocol/index.ts';
import {
  type CompiledRules,
  compileRules,
  explain,
  explainSegments,
  holds,
  type Known,
  MemoryHistory,
  suggest,
  UNKNOWN,
} from '../../src/rules/index.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { type ModelVisitor, modelHolds, modelSuggests, randomRules, randomVisitor } from './rules-model.ts';

/* Random rules and histories, beside a plain model. RULES_RUNS makes more of them. */

const RUNS = Number(process.env.RULES_RUNS ?? 5_000);
const RULES_A_RUN = 5;
const NOW = Date.parse('2026-05-17T10:30:00Z');

function historyOf(compiled: ReturnType<typeof compileRules>, { log }: ModelVisitor): MemoryHistory {
  const history = new MemoryHistory(compiled);
  for (const each of log) {
    if ('view' in each) history.view(each.view, each.at);
    else if ('mark' in each) history.markSeen([each.mark]);
    else history.track(each.event, each.at, each);
  }
  return history;
}

/** What an explanation says by itself, without its own `holds`. */
function recount({ all, any, not, count, atLeast, holds: itself }: Explanation): boolean {
  if (all) return all.every((part) => part.holds);
  if (any) return any.some((part) => part.holds);
  if (not) return !not.holds;
  return count === undefined ? itself : count >= atLeast!;
}

/** Parts of an explanation that do not agree with what stands in them. */
function disagreeing(explanation: Explanation): Explanation[] {
  return [...everyPart(explanation)].filter((part) => part.holds !== recount(part));
}

/** What is suggested where each item has to be asked about by itself, and which were asked about. */
function suggestByAsking(compiled: CompiledRules, known: Known): { rules: string[]; asked: number[] } {
  const answers = compiled.answersOf({ ...known, seen: new Uint8Array(known.seen.length).fill(UNKNOWN) });
  const asked: number[] = [];
  for (let round = 0; ; round += 1) {
    const items = compiled.itemsToAsk(compiled.suggestions, answers, round === 0);
    if (items.length === 0) break;
    for (const item of items) answers.known.seen[item] = known.seen[item]!;
    asked.push(...items);
    answers.forgetSegments();
  }
  return { rules: suggest(compiled.suggestions, answers).map(({ rule }) => rule), asked };
}

function* everyPart(explanation: Explanation): Generator<Explanation> {
  yield explanation;
  const { all = [], any = [], not } = explanation;
  for (const part of [...all, ...any, ...(not ? [not] : [])]) yield* everyPart(part);
}

describe('rules beside a plain model', () => {
  it(
    `give the same answers for ${RUNS} random rules and histories, and explanations agree with them`,
    () => {
      const random = new SeededRandom(13);
      let [held, made, askedItems, allItems] = [0, 0, 0, 0];
      for (let run = 0; run < RUNS; run += RULES_A_RUN) {
        const rules = randomRules(random, RULES_A_RUN);
        const compiled = compileRules(rules);
        for (let i = 0; i < RULES_A_RUN; i += 1) {
          const visitor = randomVisitor(random, NOW);
          const { now, groups, isPerson, here } = visitor;
          const known = historyOf(compiled, visitor).knownAt({
            now,
            groups,
            isPerson,
            ...(here !== undefined && { here }),
          });
          const answers = compiled.answersOf(known);
          const byPriority = [...rules.suggestions!].sort((one, other) => other.priority! - one.priority!);
          const expected = byPriority.filter((rule) => modelSuggests(rules, rule, visitor)).map(({ name }) => name);
          const expectedSegments = compiled.segments.map(({ name }) =>
            modelHolds(rules, rules.segments![name]!, visitor),
          );
          // Evaluated anew: nothing that `suggest` left behind.
          const explained = explain(compiled.suggestions, compiled.answersOf(known));
          const segments = explainSegments(compiled, compiled.suggestions, compiled.answersOf(known));
          const byAsking = suggestByAsking(compiled, known);
          expect(
            {
              suggested: suggest(compiled.suggestions, answers).map(({ rule }) => rule),
              explained: explained.filter(({ shown }) => shown).map(({ rule }) => rule),
              byAsking: byAsking.rules,
              askedTwice: byAsking.asked.length - new Set(byAsking.asked).size,
              disagreeing: explained.flatMap(({ explanation }) => disagreeing(explanation)),
              segments: compiled.segments.map((segment) => holds(segment, answers)),
              segmentsExplained: Object.entries(segments).filter(
                ([name, { holds: isIn }]) => isIn !== modelHolds(rules, rules.segments![name]!, visitor),
              ),
            },
            `run ${run}, visitor ${i}`,
          ).toEqual({
            suggested: expected,
            explained: expected,
            byAsking: expected,
            askedTwice: 0,
            disagreeing: [],
            segments: expectedSegments,
            segmentsExplained: [],
          });
          askedItems += byAsking.asked.length;
          allItems += compiled.items.length;
          held += expected.length;
          made += rules.suggestions!.length;
        }
      }
      // Neither all nor none, or it would show nothing.
      expect(held / made).toBeGreaterThan(0.2);
      expect(held / made).toBeLessThan(0.8);
      // What is known otherwise decides many.
      expect(askedItems / allItems).toBeLessThan(0.9);
    },
    30_000 + 5 * RUNS,
  );
});
