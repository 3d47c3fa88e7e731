import type { BoundedOperation } from '../connection/bounded-operation.ts';
import { encryptedWithoutKeys, SessionDataError } from '../errors/session-data-error.ts';
import { SessionGoneError } from '../errors/session-gone-error.ts';
import { applyChanges, changesOfField, type FieldChange, listChanges } from '../record/field-changes.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import { packTexts } from '../record/packed-texts.ts';
import { versionIn } from '../record/record-header.ts';
import { isVisible, type SessionFields, writeField } from '../record/session-fields.ts';
import type { ResolvedReference } from '../tokens/session-reference.ts';
import { changeField } from './scripts/change-field.ts';
import { setFieldsIf } from './scripts/set-fields-if.ts';
import type { SessionRecords } from './session-records.ts';
import { whileOthersChange } from './while-others-change.ts';

/** Result of `setIf`. */
export interface SetIfOutcome {
  /** Whether the version matched and the fields were written. */
  readonly applied: boolean;
  /** The version now. */
  readonly version: number;
}

/** Computes a change of encrypted fields, which Redis cannot compute itself. */
type Step = (fields: SessionFields) => { readonly change: FieldChange; readonly json: string };

/** How a field is changed. */
interface FieldChanger {
  readonly operation: 'increment' | 'append';
  /** The operand, as the script takes it. */
  readonly value: string;
  /** The same change, for fields that Redis cannot read because they are sealed. */
  readonly inStore: Step;
}

/** The caller's own state of the session whose field it changes. */
export interface CallerFields {
  /** The session as it was loaded; the operation updates it. */
  readonly loaded?: LoadedRecord | undefined;
  /** The session as the caller has it now. The caller's own change of the field since the load is applied first, in the
   *  same step. Undefined: no such change. */
  readonly values?: object | undefined;
}

/** Changes single fields atomically, beside any other writes of the session. They do not renew the session: jobs use
 *  them too, and a job is no visit. */
export class FieldOperations {
  readonly #records: SessionRecords;

  constructor(records: SessionRecords) {
    this.#records = records;
  }

  /** Adds to a number; a missing field counts as 0. Returns the sum.
   *  @throws SessionGoneError; SessionDataError where the field holds something else; RangeError for what is no
   *  number. */
  async increment(
    redis: BoundedOperation,
    reference: ResolvedReference,
    caller: CallerFields,
    field: string,
    by: number,
  ): Promise<number> {
    checkField(field);
    if (!Number.isFinite(by)) throw new RangeError(`increment("${field}") cannot add ${by}: give a finite number.`);
    const inStore: Step = (fields) => {
      const there = fields.get(field);
      if (there !== undefined && !/^-?\d/.test(there)) throw this.#unfit('increment', field);
      const sum = Number(there ?? 0) + by;
      if (!Number.isFinite(sum)) throw this.#unfit('increment', field);
      return { change: { name: field, set: JSON.stringify(sum) }, json: JSON.stringify(sum) };
    };
    const changer = { operation: 'increment', value: String(by), inStore } as const;
    return Number(await this.#change(redis, reference, caller, field, changer));
  }

  /** Appends to a list; a missing field counts as an empty one. Returns the list.
   *  @throws SessionGoneError; SessionDataError where the field is no list; NotSerialisableError. */
  async append(
    redis: BoundedOperation,
    reference: ResolvedReference,
    caller: CallerFields,
    field: string,
    values: readonly unknown[],
  ): Promise<unknown[]> {
    checkField(field);
    if (values.length === 0) throw new RangeError(`append("${field}") was given nothing to append.`);
    const added = values.map((value) => writeField(field, value) ?? 'null').join(',');
    const inStore: Step = (fields) => {
      const there = fields.get(field) ?? '[]';
      if (!there.startsWith('[')) throw this.#unfit('append', field);
      const list = there === '[]' ? `[${added}]` : `${there.slice(0, -1)},${added}]`;
      return { change: { name: field, set: list }, json: list };
    };
    const changer = { operation: 'append', value: added, inStore } as const;
    return JSON.parse(await this.#change(redis, reference, caller, field, changer)) as unknown[];
  }

  /** Sets fields (`undefined` removes one) if the session's version is still `version`.
   *  @throws SessionGoneError, NotSerialisableError. */
  async setIf(
    redis: BoundedOperation,
    reference: ResolvedReference,
    loaded: LoadedRecord | undefined,
    version: number,
    values: Readonly<Record<string, unknown>>,
  ): Promise<SetIfOutcome> {
    checkSetIf(version, values);
    const changes = Object.entries(values).map(([name, value]): FieldChange => {
      checkField(name);
      const set = writeField(name, value);
      return set === undefined ? { name, remove: true } : { name, set };
    });
    if (this.#records.isEncrypting) return this.#setEncryptedIf(redis, reference, loaded, version, changes);
    const { status, values: answer } = await setFieldsIf.run(
      redis,
      { record: this.#records.keys.record(reference.session) },
      { ...this.#argsOf(redis, reference), version, changes: packTexts(listChanges(changes)) },
    );
    const [found] = answer;
    if (status === 'conflict') return { applied: false, version: Number(String(found)) };
    if (status === 'sealed') throw encryptedWithoutKeys(reference.session);
    if (!found) throw new SessionGoneError('setIf()');
    loaded?.applyWrite(found, changes);
    return { applied: true, version: versionIn(found) };
  }

  async #change(
    redis: BoundedOperation,
    reference: ResolvedReference,
    { loaded, values }: CallerFields,
    field: string,
    { operation, value, inStore: step }: FieldChanger,
  ): Promise<string> {
    const before = loaded && values ? this.#changedBefore(loaded, values, field) : [];
    if (this.#records.isEncrypting) return this.#changeEncrypted(redis, reference, loaded, before, step);
    const packed = before.length === 0 ? '' : packTexts(listChanges(before));
    const { status, values: answer } = await changeField.run(
      redis,
      { record: this.#records.keys.record(reference.session) },
      { ...this.#argsOf(redis, reference), operation, field, value, before: packed },
    );
    if (status === 'unfit') throw this.#unfit(operation, field);
    if (status === 'sealed') throw encryptedWithoutKeys(reference.session);
    const [header, json] = answer;
    if (!header) throw new SessionGoneError(`${operation}()`);
    const text = String(json);
    loaded?.applyWrite(header, [...before, { name: field, set: text }]);
    return text;
  }

  #argsOf(
    redis: BoundedOperation,
    { session, hash }: ResolvedReference,
  ): { secretHash: Buffer | ''; absoluteMs: number; notAfter: number } {
    return {
      secretHash: hash ?? '',
      absoluteMs: this.#records.settings.absoluteMs,
      notAfter: redis.notAfter(session),
    };
  }

  #changedBefore({ fields, hidden }: LoadedRecord, values: object, field: string): FieldChange[] {
    const { integerDeltas } = this.#records.settings;
    // Properties that are not enumerable belong to the framework and are not fields.
    const isField = Object.prototype.propertyIsEnumerable.call(values, field);
    const json = isField ? writeField(field, (values as Record<string, unknown>)[field]) : undefined;
    return changesOfField(fields, field, json, { integerDeltas, hidden });
  }

  // Redis cannot read an encrypted field, so the change is computed here.
  async #changeEncrypted(
    redis: BoundedOperation,
    reference: ResolvedReference,
    loaded: LoadedRecord | undefined,
    before: readonly FieldChange[],
    step: Step,
  ): Promise<string> {
    const json = await whileOthersChange(this.#records, redis, reference, undefined, async (latest) => {
      const { change, json } = step(applyChanges(latest.fields, before));
      const changes = [...before, change];
      if (!(await this.#records.replaceEncrypted(redis, reference, latest, changes))) return undefined;
      loaded?.applyWrite(latest.headerBytes, changes);
      return json;
    });
    if (json === undefined) throw new SessionGoneError('A change of a field');
    return json;
  }

  #setEncryptedIf(
    redis: BoundedOperation,
    reference: ResolvedReference,
    loaded: LoadedRecord | undefined,
    version: number,
    changes: readonly FieldChange[],
  ): Promise<SetIfOutcome> {
    return this.#records.changeQueue.run(reference.session, async () => {
      const latest = await this.#records.load(redis, reference);
      if (!latest) throw new SessionGoneError('setIf()');
      const found = latest.header.version;
      if (found !== version) return { applied: false, version: found };
      if (!(await this.#records.replaceEncrypted(redis, reference, latest, changes))) {
        const now = await this.#records.load(redis, reference);
        if (!now) throw new SessionGoneError('setIf()');
        return { applied: false, version: now.header.version };
      }
      loaded?.applyWrite(latest.headerBytes, changes);
      return { applied: true, version: latest.header.version };
    });
  }

  #unfit(operation: string, field: string): SessionDataError {
    const needed = operation === 'increment' ? 'number' : 'list';
    return new SessionDataError(
      `${operation}("${field}") changed nothing: the field holds something that is no ${needed}.`,
    );
  }
}

function checkSetIf(version: number, values: Readonly<Record<string, unknown>>): void {
  if (!Number.isInteger(version) || version < 0) {
    throw new RangeError(
      `${String(version)} is no version of a session: give info().version, which a session has once it was saved.`,
    );
  }
  if (typeof values === 'object' && values !== null) return;
  throw new RangeError('setIf() needs the fields that it sets: give an object such as { plan: "pro" }.');
}

function checkField(field: string): void {
  if (typeof field !== 'string') throw new RangeError(`${String(field)} is no name of a field: give a string.`);
  if (field !== '' && field !== 'cookie' && isVisible(field)) return;
  throw new RangeError(`${JSON.stringify(field)} is no field that can be changed: give a name other than "cookie".`);
}
