import type { CommandConnection } from '../redis/index.ts';
import type { ExpiryOptions } from './expiry/expiry-policy.ts';
import type { SessionRecords } from './operations/session-records.ts';
import type { LoadedRecord } from './record/loaded-record.ts';
import { writeFields } from './record/session-fields.ts';
import type { TokenCredential } from './tokens/token-credential.ts';

/** Takes over sessions of connect-redis: JSON under `<prefix><token>`. Each session is read once, saved as one of
 *  ours, and deleted there, because the names of those keys are valid tokens. */
export class ConnectRedisImport {
  readonly #records: SessionRecords;
  readonly #prefix: string;

  constructor(records: SessionRecords, prefix: string) {
    this.#records = records;
    this.#prefix = prefix;
  }

  /** Takes a session over; undefined where there is none. A value that is no session is left alone. */
  async take(redis: CommandConnection, token: string, credential: TokenCredential): Promise<LoadedRecord | undefined> {
    const key = `${this.#prefix}${token}`;
    const [text, leftMs] = await Promise.all([
      redis.command<string | null>('GET', key).catch(asNoneIfOther),
      redis.command<number>('PTTL', key),
    ]);
    // Another request may have taken it over since the caller looked for it here.
    if (text === null) return this.#records.load(redis, credential);
    const values = readSession(text);
    if (!values) return undefined;
    const { fields, cookie } = writeFields(values);
    const expiry = this.#expiryOf(cookie?.expiresAt ?? 0, leftMs, values);
    const made = await this.#records.put(redis, credential, fields, expiry, 'make');
    await this.forget(redis, token);
    // Undefined: another request took it over in the same moment, and may have changed it since; or it was ended.
    return made ?? this.#records.load(redis, credential);
  }

  /** Deletes a token's session of connect-redis. Returns whether there was one. */
  async forget(redis: CommandConnection, token: string): Promise<boolean> {
    return (await redis.command<number>('DEL', `${this.#prefix}${token}`)) === 1;
  }

  // connect-redis renews the key and not `cookie.expires` within it, so the key's time to live counts. With `disableTTL`
  // the key has none and is never renewed: then the session counts as renewed now.
  #expiryOf(cookieExpiresAt: number, leftMs: number, values: object): ExpiryOptions {
    const { expiryPolicy } = this.#records;
    const { originalMaxAge } = (values as { cookie: { originalMaxAge?: unknown } }).cookie;
    const expiry =
      leftMs > 0
        ? expiryPolicy.expiryFor(Date.now() + leftMs)
        : (expiryPolicy.expiryForAge(originalMaxAge) ?? expiryPolicy.expiryFor(undefined));
    return { ...expiry, cookieExpiresAt: cookieExpiresAt === 0 ? 0 : expiry.cookieExpiresAt };
  }
}

function readSession(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isSession = typeof value === 'object' && value !== null && 'cookie' in value;
    return isSession && typeof value.cookie === 'object' && value.cookie !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function asNoneIfOther(error: Error): string {
  if (error.message.startsWith('WRONGTYPE')) return '';
  throw error;
}
