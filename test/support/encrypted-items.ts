import { ItemEncryption } from '../../src/knowledge/item-encryption.ts';
import { ItemHasher } from '../../src/knowledge/item-hash.ts';
import { TEST_SECRET } from './use-test-data.ts';

const encryption = new ItemEncryption(TEST_SECRET, 'sw');
const hasher = new ItemHasher(TEST_SECRET, 'sw');

/** Items as Redis holds them, of one subject. */
export function encryptedItems(names: readonly string[]): Promise<string[]> {
  return encryption.encrypt('subject', hasher.ofAll('item', names));
}
