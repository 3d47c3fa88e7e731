import type { SessionClient } from '../../src/index.ts';
import { waitUntil } from './wait-until.ts';

/** Waits until a client sends what a page asks at once as one message: it has heard the service's heartbeats. */
export function untilTogether(client: SessionClient): Promise<void> {
  return waitUntil('it sends questions together', async () => {
    const { messages } = client.counters;
    const page = client.session('warm');
    await Promise.all([page.figures(), page.suggestions()]);
    return client.counters.messages === messages + 1;
  });
}
