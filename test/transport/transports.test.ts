import { testClientTransport } from './client-transport.suite.ts';
import { PLAIN_REDIS } from './servers-under-test.ts';
import { INLINE, MIXED, STREAMS } from './transports-under-test.ts';

// Those over channels run with their own tests, in channel-requester.test.ts.
for (const transport of [STREAMS, MIXED, INLINE]) testClientTransport(transport, PLAIN_REDIS);
