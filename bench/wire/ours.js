// Our side of the wire: the service and the client, as applications use them.
import { SessionClient } from 'sessionwise';
import { startService } from 'sessionwise/service';
import { DEADLINE_MS, NAMESPACE, requestOf, SECRET } from './load.js';

/** Starts a service for a way. Its sweep is no request's. */
export async function openService(redis, { way }) {
  const transport = way === 'streams' ? 'streams' : way === 'inline' ? 'inline' : 'channels';
  const service = await startService({
    redis,
    namespace: NAMESPACE,
    secret: SECRET,
    transport,
    sessions: { sweep: false },
  });
  return { inline: service.inline, close: () => service.stop() };
}

/** A client for a way: `once(i, kind)` resolves when request `i` was answered, and rejects where it was not. */
export async function openClient(redis, { way, inFlight, sessions }) {
  const service = way === 'inline' ? await openService(redis, { way }) : undefined;
  const client = new SessionClient({
    redis,
    namespace: NAMESPACE,
    deadlineMs: DEADLINE_MS,
    transport: service ? service.inline : way === 'streams' ? 'streams' : 'channels',
    replies: way === 'list' ? 'list' : 'inbox',
    ...(way === 'list' && { blockingConnections: inFlight }),
  });
  let why;
  client.on('degraded', (degraded) => {
    why = degraded;
  });
  await client.ready();
  return {
    async once(i, kind) {
      const reply = await client.request(...requestOf(kind, i, sessions));
      if (reply === undefined) throw new Error(`${way}, ${inFlight} in flight: no answer: ${JSON.stringify(why)}`);
    },
    async close() {
      await client.close();
      await service?.close();
    },
  };
}
