import type { FieldChange } from './field-changes.ts';
import { packedSize, packHead, packTexts } from './packed-texts.ts';
import type { SessionFields } from './session-fields.ts';

/* record-patch.ts: what a save changes of a record's bytes, so that neither the wire nor Redis's log carries the rest.
 *
 * A small record is cheaper to replace than to patch: in Redis a patch is three commands and more for one. */

/** The size from which a save sends a patch, in characters of names and JSON. */
const PATCHED_FROM = 4_096;

/** A part of a record's fields that another text takes the place of. */
export interface Splice {
  /** Where it begins, in bytes from the beginning of the fields. */
  readonly at: number;
  /** What stands there first and stays: the field's name, so that no other field is hit. May be empty. */
  readonly behind: Buffer;
  /** How many bytes behind that are replaced. */
  readonly replaced: number;
  readonly by: Buffer;
}

/** A change of a record's fields. */
export interface RecordPatch {
  /** How many bytes the fields take before it. */
  readonly length: number;
  /** In the order of their places. */
  readonly splices: readonly Splice[];
}

/** Whether a record with these fields is large enough to be patched. */
export function isPatched(fields: SessionFields): boolean {
  let size = 0;
  for (const [name, json] of fields) size += name.length + json.length;
  return size >= PATCHED_FROM;
}

/** Makes the patch from `before` to `after`, which `changes` made of it. It counts on the order of `before` being the
 *  record's. */
export function patchBetween(
  before: SessionFields,
  after: SessionFields,
  changes: readonly FieldChange[],
): RecordPatch {
  const changed = new Set(changes.map(({ name }) => name));
  const splices: Splice[] = [];
  const count = packHead(2 * before.size);
  const nextCount = packHead(2 * after.size);
  if (!count.equals(nextCount)) splices.push({ at: 0, behind: NOTHING, replaced: count.length, by: nextCount });
  let at = count.length;
  for (const [name, json] of before) {
    const nameSize = packedSize(name);
    const size = packedSize(json);
    if (changed.has(name)) {
      const next = after.get(name);
      const packedName = packedText(name);
      splices.push(
        next === undefined
          ? { at, behind: NOTHING, replaced: nameSize + size, by: NOTHING }
          : { at, behind: packedName, replaced: size, by: packedText(next) },
      );
    }
    at += nameSize + size;
  }
  const added = [...changed].filter((name) => !before.has(name) && after.has(name));
  if (added.length > 0) {
    const by = Buffer.concat(added.flatMap((name) => [packedText(name), packedText(after.get(name)!)]));
    splices.push({ at, behind: NOTHING, replaced: 0, by });
  }
  return { length: at, splices };
}

const NOTHING = Buffer.alloc(0);

function packedText(text: string): Buffer {
  // A list of one begins with one byte.
  return packTexts([text]).subarray(1);
}
