import { createHmac } from 'node:crypto';
import { aead } from './aead.ts';

/* notice-seal.ts: the names in the stream of what happens with notices. Serving processes read the stream, and have no
 * secret; consumers that send mail or push need the names of groups and subjects. So each entry has a sealed part, which only
 * those open who have the namespace's secret, under HMAC-SHA-256(secret, 'sessionwise notice events <namespace>'). The
 * event and the topics of the entry are the context: no sealed part can be moved to an entry that concerns others. */

/** Seals and opens the names in entries of one namespace. */
export class NoticeSeal {
  readonly #key: Buffer;

  /** `secret`: the namespace's. */
  constructor(secret: string, namespace: string) {
    this.#key = createHmac('sha256', secret).update(`sessionwise notice events ${namespace}`).digest();
  }

  /** Seals names, as base64url. `topics`: the field `to` of the entry. */
  close(event: string, topics: string, names: object): string {
    return aead.seal(this.#key, contextOf(event, topics), Buffer.from(JSON.stringify(names))).toString('base64url');
  }

  /** Opens what `close` made; undefined where it was sealed with another secret, or for another entry. */
  open(event: string, topics: string, sealed: string): unknown {
    const names = aead.open(this.#key, contextOf(event, topics), Buffer.from(sealed, 'base64url'));
    return names && JSON.parse(names.toString());
  }
}

function contextOf(event: string, topics: string): Buffer {
  return Buffer.from(`${event} ${topics}`);
}
