import { existsSync } from 'node:fs';

/** A `valkey-server`, where Debian's package puts it (suite bookworm-backports); undefined, and said on the console,
 *  where there is none.
 *  @throws Error instead where CI is set: there, tests on Valkey must not be skipped. */
export function findValkey(): string | undefined {
  const found = ['/usr/bin/valkey-server', '/usr/local/bin/valkey-server'].find((file) => existsSync(file));
  if (found !== undefined) return found;
  const message = 'valkey-server is not installed: apt-get install -t bookworm-backports valkey-server';
  if (process.env.CI) throw new Error(message);
  console.warn(`TESTS ON VALKEY ARE SKIPPED. ${message}`);
  return undefined;
}
