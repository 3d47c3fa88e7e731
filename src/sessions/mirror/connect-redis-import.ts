import type { BoundedOperation } from '../connection/bounded-operation.ts';
import type { SessionRecords } from '../operations/session-records.ts';
import type { LoadedRecord } from '../record/loaded-record.ts';
import type { TokenCredential } from '../tokens/token-credential.ts';
import type { ConnectRedisMirror } from './connect-redis-mirror.ts';
import { expiryOfConnectRedis, readConnectRedisSession } from './connect-redis-session.ts';

/** Takes over sessions of connect-redis: JSON under `<prefix><token>`. Each session is read once and saved as one of ours.
 *  Then it is deleted there, because the names of those keys are valid tokens; with a mirror it stays, as our copy. */
export class ConnectRedisImport {
  readonly #records: SessionRecords;
  readonly #prefix: string;
  readonly #mirror: ConnectRedisMirror | undefined;

  constructor(records: SessionRecords, prefix: string, mirror?: ConnectRedisMirror) {
    this.#records = records;
    this.#prefix = prefix;
    this.#mirror = mirror;
  }

  /** Takes a session over; undefined where there is none. A value that is no session is left alone. */
  async take(redis: BoundedOperation, credential: TokenCredential): Promise<LoadedRecord | undefined> {
    const { token } = credential;
    const key = `${this.#prefix}${token}`;
    const [text, leftMs] = await Promise.all([
      redis.command<string | null>('GET', key).catch(asNoneIfOther),
      redis.command<number>('PTTL', key),
    ]);
    // Another request may have taken it over since the caller looked for it here.
    if (text === null) return this.#records.load(redis, credential);
    const there = readConnectRedisSession(text);
    if (!there) return undefined;
    const expiry = expiryOfConnectRedis(this.#records.expiryPolicy, there, leftMs);
    const make = (mode: 'make' | 'put'): Promise<LoadedRecord | undefined> =>
      this.#records.put(redis, credential, there.fields, expiry, mode);
    if (!this.#mirror) {
      const made = await make('make');
      await this.forget(redis, token);
      // Undefined: another request took it over in the same moment, and may have changed it since; or it was ended.
      return made ?? this.#records.load(redis, credential);
    }
    // Of one without a copy of ours it could not be told what connect-redis changes from now on, nor that it ends it.
    const made = await this.#mirror.along(redis, credential, () => make('make'), text);
    if (made) return made;
    // Where its time was over here, connect-redis has renewed it since; where it was ended, it stays so.
    const taken = (await this.#records.load(redis, credential)) ?? (await make('put'));
    if (taken) await this.#mirror.copy(redis, credential, text);
    else await this.forget(redis, token);
    return taken;
  }

  /** Deletes a token's session of connect-redis. Returns whether there was one. */
  async forget(redis: BoundedOperation, token: string): Promise<boolean> {
    return (await redis.command<number>('DEL', `${this.#prefix}${token}`)) === 1;
  }
}

function asNoneIfOther(error: Error): string {
  if (error.message.startsWith('WRONGTYPE')) return '';
  throw error;
}
