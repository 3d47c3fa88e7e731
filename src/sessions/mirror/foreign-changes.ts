import { changesBetween, type FieldChange, type IntegerDeltas } from '../record/field-changes.ts';
import type { SessionFields } from '../record/session-fields.ts';

const NOTHING_HIDDEN: ReadonlySet<string> = new Set();

/** Lists what another program has changed in its copy of a session, as changes of ours. `base`: the copy as we wrote it;
 *  `theirs`: as it is now; `ours`: the session as it is now. A field that both have changed keeps our value, because ours was
 *  the later write; of a counter (`integerDeltas`) both additions count. */
export function foreignChanges(
  base: SessionFields,
  theirs: SessionFields,
  ours: SessionFields,
  integerDeltas: IntegerDeltas,
): FieldChange[] {
  return changesBetween(base, theirs, { integerDeltas, hidden: NOTHING_HIDDEN }).filter((change) => {
    const before = base.get(change.name);
    if (isSame(before, theirs.get(change.name))) return false;
    return 'add' in change || isSame(before, ours.get(change.name));
  });
}

function isSame(one: string | undefined, other: string | undefined): boolean {
  if (one === other) return true;
  return one !== undefined && other !== undefined && canonical(one) === canonical(other);
}

// Other programs write the properties of a cookie in another order, and some numbers in another form.
function canonical(json: string): string {
  const value: unknown = JSON.parse(json);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return JSON.stringify(isObject ? Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)) : value);
}
