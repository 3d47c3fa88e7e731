import { readFileSync } from 'node:fs';
import { ConfigError } from './config-error.ts';

/** Reads a file of JSON. `what`: begins the message.
 *  @throws ConfigError that does not show what is in the file: it can be a secret. */
export function readJson(file: string, what: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${what} ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${what} ${file} is not JSON: ${describeSyntaxError(error as Error, text)}`);
  }
}

/** Says where a text is not JSON: only line and column, because the parser's message quotes the text around the fault, which
 *  can be the secret. */
export function describeSyntaxError(error: Error, text: string): string {
  const at = /position (\d+)/.exec(error.message)?.[1];
  if (at === undefined) return 'it ends too early, or holds an unexpected character.';
  const before = text.slice(0, Number(at)).split('\n');
  return `line ${before.length}, column ${before.at(-1)!.length + 1} cannot be read.`;
}
