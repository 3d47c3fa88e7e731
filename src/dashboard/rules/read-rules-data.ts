import type { Draft } from '../../discover/index.ts';
import { SEGMENT_DAYS } from '../../knowledge/index.ts';
import { checkDraftsFile, readJsonFile } from '../../rule-files/index.ts';
import { type CheckedRules, type Condition, describeCondition } from '../../rules/index.ts';
import type { DashboardStore } from '../dashboard-store.ts';
import { configuredRulesOf } from './configured-rules.ts';
import type { DraftOfPage, RulesData } from './rules-data.ts';

const DAY_MS = 86_400_000;

/** Reads the rules with their counts, and the drafts. A file that cannot be read is said on the page, and hides no other part. */
export async function readRulesData(store: DashboardStore): Promise<RulesData> {
  const { rules, problem } = configured(store);
  const { drafts, draftsProblem } = readDrafts(store);
  const { ruleCounts } = store.namespace.knowledge;
  const { suggestions, segments }: Pick<CheckedRules, 'suggestions' | 'segments'> = rules ?? {
    suggestions: [],
    segments: {},
  };
  const names = Object.keys(segments);
  const [marks, subjects] = await Promise.all([
    ruleCounts.marks(suggestions.map(({ name }) => name)),
    ruleCounts.segmentDays(names),
  ]);
  const today = ruleCounts.today();
  return {
    rules: suggestions.map(({ name, when, unless, suggest, reason = '' }, i) => ({
      rule: name,
      when: describeCondition(when),
      unless: unless === undefined ? null : describeCondition(unless),
      suggest,
      reason,
      ...marks[i]!,
    })),
    segments: names.map((segment, i) => ({
      segment,
      when: describeCondition(segments[segment]!),
      days: subjects[i]!,
    })),
    days: Array.from({ length: SEGMENT_DAYS }, (_, back) =>
      new Date((today - back) * DAY_MS).toISOString().slice(0, 10),
    ),
    rulesProblem: problem,
    drafts,
    draftsProblem,
  };
}

function configured(store: DashboardStore): {
  readonly rules: CheckedRules | undefined;
  readonly problem: string | null;
} {
  try {
    const rules = configuredRulesOf(store).read()?.rules;
    const unknown = 'The dashboard does not know the rules: start it with the configuration of the service.';
    return { rules, problem: rules ? null : unknown };
  } catch (error) {
    return { rules: undefined, problem: (error as Error).message };
  }
}

function readDrafts(store: DashboardStore): Pick<RulesData, 'drafts' | 'draftsProblem'> {
  try {
    const { draftsFile, rulesFile } = configuredRulesOf(store);
    if (draftsFile === undefined) return { drafts: [], draftsProblem: null };
    const drafts = checkDraftsFile(readJsonFile(draftsFile), draftsFile).drafts.map(describe);
    const cannot = 'Drafts can be rejected, and not approved: the configuration names no file of rules ("rules").';
    return { drafts, draftsProblem: drafts.length > 0 && rulesFile === undefined ? cannot : null };
  } catch (error) {
    return { drafts: [], draftsProblem: (error as Error).message };
  }
}

// A person may have edited it.
function describe({ name, when, suggest, reason, found }: Draft): DraftOfPage {
  return { name, when: inWords(when), suggest, reason: reason ?? '', found: found ?? null };
}

function inWords(when: Draft['when']): string {
  try {
    return describeCondition(when as Condition);
  } catch {
    return JSON.stringify(when);
  }
}
