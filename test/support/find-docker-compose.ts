import { existsSync } from 'node:fs';

/** Debian's `docker-compose`, which checks a file without a daemon; undefined, and said on the console, where there is none.
 *  @throws Error instead where CI is set: there, the check must not be skipped. */
export function findDockerCompose(): string | undefined {
  const found = ['/usr/bin/docker-compose', '/usr/local/bin/docker-compose'].find((file) => existsSync(file));
  if (found !== undefined) return found;
  const message = 'docker-compose is not installed: apt-get install docker-compose';
  if (process.env.CI) throw new Error(message);
  console.warn(`THE CHECK OF THE COMPOSE FILE IS SKIPPED. ${message}`);
  return undefined;
}
