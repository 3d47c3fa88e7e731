import { printable } from './printable.ts';

/** Writes a line to standard output. What it quotes can come from anybody who may write to Redis. */
export function print(line: string): void {
  console.log(printable(line));
}
