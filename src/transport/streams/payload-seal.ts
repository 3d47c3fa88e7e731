import { createHmac } from 'node:crypto';
import { aead } from '../../protocol/internal/index.ts';
import { PayloadDecryptionError } from './payload-decryption-error.ts';

/* payload-seal.ts: payloads in streams can outlive their session in the append-only file and in dead letters, and a
 * page's path tells what a visitor reads. A serving layer that has the namespace's secret seals them under
 * HMAC-SHA-256(secret, 'sessionwise stream payload <namespace>'), in base64url. Command, session and request are the
 * context: no payload can be moved to another request, and each request has a key of its own (aead.ts). */

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
    return aead.seal(this.#key, bytesOf(context), Buffer.from(payload)).toString('base64url');
  }

  /** @throws PayloadDecryptionError */
  open(context: Context, sealed: string): string {
    const payload = aead.open(this.#key, bytesOf(context), Buffer.from(sealed, 'base64url'));
    if (payload) return payload.toString();
    throw new PayloadDecryptionError('The payload was sealed with another secret, or is not what was sealed.');
  }
}

function bytesOf({ command, session, request }: Context): Buffer {
  return Buffer.from(`${command}:${session}:${request}`);
}
