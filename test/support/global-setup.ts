import { findRedisServer } from '../../src/redis/embedded/find-redis-server.ts';

/** Finds redis-server once, and installs it where it is missing, before test files look for it side by side. */
export default async function setup(): Promise<void> {
  const { path, version } = await findRedisServer();
  console.log(`Tests run on ${path} (${version}).`);
}
