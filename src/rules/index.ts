export type { Answers, Held, Here, Known, VisitFigures } from './answers.ts';
export { NO, UNKNOWN, YES } from './answers.ts';
export type { CheckedRules } from './check-rules.ts';
export { checkRules, RULES_FIELDS } from './check-rules.ts';
export type { PageClusters } from './clusters.ts';
export { compileRules } from './compile-rules.ts';
export type { CompiledRule, CompiledSuggestion } from './compiled-rules.ts';
export { CompiledRules, explain, explainSegments, heldSegments, holds, suggest } from './compiled-rules.ts';
export { describeCondition } from './describe-condition.ts';
export { describeOutcome } from './describe-outcome.ts';
export type { FactName } from './fact-name.ts';
export { nameOfEventWith, nameOfMark } from './fact-name.ts';
export type { Moment } from './memory-history.ts';
export { MemoryHistory } from './memory-history.ts';
export type {
  ClusterCondition,
  ClusterPatterns,
  Condition,
  EventCondition,
  HowOften,
  Rules,
  ShowLimit,
  SuggestionRule,
} from './rules.ts';
