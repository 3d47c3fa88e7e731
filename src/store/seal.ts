import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { SessionDataError } from './store-errors.ts';

/* seal.ts: encryption of session data at rest, AES-256-GCM.
 *
 * A sealed text: 4 bytes that tell the key, 12 of a random nonce, the cipher text, 16 of the tag. The namespace and the
 * session are authenticated with it, so that nobody who can write to Redis gives one session another's data. Names and
 * values are sealed; the header is not: it holds times, hashes and the user's reference. */

const KEY_ID_LENGTH = 4;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** Seals with the first key and opens with whichever it was: put a new key in front, and drop the last when what it
 *  sealed has expired. */
export class Seal {
  readonly #keys: ReadonlyMap<string, Buffer>;
  readonly #currentId: string;
  readonly #namespace: string;

  /** `keys`: 32 bytes each, as a Buffer, or as text in base64, base64url or hex.
   *  @throws RangeError for what is no key. */
  constructor(keys: readonly (string | Uint8Array)[], namespace: string) {
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
  }

  /** Seals a session's packed fields. */
  close(session: string, plain: Buffer): Buffer {
    const nonce = randomBytes(NONCE_LENGTH);
    const cipher = createCipheriv('aes-256-gcm', this.#keys.get(this.#currentId)!, nonce);
    cipher.setAAD(this.#context(session));
    const text = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.from(this.#currentId, 'latin1'), nonce, text, cipher.getAuthTag()]);
  }

  /** Opens what `close` made.
   *  @throws SessionDataError where the key is not here, or the text is not what was sealed. */
  open(session: string, sealed: Buffer): Buffer {
    const id = sealed.toString('latin1', 0, KEY_ID_LENGTH);
    const key = this.#keys.get(id);
    if (!key) {
      throw new SessionDataError(
        `The data of session ${session} were sealed with another key (${Buffer.from(id, 'latin1').toString('hex')}): add it to encryption.keys, behind the current one.`,
      );
    }
    const nonce = sealed.subarray(KEY_ID_LENGTH, KEY_ID_LENGTH + NONCE_LENGTH);
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_LENGTH });
      decipher.setAAD(this.#context(session));
      decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
      return Buffer.concat([
        decipher.update(sealed.subarray(KEY_ID_LENGTH + NONCE_LENGTH, -TAG_LENGTH)),
        decipher.final(),
      ]);
    } catch {
      throw new SessionDataError(`The sealed data of session ${session} were changed by somebody, or are another's.`);
    }
  }

  #context(session: string): Buffer {
    return Buffer.from(`sessionwise ${this.#namespace} ${session}`);
  }
}

function keyFromText(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  // Buffer reads base64 and base64url alike.
  return /^[\w+/-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function idOf(key: Buffer): string {
  return createHash('sha256').update('sessionwise key\0').update(key).digest().toString('latin1', 0, KEY_ID_LENGTH);
}
