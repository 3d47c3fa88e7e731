import { afterAll, describe } from 'vitest';
import { testClientTransport } from './client-transport.suite.ts';
import { CLUSTER, SENTINEL, share, VALKEY } from './servers-under-test.ts';
import { ALL_TRANSPORTS } from './transports-under-test.ts';

for (const servers of [VALKEY, CLUSTER, SENTINEL].filter((found) => found !== undefined)) {
  describe(`on ${servers.name}`, () => {
    const shared = share(servers);
    afterAll(() => shared.stop());
    // What crosses no server is tested once.
    for (const transport of ALL_TRANSPORTS) if (transport.crossesRedis) testClientTransport(transport, shared);
  });
}
