import type { CheckedRules } from '../rules/index.ts';
import { checkRulesOf } from './check-rules-of.ts';
import { readJson } from './read-json.ts';

/** Reads and checks a file of rules: clusters, suggestions and segments.
 *  @throws ConfigError that names the file and the place. */
export function readRules(file: string): CheckedRules {
  return checkRulesOf(readJson(file, 'The rules'), file);
}
