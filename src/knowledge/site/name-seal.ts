import { createHmac } from 'node:crypto';
import { aead } from '../../protocol/internal/index.ts';

/** A name of pages that the site registered: of a cluster, or a path. */
export interface SiteName {
  readonly kind: 'cluster' | 'page';
  readonly name: string;
}

/** Seals and opens registered names of one namespace, each bound to the field under which it stands. Only those open them who
 *  have the secret. */
export class NameSeal {
  readonly #key: Buffer;

  /** `secret`: the namespace's. */
  constructor(secret: string, namespace: string) {
    this.#key = createHmac('sha256', secret).update(`sessionwise site names ${namespace}`).digest();
  }

  /** Seals a name, as base64url. */
  close(field: string, { kind, name }: SiteName): string {
    return aead.seal(this.#key, Buffer.from(field), Buffer.from(JSON.stringify([kind, name]))).toString('base64url');
  }

  /** Opens what `close` made; undefined where it was sealed with another secret, or for another field. */
  open(field: string, sealed: string): SiteName | undefined {
    const opened = aead.open(this.#key, Buffer.from(field), Buffer.from(sealed, 'base64url'));
    if (!opened) return undefined;
    const [kind, name] = JSON.parse(opened.toString()) as [SiteName['kind'], string];
    return { kind, name };
  }
}
