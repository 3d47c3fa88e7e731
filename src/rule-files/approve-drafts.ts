import type { Draft } from '../discover/index.ts';
import { contentOf } from '../discover/index.ts';
import { isObject } from '../protocol/internal/index.ts';
import { checkDraftsFile, decide, draftsNamed } from './drafts-file.ts';
import { withJsonFiles } from './json-file.ts';
import { RulesFileError } from './rules-file-error.ts';

/** Where drafts and rules are, and what is changed of a draft that becomes a rule. */
export interface Approval {
  readonly draftsFile: string;
  readonly rulesFile: string;
  /** Another name and another reason, of a single draft. */
  readonly as?: string | undefined;
  readonly reason?: string | undefined;
  /** Milliseconds of the epoch. */
  readonly now: number;
}

/** What became of a draft. `isNew`: false where the rule was there already, because an approval was interrupted. */
export interface Approved {
  readonly name: string;
  readonly isNew: boolean;
}

/** Moves drafts into the file of rules: all of them or none. The rules are written first: if the process ends between the two
 *  files, the drafts are still there, and approving them again only takes them away. `check`: throws where the rules would be
 *  wrong.
 *  @throws RulesFileError, and nothing is changed then; what `check` throws. */
export function approveDrafts(
  names: readonly string[],
  { draftsFile, rulesFile, as, reason, now }: Approval,
  check: (rules: unknown) => void,
): Promise<Approved[]> {
  return withJsonFiles([draftsFile, rulesFile], ([drafts, rules]) => {
    const file = checkDraftsFile(drafts!.value, draftsFile);
    const contents = rulesIn(rules!.value, rulesFile);
    const suggestions = [...contents.suggestions];
    const approved = draftsNamed(file, names, draftsFile).map((draft) => {
      const rule = ruleOf(draft, as, reason);
      const isNew = !isThere(suggestions, rule, rulesFile);
      if (isNew) suggestions.push(rule);
      return { name: rule.name, isNew };
    });
    if (approved.some(({ isNew }) => isNew)) {
      const changed = { ...contents, suggestions };
      check(changed);
      rules!.write(changed);
    }
    drafts!.write(decide(file, names, 'approved', now));
    return approved;
  });
}

/** Takes drafts away for good: all of them or none.
 *  @throws RulesFileError, and nothing is changed then. */
export function rejectDrafts(names: readonly string[], draftsFile: string, now: number): Promise<void> {
  return withJsonFiles([draftsFile], ([drafts]) => {
    const file = checkDraftsFile(drafts!.value, draftsFile);
    draftsNamed(file, names, draftsFile);
    drafts!.write(decide(file, names, 'rejected', now));
  });
}

type Rule = Omit<Draft, 'found'>;

function ruleOf({ found: _, ...rule }: Draft, as: string | undefined, reason: string | undefined): Rule {
  return { ...rule, ...(as !== undefined && { name: as }), ...(reason !== undefined && { reason }) };
}

function rulesIn(value: unknown, file: string): { readonly suggestions: readonly unknown[] } {
  if (value === undefined) return { suggestions: [] };
  const { suggestions = [] } = isObject(value) ? value : { suggestions: undefined };
  if (!isObject(value) || !Array.isArray(suggestions)) {
    throw new RulesFileError('RULES_FILE', `${file} is no file of rules: it must hold {"suggestions":[...]}.`);
  }
  return { ...value, suggestions };
}

function isThere(suggestions: readonly unknown[], rule: Rule, file: string): boolean {
  const same = suggestions.find((each) => isObject(each) && each.name === rule.name) as Rule | undefined;
  if (!same) return false;
  if (contentOf(same) === contentOf(rule)) return true;
  throw new RulesFileError(
    'DRAFT_REFUSED',
    `${file} has another rule named "${rule.name}": approve the draft under another name (--as).`,
  );
}
