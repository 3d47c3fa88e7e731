import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/* aead.ts: AES-256-GCM for what lies in Redis: payloads in streams and session data.
 *
 * Each context has a key of its own, HMAC-SHA-256 of the context under the given key. With random nonces of 96 bits one
 * key may seal 2^32 texts (NIST SP 800-38D, 8.3), which a busy site reaches in weeks. A context here is one request, or
 * one version of one session, so a key seals one text and, where something is tried again, a few.
 *
 * Sealed: 12 bytes of nonce, the cipher text, 16 of tag. The context is authenticated too. */

const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** Seals and opens texts that are bound to a context. Keys have 32 bytes. */
export const aead = {
  /** Seals `plain`. */
  seal(key: Buffer, context: Buffer, plain: Buffer): Buffer {
    const nonce = randomBytes(NONCE_LENGTH);
    const cipher = createCipheriv('aes-256-gcm', keyFor(key, context), nonce);
    cipher.setAAD(context);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  },

  /** Opens what `seal` made. Undefined where it was not made with this key and context, or was changed. */
  open(key: Buffer, context: Buffer, sealed: Buffer): Buffer | undefined {
    if (sealed.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
    const nonce = sealed.subarray(0, NONCE_LENGTH);
    const decipher = createDecipheriv('aes-256-gcm', keyFor(key, context), nonce, { authTagLength: TAG_LENGTH });
    decipher.setAAD(context);
    decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
    const plain = decipher.update(sealed.subarray(NONCE_LENGTH, -TAG_LENGTH));
    try {
      return Buffer.concat([plain, decipher.final()]);
    } catch {
      return undefined;
    }
  },
};

function keyFor(key: Buffer, context: Buffer): Buffer {
  return createHmac('sha256', key).update(context).digest();
}
