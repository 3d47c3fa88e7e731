import { isObject } from '../protocol/internal/index.ts';
import { type CheckedRules, RULES_FIELDS } from '../rules/index.ts';
import { checkRulesOf } from './check-rules-of.ts';
import { readJson } from './read-json.ts';
import { readNameOfRules } from './read-name-of-rules.ts';
import { readRules } from './read-rules.ts';

/** Reads the rules of a configuration file: those of the file of rules that it names, else its own. What else stands in it is
 *  not looked at.
 *  @throws ConfigError that names the file and the place. */
export function readRulesOfConfig(config: string): CheckedRules {
  const named = readNameOfRules(config);
  if (named !== undefined) return readRules(named);
  const value = readJson(config, 'The configuration');
  const given = isObject(value) ? value : {};
  const own = Object.entries(given).filter(([name]) => (RULES_FIELDS as readonly string[]).includes(name));
  return checkRulesOf(Object.fromEntries(own), config);
}
