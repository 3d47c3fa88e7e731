import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { FoundRecord, SessionRecords } from '../operations/session-records.ts';
import type { TokenCredential } from '../tokens/token-credential.ts';
import type { ConnectRedisImport } from './connect-redis-import.ts';
import type { ConnectRedisMirror } from './connect-redis-mirror.ts';
import { readMirrored } from './scripts/read-mirrored.ts';

/** Reads sessions that processes with connect-redis read and write too: with what those have changed, and without those that
 *  they have ended. One round trip where they have done neither. */
export class MirroredReads {
  readonly #records: SessionRecords;
  readonly #mirror: ConnectRedisMirror;
  readonly #import: ConnectRedisImport;

  constructor(records: SessionRecords, mirror: ConnectRedisMirror, takeOver: ConnectRedisImport) {
    this.#records = records;
    this.#mirror = mirror;
    this.#import = takeOver;
  }

  /** Reads a session as `SessionRecords.find` does.
   *  @throws SessionDataError where the stored data cannot be read. */
  async find(redis: BoundedOperation, credential: TokenCredential): Promise<FoundRecord> {
    const { session, token } = credential;
    const { keys } = this.#records;
    const { status, values } = await readMirrored.run(
      redis,
      { record: keys.record(session), base: keys.mirrorBase(session) },
      { mirror: this.#mirror.keyOf(token) },
    );
    const [record = null, theirs, base, leftMs = -1] = values;
    const found = await this.#records.read(redis, credential, record);
    if (!found) return this.#import.take(redis, credential);
    if (found === 'replaced' || found.byPreviousSecret) return found;
    if (status === 'destroyed') {
      await this.#mirror.end(redis, credential);
      return undefined;
    }
    if (status === 'unmirrored') await this.#mirror.copy(redis, credential);
    if (theirs && base) {
      const foreign = { theirs: theirs.toString(), base: base.toString(), leftMs };
      await this.#mirror.merge(redis, credential, found, foreign);
    }
    return found;
  }
}
