import { existsSync, readdirSync } from 'node:fs';

/** The library of Debian's package `faketime`, which sets another clock before a process; undefined, and said on the
 *  console, where there is none.
 *  @throws Error instead where CI is set: there, tests of a clock that is set back must not be skipped. */
export function findFaketime(): string | undefined {
  const found = readdirSync('/usr/lib')
    .map((folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`)
    .find((file) => existsSync(file));
  if (found !== undefined) return found;
  const message = 'libfaketime is not installed: apt-get install faketime';
  if (process.env.CI) throw new Error(message);
  console.warn(`TESTS OF A CLOCK THAT IS SET BACK ARE SKIPPED. ${message}`);
  return undefined;
}
