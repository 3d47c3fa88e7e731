import { spawnSync } from 'node:child_process';

/** Whether npm reaches its registry; said on the console where it does not.
 *  @throws Error instead where CI is set: there, tests that install packages must not be skipped. */
export function findRegistry(): boolean {
  // A package that ours needs, so a registry that has what an installation takes.
  const { status } = spawnSync('npm', ['view', '@redis/client', 'name', '--prefer-online', '--fetch-retries=3'], {
    timeout: 60_000,
    stdio: 'ignore',
  });
  if (status === 0) return true;
  const message = "npm's registry cannot be reached, and the package cannot be installed from its tarball";
  if (process.env.CI) throw new Error(message);
  console.warn(`TESTS OF THE INSTALLED PACKAGE ARE SKIPPED: ${message}.`);
  return false;
}
