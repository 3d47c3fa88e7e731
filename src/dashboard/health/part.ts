import { sentenceOf } from '../sentence-of.ts';

/** A part of a page: its value, or why there is none. Parts fail alone: a user of Redis who may not read one sees the
 *  others. */
export type Part<Value> = { readonly value: Value } | { readonly trouble: string };

/** Reads a part. Never throws. */
export async function partOf<Value>(read: () => Promise<Value>): Promise<Part<Value>> {
  try {
    return { value: await read() };
  } catch (error) {
    return { trouble: sentenceOf(error) };
  }
}
