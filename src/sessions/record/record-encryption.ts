import { createHash, hash } from 'node:crypto';
import { aead } from '../../protocol/internal/index.ts';
import { SessionDataError } from '../errors/session-data-error.ts';

/* record-encryption.ts: encryption of session data at rest, AES-256-GCM.
 *
 * An encrypted text: 4 bytes that name the key, then the output of aead.ts. Names and values are encrypted; the header is
 * not, because Redis's scripts work with it: it holds times, hashes and the user's reference. But the fields are bound to
 * it: namespace, session, secret, user and version are authenticated with them. An attacker with write access to Redis
 * can put neither another secret nor another user into a record, nor one session's data into another's.
 *
 * Not bound are the times, which Redis writes by itself at each renewal, and the previous secret, which opens nothing.
 * And a whole record that was once valid can be replayed: nothing outside Redis knows that it is old.
 *
 * The end of a session is bound by its secret: a record that waits for the archive holds its `endedSecret` in place of
 * the secret. The fields are bound to that from the beginning, so the archive can read them; but without the secret's hash
 * it cannot be turned into a living record again. */

const KEY_ID_LENGTH = 4;

/** The part of a record's header that its encrypted fields are bound to. */
export interface EncryptionContext {
  readonly session: string;
  /** SHA-256 of the secret; of an ended record its `endedSecret`. */
  readonly secret: Buffer;
  readonly ended?: boolean;
  /** A `userReference`. */
  readonly user: string | undefined;
  /** Version of the record that holds the encrypted text. */
  readonly version: number;
}

/** Encrypts with the first key and decrypts with any of them. To change keys, put the new one in front and drop the
 *  last when the sessions that it encrypted have expired. */
export class RecordEncryption {
  /** Whether plain data may be read as well. */
  readonly acceptsPlain: boolean;
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #currentId: string;
  readonly #namespace: string;

  /** `keys`: 32 bytes each, as a Buffer, or as text in base64, base64url or hex.
   *  @throws RangeError for an invalid key. */
  constructor(keys: readonly (string | Uint8Array)[], namespace: string, acceptsPlain = false) {
    const read = keys.map((key, i) => {
      const bytes =
        typeof key === 'string' ? keyFromText(key) : key instanceof Uint8Array ? Buffer.from(key) : undefined;
      if (bytes?.length !== 32) {
        throw new RangeError(
          `encryption.keys[${i}] is no key: give 32 random bytes, as a Buffer, in base64 or in hex.`,
        );
      }
      return bytes;
    });
    if (read.length === 0) throw new RangeError('encryption.keys is empty: give at least one key.');
    this.#keys = new Map(read.map((key) => [idOf(key), key]));
    this.#currentId = idOf(read[0]!);
    this.#namespace = namespace;
    this.acceptsPlain = acceptsPlain;
  }

  /** Encrypts a session's packed fields. */
  encrypt(owner: EncryptionContext, plain: Buffer): Buffer {
    const encrypted = aead.seal(this.#keys.get(this.#currentId)!, this.#context(owner), plain);
    return Buffer.concat([Buffer.from(this.#currentId, 'latin1'), encrypted]);
  }

  /** Decrypts the output of `encrypt`.
   *  @throws SessionDataError where the key is missing, or the text was changed or belongs to another record. */
  decrypt(owner: EncryptionContext, encrypted: Buffer): Buffer {
    const id = encrypted.toString('latin1', 0, KEY_ID_LENGTH);
    const key = this.#keys.get(id);
    if (!key) {
      throw new SessionDataError(
        `The data of session ${owner.session} were sealed with another key (${Buffer.from(id, 'latin1').toString('hex')}): add it to encryption.keys, behind the current one.`,
      );
    }
    const plain = aead.open(key, this.#context(owner), encrypted.subarray(KEY_ID_LENGTH));
    if (plain) return plain;
    throw new SessionDataError(
      `The sealed data of session ${owner.session} were changed, or belong to another session.`,
    );
  }

  // No part can hold the separator: a namespace and a session have no control characters, the rest is of our making.
  #context({ session, secret, ended = false, user = '', version }: EncryptionContext): Buffer {
    const mark = (ended ? secret : endedSecret(secret)).toString('latin1');
    return Buffer.from(`sessionwise session data\0${this.#namespace}\0${session}\0${mark}\0${user}\0${version}`);
  }
}

/** The mark that an ended record holds in place of its secret's hash, as the script `finish` makes it: 32 characters of
 *  SHA-1, because Redis's scripts can compute no other hash. It cannot be reversed: the secret's hash has 256 random
 *  bits. */
export function endedSecret(secret: Buffer): Buffer {
  return Buffer.from(hash('sha1', secret, 'hex').slice(0, 32));
}

function keyFromText(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  // Buffer reads base64 and base64url alike.
  return /^[\w+/-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function idOf(key: Buffer): string {
  return createHash('sha256').update('sessionwise key\0').update(key).digest().toString('latin1', 0, KEY_ID_LENGTH);
}
