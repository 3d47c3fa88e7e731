import { type CheckedRules, checkRules, type Rules } from '../rules/index.ts';
import { ConfigError } from './config-error.ts';

/** Checks rules. `source`: begins the message.
 *  @throws ConfigError that names the place. */
export function checkRulesOf(rules: unknown, source: string): CheckedRules {
  try {
    return checkRules(rules as Rules);
  } catch (error) {
    throw new ConfigError(`${source}: ${(error as Error).message}`, { cause: error });
  }
}
