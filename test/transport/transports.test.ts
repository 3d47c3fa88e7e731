import { describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/transport/transport-names.ts';
import { testClientTransport } from './client-transport.suite.ts';
import { PLAIN_REDIS } from './servers-under-test.ts';
import { ALL_TRANSPORTS, CHANNELS_INBOX, CHANNELS_LIST } from './transports-under-test.ts';

describe('the transports under test', () => {
  it('have each route of requests', () => {
    const routes = new Set(ALL_TRANSPORTS.flatMap((transport) => transport.routes));
    expect([...routes].sort()).toEqual([...ROUTES].sort());
  });
});

// Those over channels run with their own tests, in channel-requester.test.ts.
for (const transport of ALL_TRANSPORTS) {
  if (transport !== CHANNELS_INBOX && transport !== CHANNELS_LIST) testClientTransport(transport, PLAIN_REDIS);
}
