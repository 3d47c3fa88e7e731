import { dirname, resolve } from 'node:path';
import { type CheckedRules, checkRules, type Rules } from '../../rules/index.ts';
import { ConfigError } from './config-error.ts';
import { readJson } from './read-json.ts';

/** Reads and checks a file of rules: clusters, suggestions and segments.
 *  @throws ConfigError that names the file and the place. */
export function readRules(file: string): CheckedRules {
  const rules = readJson(file, 'The rules');
  try {
    return checkRules(rules as Rules);
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads which file of rules a configuration file names, as an absolute path, whatever is wrong with either; undefined
 *  where it names none.
 *  @throws ConfigError where it is not JSON. */
export function readNameOfRules(file: string): string | undefined {
  const value = readJson(file, 'The configuration');
  const { rules } = (value ?? {}) as { readonly rules?: unknown };
  return typeof rules === 'string' && rules !== '' ? resolve(dirname(file), rules) : undefined;
}
