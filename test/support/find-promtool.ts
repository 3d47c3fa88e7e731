import { existsSync } from 'node:fs';

/** Prometheus's `promtool`, where Debian's package `prometheus` puts it; undefined, and said on the console, where there is
 *  none.
 *  @throws Error instead where CI is set: there, checks of rules must not be skipped. */
export function findPromtool(): string | undefined {
  const found = ['/usr/bin/promtool', '/usr/local/bin/promtool'].find((file) => existsSync(file));
  if (found !== undefined) return found;
  const message = 'promtool is not installed: apt-get install prometheus';
  if (process.env.CI) throw new Error(message);
  console.warn(`CHECKS WITH PROMTOOL ARE SKIPPED. ${message}`);
  return undefined;
}
