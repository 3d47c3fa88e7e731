import { checkOfGroups } from '../../protocol/internal/index.ts';
import type { PageviewMode } from './page-request.ts';

/* site-answers.ts: what the functions in a middleware's options return. Their types say what, but JavaScript does not ask
 * them, and a promise counts as true: with `track: async () => false` every page would count. */

const MODES: readonly unknown[] = ['server', 'browser', 'off'] satisfies PageviewMode[];

/** Returns the answer of a function that says true or false. `owner`: the middleware's name in messages; `option`: the
 *  function's.
 *  @throws RangeError for anything else. */
export function givenBoolean(owner: string, option: string, given: unknown): boolean {
  return typeof given === 'boolean' ? given : refuseAnswer(owner, option, given, 'true or false');
}

/** Returns the token that the function `token` found; undefined for none.
 *  @throws RangeError for what is no text. */
export function givenToken(owner: string, given: unknown): string | undefined {
  if (!given) return undefined;
  return typeof given === 'string' ? given : refuseAnswer(owner, 'token', given, 'a text, or undefined');
}

/** Returns the groups that the function `groups` found.
 *  @throws RangeError for anything but names of groups. */
export function givenGroups(owner: string, given: unknown): readonly string[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) return refuseAnswer(owner, 'groups', given, 'an array of names');
  try {
    return checkOfGroups({ groups: given });
  } catch (error) {
    throw new RangeError(`${owner}: groups returned what cannot be used. ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Returns what the function `pageview` chose. `hasScript`: whether the middleware has the script for pages.
 *  @throws RangeError for anything else, and for "browser" without that script. */
export function givenMode(owner: string, given: unknown, hasScript: boolean): PageviewMode {
  if (!MODES.includes(given)) return refuseAnswer(owner, 'pageview', given, '"server", "browser" or "off"');
  if (given !== 'browser' || hasScript) return given as PageviewMode;
  throw new RangeError(
    `${owner}: pageview returned "browser", which needs the script for pages: give script: browserScript().`,
  );
}

/** Refuses an answer. `instead`: what to return.
 *  @throws RangeError always. */
export function refuseAnswer(owner: string, option: string, given: unknown, instead: string): never {
  const isPromise = given instanceof Promise;
  // The error says all that there is to say: the promise's own must not end the process.
  if (isPromise) given.catch(() => undefined);
  const shown = isPromise ? 'a promise' : `a value of type ${typeof given}`;
  throw new RangeError(`${owner}: ${option} returned ${shown}: return ${instead}.`);
}
