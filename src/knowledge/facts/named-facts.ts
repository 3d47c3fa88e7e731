import type { ItemEncryption } from '../item-encryption.ts';
import type { ItemHash } from '../item-hash.ts';
import { type Fact, type StoredFact, writeFacts } from './fact-section.ts';

/** Decrypts the names of a subject's facts. */
export async function decryptFacts(
  encryption: ItemEncryption,
  subject: string,
  facts: readonly StoredFact[],
): Promise<ReadonlyMap<ItemHash, Fact>> {
  if (facts.length === 0) return new Map();
  const names = await encryption.decrypt(subject, Buffer.concat(facts.map(({ key }) => key)));
  return new Map(names.map((name, i) => [name, facts[i]!]));
}

/** Encrypts the names of facts for a subject. */
export async function encryptFacts(
  encryption: ItemEncryption,
  subject: string,
  facts: ReadonlyMap<ItemHash, Fact>,
): Promise<StoredFact[]> {
  if (facts.size === 0) return [];
  const keys = await encryption.encrypt(subject, [...facts.keys()]);
  return [...facts.values()].map((fact, i) => ({ ...fact, key: Buffer.from(keys[i]!, 'latin1') }));
}

/** Writes facts as a section for a subject. */
export async function sectionOfFacts(
  encryption: ItemEncryption,
  subject: string,
  facts: ReadonlyMap<ItemHash, Fact>,
): Promise<Buffer> {
  return writeFacts(await encryptFacts(encryption, subject, facts));
}
