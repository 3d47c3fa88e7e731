import { checkRules } from './check-rules.ts';
import { CompiledRules } from './compiled-rules.ts';
import type { Rules } from './rules.ts';

/** Checks and compiles rules, as they were written.
 *  @throws RangeError that begins with the place of what is wrong. */
export function compileRules(rules: Rules): CompiledRules {
  return new CompiledRules(checkRules(rules));
}
