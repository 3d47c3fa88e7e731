import type { BoundedOperation } from '../connection/bounded-operation.ts';
import { SessionDataError, SessionGoneError, sealedByOthers } from '../errors.ts';
import { applyChanges, changesOfField, type FieldChange, listChanges } from '../record/field-changes.ts';
import type { LoadedSession } from '../record/loaded-session.ts';
import { packTexts } from '../record/packed-texts.ts';
import { isVisible, type SessionFields, writeField } from '../record/session-fields.ts';
import { changeField } from './scripts/change-field.ts';
import type { SessionAddress, SessionRecords } from './session-records.ts';
import { whileOthersChange } from './while-others-change.ts';

/** What `setIf` came to. */
export interface SetIfOutcome {
  /** Whether the version was the expected one, and the fields were written. */
  readonly applied: boolean;
  /** The version now. */
  readonly version: number;
}

/** What one step does to fields, where Redis cannot do it itself because they are sealed. */
type Step = (fields: SessionFields) => { readonly change: FieldChange; readonly json: string };

/** What a caller holds of the session whose field it changes. */
export interface HeldFields {
  /** As the session was loaded; follows what the operation did. */
  readonly loaded?: LoadedSession | undefined;
  /** The session as the caller has it now: what it has changed of the field since it was loaded is done first, in the
   *  same step. Undefined: nothing. */
  readonly values?: object | undefined;
}

/** Changes of single fields in one step, whoever else changes the session at the same time. They are no visits: they
 *  do not move the session's end. */
export class FieldOperations {
  readonly #records: SessionRecords;

  constructor(records: SessionRecords) {
    this.#records = records;
  }

  /** Adds to a number; a field that is not there counts as 0. Returns the sum.
   *  @throws SessionGoneError; SessionDataError where the field holds something else; RangeError for what is no number. */
  async increment(
    redis: BoundedOperation,
    address: SessionAddress,
    held: HeldFields,
    field: string,
    by: number,
  ): Promise<number> {
    checkField(field);
    if (!Number.isFinite(by)) throw new RangeError(`increment("${field}") cannot add ${by}: give a finite number.`);
    const json = await this.#change(redis, address, held, field, ['increment', field, String(by)], (fields) => {
      const there = fields.get(field);
      if (there !== undefined && !/^-?\d/.test(there)) throw this.#unfit('increment', field);
      const sum = Number(there ?? 0) + by;
      if (!Number.isFinite(sum)) throw this.#unfit('increment', field);
      return { change: { name: field, set: JSON.stringify(sum) }, json: JSON.stringify(sum) };
    });
    return Number(json);
  }

  /** Appends to a list; a field that is not there counts as an empty one. Returns the list.
   *  @throws SessionGoneError; SessionDataError where the field is no list; NotSerialisableError. */
  async append(
    redis: BoundedOperation,
    address: SessionAddress,
    held: HeldFields,
    field: string,
    values: readonly unknown[],
  ): Promise<unknown[]> {
    checkField(field);
    if (values.length === 0) throw new RangeError(`append("${field}") was given nothing to append.`);
    const added = values.map((value) => writeField(field, value) ?? 'null').join(',');
    const json = await this.#change(redis, address, held, field, ['append', field, added], (fields) => {
      const there = fields.get(field) ?? '[]';
      if (!there.startsWith('[')) throw this.#unfit('append', field);
      const list = there === '[]' ? `[${added}]` : `${there.slice(0, -1)},${added}]`;
      return { change: { name: field, set: list }, json: list };
    });
    return JSON.parse(json) as unknown[];
  }

  /** Sets fields (`undefined` removes one) if the session's version is still `version`.
   *  @throws SessionGoneError, NotSerialisableError. */
  async setIf(
    redis: BoundedOperation,
    address: SessionAddress,
    loaded: LoadedSession | undefined,
    version: number,
    values: Readonly<Record<string, unknown>>,
  ): Promise<SetIfOutcome> {
    const changes = Object.entries(values).map(([name, value]): FieldChange => {
      checkField(name);
      const set = writeField(name, value);
      return set === undefined ? { name, remove: true } : { name, set };
    });
    if (this.#records.isSealing) return this.#setSealedIf(redis, address, loaded, version, changes);
    const [status, header] = await changeField.runForBuffers(
      redis,
      [this.#records.keys.record(address.session)],
      [
        address.hash ?? '',
        this.#records.settings.absoluteMs,
        redis.notAfter(address.session),
        'set-if',
        version,
        packTexts(listChanges(changes)),
      ],
    );
    if (status === -1) return { applied: false, version: Number(String(header)) };
    if (status === -2) throw sealedByOthers(address.session);
    if (status !== 1 || !header) throw new SessionGoneError('setIf()');
    loaded?.follow(header, changes);
    return { applied: true, version: header.readUInt32LE(66) };
  }

  async #change(
    redis: BoundedOperation,
    address: SessionAddress,
    { loaded, values }: HeldFields,
    field: string,
    operation: readonly string[],
    step: Step,
  ): Promise<string> {
    const before = loaded && values ? this.#changedBefore(loaded, values, field) : [];
    if (this.#records.isSealing) return this.#changeSealed(redis, address, loaded, before, step);
    const [status, header, json] = await changeField.runForBuffers(
      redis,
      [this.#records.keys.record(address.session)],
      [
        ...[address.hash ?? '', this.#records.settings.absoluteMs, redis.notAfter(address.session), ...operation],
        before.length === 0 ? '' : packTexts(listChanges(before)),
      ],
    );
    if (status === -3) throw this.#unfit(operation[0]!, field);
    if (status === -2) throw sealedByOthers(address.session);
    if (status !== 1 || !header) throw new SessionGoneError(`${operation[0]}()`);
    const text = String(json);
    loaded?.follow(header, [...before, { name: field, set: text }]);
    return text;
  }

  #changedBefore({ fields, hidden }: LoadedSession, values: object, field: string): FieldChange[] {
    const { integerDeltas } = this.#records.settings;
    // What is not enumerable is the framework's, and not a field.
    const isField = Object.prototype.propertyIsEnumerable.call(values, field);
    const json = isField ? writeField(field, (values as Record<string, unknown>)[field]) : undefined;
    return changesOfField(fields, field, json, { integerDeltas, hidden });
  }

  // Redis cannot read the field.
  async #changeSealed(
    redis: BoundedOperation,
    address: SessionAddress,
    loaded: LoadedSession | undefined,
    before: readonly FieldChange[],
    step: Step,
  ): Promise<string> {
    const json = await whileOthersChange(this.#records, redis, address, undefined, async (latest) => {
      const { change, json } = step(applyChanges(latest.fields, before));
      const changes = [...before, change];
      if (!(await this.#records.replaceSealed(redis, address, latest, changes))) return undefined;
      loaded?.follow(latest.header, changes);
      return json;
    });
    if (json === undefined) throw new SessionGoneError('A change of a field');
    return json;
  }

  #setSealedIf(
    redis: BoundedOperation,
    address: SessionAddress,
    loaded: LoadedSession | undefined,
    version: number,
    changes: readonly FieldChange[],
  ): Promise<SetIfOutcome> {
    return this.#records.serialQueue.run(address.session, async () => {
      const latest = await this.#records.load(redis, address);
      if (!latest) throw new SessionGoneError('setIf()');
      const found = latest.facts.version;
      if (found !== version) return { applied: false, version: found };
      if (!(await this.#records.replaceSealed(redis, address, latest, changes))) {
        const now = await this.#records.load(redis, address);
        if (!now) throw new SessionGoneError('setIf()');
        return { applied: false, version: now.facts.version };
      }
      loaded?.follow(latest.header, changes);
      return { applied: true, version: latest.facts.version };
    });
  }

  #unfit(operation: string, field: string): SessionDataError {
    const needed = operation === 'increment' ? 'number' : 'list';
    return new SessionDataError(
      `${operation}("${field}") changed nothing: the field holds something that is no ${needed}.`,
    );
  }
}

function checkField(field: string): void {
  if (typeof field === 'string' && field !== '' && field !== 'cookie' && isVisible(field)) return;
  throw new RangeError(`${JSON.stringify(field)} is no field that can be changed: give a name other than "cookie".`);
}
