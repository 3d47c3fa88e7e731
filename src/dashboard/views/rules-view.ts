import { approve, reject } from '../rules/decide-drafts.ts';
import { readRulesData } from '../rules/read-rules-data.ts';
import type { RulesData } from '../rules/rules-data.ts';
import type { DashboardView } from '../view.ts';

/** Rules, how often they fired, were shown and taken; segments, and for how many they held; drafts of `discover`. */
export const rulesView: DashboardView<RulesData> = {
  name: 'rules',
  title: 'Rules',
  everyMs: 3_000,
  read: readRulesData,
  actions: { approve, reject } as NonNullable<DashboardView['actions']>,
};
