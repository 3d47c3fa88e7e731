import { printable } from './printable.ts';

/** Writes a line to standard output, without control characters: it can quote data that other programs wrote to
 *  Redis. */
export function print(line: string): void {
  console.log(printable(line));
}
