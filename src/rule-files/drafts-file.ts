import type { Draft } from '../discover/index.ts';
import { contentOf } from '../discover/index.ts';
import { isObject } from '../protocol/internal/index.ts';
import { RulesFileError } from './rules-file-error.ts';

/* drafts-file.ts: what `discover --out` writes and `rules approve` and `reject` take away. What was decided about a draft stays
 * in the file, so that the next discovery does not propose it again. */

const MOST_DECIDED = 10_000;

/** What was decided about a draft. */
export interface Decided {
  readonly name: string;
  readonly when: Draft['when'];
  readonly suggest: string;
  readonly decision: 'approved' | 'rejected';
  readonly at: string;
}

/** The contents of a file of drafts. */
export interface DraftsFile {
  readonly drafts: readonly Draft[];
  readonly decided: readonly Decided[];
}

/** Checks the contents of a file of drafts; undefined, where there is no file, has none.
 *  @throws RulesFileError */
export function checkDraftsFile(value: unknown, file: string): DraftsFile {
  if (value === undefined) return { drafts: [], decided: [] };
  const { drafts, decided = [] } = isObject(value) ? value : { drafts: undefined };
  if (!Array.isArray(drafts) || !Array.isArray(decided)) {
    throw new RulesFileError('RULES_FILE', `${file} is no file of drafts: it must hold {"drafts":[...]}.`);
  }
  for (const [i, draft] of drafts.entries()) checkDraft(draft, `${file}: drafts[${i}]`);
  for (const [i, each] of decided.entries()) checkRule(each, `${file}: decided[${i}]`);
  return { drafts: drafts as Draft[], decided: decided as Decided[] };
}

/** Adds new drafts: one that says the same as a draft there gets its figures, and one that was decided about is left out.
 *  Returns the contents, how many are new, and how many were left out. */
export function addDrafts(
  { drafts, decided }: DraftsFile,
  found: readonly Draft[],
): { readonly file: DraftsFile; readonly added: number; readonly decidedBefore: number } {
  const known = new Set(decided.map(contentOf));
  const open = found.filter((draft) => !known.has(contentOf(draft)));
  const figures = new Map(open.map((draft) => [contentOf(draft), draft.found]));
  const there = new Set(drafts.map(contentOf));
  const added = open.filter((draft) => !there.has(contentOf(draft)));
  const updated = drafts.map((draft) => ({ ...draft, found: figures.get(contentOf(draft)) ?? draft.found }));
  return {
    file: { drafts: [...updated, ...added], decided },
    added: added.length,
    decidedBefore: found.length - open.length,
  };
}

/** Takes drafts away that were decided about. */
export function decide(
  { drafts, decided }: DraftsFile,
  names: readonly string[],
  decision: Decided['decision'],
  at: number,
): DraftsFile {
  const done = drafts.filter(({ name }) => names.includes(name));
  return {
    drafts: drafts.filter((draft) => !done.includes(draft)),
    decided: [
      ...decided,
      ...done.map(({ name, when, suggest }) => ({ name, when, suggest, decision, at: new Date(at).toISOString() })),
    ].slice(-MOST_DECIDED),
  };
}

/** The drafts of some names, in their order.
 *  @throws RulesFileError for a name that no draft has, or several. */
export function draftsNamed({ drafts }: DraftsFile, names: readonly string[], file: string): Draft[] {
  return names.map((name) => {
    const found = drafts.filter((each) => each.name === name);
    const [draft] = found;
    if (draft && found.length === 1) return draft;
    if (draft) {
      throw new RulesFileError(
        'DRAFT_REFUSED',
        `${file} has ${found.length} drafts named "${name}": rename all but one.`,
      );
    }
    throw new RulesFileError(
      'DRAFT_REFUSED',
      `${file} has no draft named "${name}": sessionwise rules drafts lists them.`,
    );
  });
}

function checkDraft(draft: unknown, where: string): void {
  checkRule(draft, where);
  const { reason, found } = draft as Partial<Draft>;
  if (reason !== undefined && typeof reason !== 'string') throw wrong(`${where}.reason`, 'a text');
  if (found !== undefined && !isObject(found)) throw wrong(`${where}.found`, 'an object');
}

// A person may edit a draft: another condition is left to the check of the rules.
function checkRule(rule: unknown, where: string): void {
  if (!isObject(rule)) throw wrong(where, 'an object');
  const { name, when, suggest } = rule;
  if (typeof name !== 'string' || name === '') throw wrong(`${where}.name`, 'a text');
  if (typeof suggest !== 'string' || suggest === '') throw wrong(`${where}.suggest`, 'a text');
  if (!isObject(when)) throw wrong(`${where}.when`, 'a condition');
}

function wrong(where: string, expected: string): RulesFileError {
  return new RulesFileError('RULES_FILE', `${where} cannot be used: it must be ${expected}.`);
}
