import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/* payload-seal.ts: payloads in streams can outlive their session in the append-only file and in dead letters, and a
 * page's path says what somebody reads. A serving layer that has the namespace's secret seals them: AES-256-GCM under
 * HMAC-SHA-256(secret, 'sessionwise stream payload <namespace>'). Nonce (12 bytes), cipher text, tag (16), in base64url.
 * Command, session and request are authenticated with it, so that no payload can be moved to another request. */

const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** A sealed payload that cannot be opened: another secret, or not what was sealed. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

interface Context {
  readonly command: string;
  readonly session: string;
  readonly request: string;
}

/** Seals and opens payloads of one namespace. */
export class PayloadSeal {
  readonly #key: Buffer;

  /** `secret`: the namespace's, the one that items are keyed with. */
  constructor(secret: string, namespace: string) {
    this.#key = createHmac('sha256', secret).update(`sessionwise stream payload ${namespace}`).digest();
  }

  close(context: Context, payload: string): string {
    const nonce = randomBytes(NONCE_LENGTH);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(bytesOf(context));
    const text = [nonce, cipher.update(payload, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(text).toString('base64url');
  }

  /** @throws SealError */
  open(context: Context, sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64url');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_LENGTH), {
        authTagLength: TAG_LENGTH,
      });
      decipher.setAAD(bytesOf(context));
      decipher.setAuthTag(bytes.subarray(-TAG_LENGTH));
      const text = decipher.update(bytes.subarray(NONCE_LENGTH, -TAG_LENGTH));
      return Buffer.concat([text, decipher.final()]).toString();
    } catch {
      throw new SealError('The payload was sealed with another secret, or is not what was sealed.');
    }
  }
}

function bytesOf({ command, session, request }: Context): Buffer {
  return Buffer.from(`${command}:${session}:${request}`);
}
