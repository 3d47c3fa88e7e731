import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 5;
const PACE_MS = 10;

/** Polls until `holds` is true, at most `deadlineMs` (default 30,000).
 *  @throws Error with `what` where it never is. */
export async function waitUntil(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = 30_000,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Waited ${deadlineMs} ms in vain: ${what}`);
    await sleep(LOOK_MS);
  }
}

/** Pauses between two rounds of a load, so that others get their turn. It waits for nothing. */
export function pace(): Promise<void> {
  return sleep(PACE_MS);
}
