import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { MirrorWrites } from '../operations/mirror-writes.ts';
import type { SessionRecords } from '../operations/session-records.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import type { ResolvedReference } from '../tokens/session-reference.ts';
import { expiryOfConnectRedis, readConnectRedisSession } from './connect-redis-session.ts';
import { foreignChanges } from './foreign-changes.ts';
import type { MirrorCounters } from './mirror-counters.ts';
import type { MirrorFailures } from './mirror-failures.ts';
import { copyToMirror } from './scripts/copy-to-mirror.ts';
import { dropMirror } from './scripts/drop-mirror.ts';

/* connect-redis-mirror.ts: connect-redis' record of each session, beside ours.
 *
 * A script copies our record as it is in Redis by then, so a copy can neither be older than the record nor bring back a
 * session that has ended; it is sent right behind the write, in the same round trip. Beside the copy stands what we wrote
 * last (`base`). Where the copy is another one now, a process with connect-redis has written it: what it has changed since
 * is merged, field by field. Where the copy is gone and the base is not, that process has ended the session.
 *
 * One slot only: in a Cluster a session and its copy lie on two masters, and nothing could be said of both at once. */

/** How often a copy is tried again because connect-redis has written in between. */
const MOST_TRIES = 5;

type EndSession = (redis: BoundedOperation, reference: ResolvedReference) => Promise<unknown>;

/** Keeps connect-redis' record of each session: JSON under `<prefix><token>`. */
export class ConnectRedisMirror implements MirrorWrites {
  readonly #records: SessionRecords;
  readonly #prefix: string;
  readonly #failures: MirrorFailures;
  readonly #endSession: EndSession;
  #copied = 0;
  #merged = 0;
  #ended = 0;

  /** `endSession` ends a session that a process with connect-redis has ended. */
  constructor(records: SessionRecords, prefix: string, failures: MirrorFailures, endSession: EndSession) {
    this.#records = records;
    this.#prefix = prefix;
    this.#failures = failures;
    this.#endSession = endSession;
  }

  get counters(): MirrorCounters {
    return { copied: this.#copied, failed: this.#failures.count, merged: this.#merged, ended: this.#ended };
  }

  /** The key of connect-redis' record. */
  keyOf(token: string): string {
    return `${this.#prefix}${token}`;
  }

  /** See MirrorWrites. `seen`: as for `copy`. */
  async along<Result>(
    redis: BoundedOperation,
    reference: ResolvedReference,
    work: () => Promise<Result>,
    seen = '',
  ): Promise<Result> {
    const working = work();
    const copying = this.copy(redis, reference, seen);
    const sent = redis.sentCommands;
    const result = await working;
    await copying;
    // Work of several steps has written behind the copy.
    if (redis.sentCommands !== sent) await this.copy(redis, reference, seen);
    return result;
  }

  async drop(redis: BoundedOperation, session: string): Promise<void> {
    await dropMirror.run(redis, this.#keysOf(session), {});
  }

  /** Copies a session as it is now, and merges first what connect-redis has changed. `seen`: its record as it was merged;
   *  default: none was. Never fails: a failure is counted and told. */
  async copy(redis: BoundedOperation, reference: ResolvedReference, seen = ''): Promise<void> {
    try {
      await this.#copy(redis, reference, seen);
    } catch (error) {
      // The caller has an error then, about the session itself.
      if (!redis.isExpired) this.#failures.add(error);
    }
  }

  /** Takes what connect-redis has changed into a loaded session, and copies that. Never fails, as `copy`. */
  async merge(
    redis: BoundedOperation,
    reference: ResolvedReference,
    loaded: LoadedRecord,
    foreign: ForeignWrite,
  ): Promise<void> {
    try {
      await this.#merge(redis, reference, loaded, foreign);
      await this.#copy(redis, reference, foreign.theirs);
    } catch (error) {
      if (!redis.isExpired) this.#failures.add(error);
    }
  }

  /** Ends a session here that connect-redis has ended.
   *  @throws StoreUnavailableError: the session must not be served then. */
  async end(redis: BoundedOperation, reference: ResolvedReference): Promise<void> {
    this.#ended += 1;
    await this.#endSession(redis, reference);
  }

  async #copy(redis: BoundedOperation, reference: ResolvedReference, seenBefore: string): Promise<void> {
    const { session, hash, token } = reference;
    const { absoluteMs } = this.#records.settings;
    let seen = seenBefore;
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const args = { mirror: token === undefined ? '' : this.keyOf(token), secretHash: hash ?? '', seen, absoluteMs };
      const { status, values } = await copyToMirror.run(redis, this.#keysOf(session), args);
      if (status === 'done') this.#copied += 1;
      if (status === 'destroyed') await this.end(redis, { session, hash: undefined });
      if (status !== 'foreign') return;
      const [theirs = '', base = '', leftMs = -1] = values;
      const latest = await this.#records.load(redis, { session, hash: undefined });
      if (latest) await this.#merge(redis, { session, hash: undefined }, latest, { theirs, base, leftMs });
      seen = theirs;
    }
  }

  async #merge(
    redis: BoundedOperation,
    reference: ResolvedReference,
    loaded: LoadedRecord,
    { theirs, base, leftMs }: ForeignWrite,
  ): Promise<void> {
    const their = readConnectRedisSession(theirs);
    if (!their) return;
    const before = readConnectRedisSession(base)?.fields ?? new Map<string, string>();
    const { settings, expiryPolicy } = this.#records;
    const changes = foreignChanges(before, their.fields, loaded.fields, settings.integerDeltas);
    const expiry = expiryOfConnectRedis(expiryPolicy, their, leftMs);
    await this.#records.change(redis, reference, loaded, changes, expiry);
    this.#merged += 1;
  }

  #keysOf(session: string): { readonly record: string; readonly base: string } {
    const { keys } = this.#records;
    return { record: keys.record(session), base: keys.mirrorBase(session) };
  }
}

/** What connect-redis has written since our last copy. */
export interface ForeignWrite {
  readonly theirs: string;
  /** Our last copy. */
  readonly base: string;
  /** Time to live of their record, in milliseconds; below 0: none. */
  readonly leftMs: number;
}
