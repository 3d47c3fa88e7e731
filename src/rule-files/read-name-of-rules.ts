import { dirname, resolve } from 'node:path';
import { readJson } from './read-json.ts';

/** Reads which file of rules a configuration file names, as an absolute path, whatever is wrong with either; undefined
 *  where it names none.
 *  @throws ConfigError where it is not JSON. */
export function readNameOfRules(file: string): string | undefined {
  const value = readJson(file, 'The configuration');
  const { rules } = (value ?? {}) as { readonly rules?: unknown };
  return typeof rules === 'string' && rules !== '' ? resolve(dirname(file), rules) : undefined;
}
