// Our side of the wire's bench: the service and the client, as applications use them.
import { SessionClient } from '../dist/index.js';
import { startService } from '../dist/service/index.js';
import { DEADLINE_MS, SECRET, viewOf } from './wire-load.js';

const NAMESPACE = 'ours';

/** Starts a service for a way. */
export async function openService(redis, way) {
  const transport = way === 'streams' ? 'streams' : 'channels';
  const service = await startService({ redis, namespace: NAMESPACE, secret: SECRET, transport });
  return { close: () => service.stop() };
}

/** A client for a way: `once(i)` resolves when request `i` was answered, and rejects where it was not. */
export async function openClient(redis, way, inFlight) {
  const service =
    way === 'inline' && (await startService({ redis, namespace: NAMESPACE, secret: SECRET, transport: 'inline' }));
  const client = new SessionClient({
    redis,
    namespace: NAMESPACE,
    deadlineMs: DEADLINE_MS,
    transport: service ? service.inline : way === 'streams' ? 'streams' : 'channels',
    replies: way === 'list' || way === 'pool' ? 'list' : 'inbox',
    ...(way === 'list' && { blockingConnections: inFlight }),
  });
  let why;
  client.on('degraded', (degraded) => {
    why = degraded;
  });
  await client.ready();
  return {
    async once(i) {
      const [session, path] = viewOf(i);
      const reply = await client.request('pageview', session, path);
      if (reply === undefined) throw new Error(`${way}, ${inFlight} in flight: no answer: ${JSON.stringify(why)}`);
    },
    async close() {
      await client.close();
      if (service) await service.stop();
    },
  };
}
