import { isObject } from '../../protocol/internal/index.ts';
import { approveDrafts, checkRulesOf, rejectDrafts } from '../../rule-files/index.ts';
import type { DashboardAction } from '../view.ts';
import { configuredRulesOf } from './configured-rules.ts';

interface ApprovedDraft {
  readonly name: string;
  readonly as: string | undefined;
  readonly reason: string | undefined;
}

/** Moves a draft into the file of rules. A service that runs follows that file, so the rule fires without a restart.
 *  `as`, `reason`: another name and another reason. */
export const approve: DashboardAction<ApprovedDraft> = {
  role: 'operator',
  parse: (input) => {
    const { name, as, reason } = isObject(input) ? input : {};
    return { name: checkName(name), as: checkOther(as, 'as', 128), reason: checkOther(reason, 'reason', 4_096) };
  },
  describe: ({ name, as }) => ({ draft: name, ...(as !== undefined && { as }) }),
  run: async (store, { name, as, reason }) => {
    const { draftsFile, rulesFile } = configuredRulesOf(store);
    if (draftsFile === undefined || rulesFile === undefined) {
      throw new RangeError('The configuration names no file of rules: give it "rules", which the service follows.');
    }
    const approval = { draftsFile, rulesFile, as, reason, now: Date.now() };
    const [approved] = await approveDrafts([name], approval, (rules) => void checkRulesOf(rules, rulesFile));
    return approved;
  },
};

/** Takes a draft away for good: the next discovery does not propose it again. */
export const reject: DashboardAction<{ readonly name: string }> = {
  role: 'operator',
  parse: (input) => ({ name: checkName(isObject(input) ? input.name : undefined) }),
  describe: ({ name }) => ({ draft: name }),
  run: async (store, { name }) => {
    const { draftsFile } = configuredRulesOf(store);
    if (draftsFile === undefined) throw new RangeError('The dashboard was given no configuration, and has no drafts.');
    await rejectDrafts([name], draftsFile, Date.now());
    return { name };
  },
};

function checkName(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw new RangeError('"name" is missing: give the name of a draft.');
}

function checkOther(value: unknown, field: string, most: number): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string' && value.length <= most) return value;
  throw new RangeError(`"${field}" cannot be used: give a text of 1 to ${most} characters.`);
}
