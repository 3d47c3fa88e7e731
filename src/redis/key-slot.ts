import { hashSlot } from './partition.ts';

/** The slot of a key (or of a sharded channel) in Redis Cluster: that of the text between the first `{` and the next `}`
 *  where it is not empty, else that of the whole key (Cluster specification, "Hash tags"). */
export function slotOfKey(key: string | Buffer): number {
  const text = typeof key === 'string' ? key : key.toString('latin1');
  const open = text.indexOf('{');
  const close = open < 0 ? -1 : text.indexOf('}', open + 1);
  const hashed = close > open + 1 ? text.slice(open + 1, close) : text;
  return hashSlot(typeof key === 'string' ? hashed : Buffer.from(hashed, 'latin1'));
}
