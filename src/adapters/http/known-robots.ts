import { isbot } from 'isbot';

/* known-robots.ts: robots and probes are no visitors. The list is that of the package `isbot`, which is kept; who hides
 * behind a browser's name is not found. */

// Looking through the list costs microseconds, and a site sees few different names.
const MOST_REMEMBERED = 1_000;
// Names of browsers have some hundred characters. Of 16 KB the list takes 10 ms, and a thousand such names 16 MB.
const MOST_CHARACTERS = 1_024;
const remembered = new Map<string, boolean>();

/** Whether a request comes from a robot, a probe or a script, by the first 1,024 characters of its User-Agent header. True
 *  without one: every browser sends it. */
export function isKnownRobot(userAgent: string | undefined): boolean {
  if (userAgent === undefined || userAgent === '') return true;
  if (userAgent.length > MOST_CHARACTERS) return isbot(userAgent.slice(0, MOST_CHARACTERS));
  const known = remembered.get(userAgent);
  if (known !== undefined) return known;
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  const isRobot = isbot(userAgent);
  remembered.set(userAgent, isRobot);
  return isRobot;
}
