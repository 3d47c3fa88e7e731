import { isbot } from 'isbot';

/* known-robots.ts: robots and probes are no visitors. The list is that of the package `isbot`, which is kept; who hides
 * behind a browser's name is not found. */

// Looking through the list costs microseconds, and a site sees few different names.
const MOST_REMEMBERED = 1_000;
const remembered = new Map<string, boolean>();

/** Whether a request comes from a robot, a probe or a script, by its User-Agent header. True without one: every browser
 *  sends it. */
export function isKnownRobot(userAgent: string | undefined): boolean {
  if (userAgent === undefined || userAgent === '') return true;
  const known = remembered.get(userAgent);
  if (known !== undefined) return known;
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  const isRobot = isbot(userAgent);
  remembered.set(userAgent, isRobot);
  return isRobot;
}
