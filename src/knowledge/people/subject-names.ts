import { createHmac, hkdfSync } from 'node:crypto';
import { isPerson } from '../../protocol/index.ts';
import { partitionOf } from '../../redis/index.ts';
import { HotCache } from '../hot-cache.ts';

/* subject-names.ts: the names of subjects in keys. A session's is its id. Whoever knows a user id can make the id of the
 * person, so a person's keys have another name, which only the service can make: a dump and a list of all user ids link
 * nobody. It lies in the partition of the id, because a request that came over a stream commits there. */

const HASH_CHARACTERS = 23;
const SUFFIXES = 36 * 36;

/** Names subjects in keys. */
export class SubjectNames {
  readonly #key: Buffer;
  readonly #names = new HotCache<string>(20_000, (person) => this.#nameOf(person));

  constructor(secret: string, namespace: string) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, namespace, 'sessionwise people', 32));
  }

  /** The name of a session's or person's keys. */
  of(subject: string): string {
    return isPerson(subject) ? this.#names.of(subject) : subject;
  }

  #nameOf(person: string): string {
    const digest = createHmac('sha256', this.#key).update(person).digest('hex');
    const hash = BigInt(`0x${digest}`).toString(36).padStart(50, '0').slice(-HASH_CHARACTERS);
    const partition = partitionOf(person);
    for (let i = 0; i < SUFFIXES; i += 1) {
      const name = `${hash}${i.toString(36).padStart(2, '0')}_`;
      if (partitionOf(name) === partition) return name;
    }
    // Of 1,296 names 20 lie in each partition: CRC16 spreads the last two characters evenly.
    throw new Error('No name lies in the partition of the person.');
  }
}
