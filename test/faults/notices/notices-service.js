/* An instance of the service. Arguments: the URL of Redis, the secret, the transport, the session glob, n: before its n-th
 * command about notices and subjects it ends itself, as by SIGKILL (0 or none: it does not). Tells its instance as a message,
 * and how many of these commands it has sent when it is asked; from then on it does not end. With the transport `inline` it
 * asks for others too: { number, command, session, payload, deadlineMs }, and tells { number, reply }. It runs what was built. */
import { SessionClient } from '../../../dist/index.js';
import { NodeConnection } from '../../../dist/redis/node/node-connection.js';
import { startService } from '../../../dist/service/index.js';

const [redis, secret, transport, sessionglob, last = '0'] = process.argv.slice(2);
// Keys of lists, of notices, of events and of subjects; none of what comes by time.
const isAbout = (args) => args.some((arg) => typeof arg === 'string' && /\}:(@list|@notice|@live|[^@])/.test(arg));
let sent = 0;

for (const method of ['command', 'commandForBuffers']) {
  const send = NodeConnection.prototype[method];
  NodeConnection.prototype[method] = function (...args) {
    if (isAbout(args)) {
      sent += 1;
      if (sent === Number(last)) process.kill(process.pid, 'SIGKILL');
    }
    return send.apply(this, args);
  };
}

// Whoever has seen both pages is a buyer.
const segments = { buyers: { all: [{ seen: '/a' }, { seen: '/b' }] } };
const service = await startService({ redis, secret, transport, segments, sessionglob });
const client = transport === 'inline' ? new SessionClient({ redis, transport: service.inline }) : undefined;
process.on('message', async (message) => {
  if (message === 'how many?') {
    process.send({ sent });
    sent = Number.NEGATIVE_INFINITY;
    return;
  }
  const { number, command, session, payload, deadlineMs } = message;
  const reply = await client.request(command, session, payload, { deadlineMs });
  if (process.connected) process.send({ number, reply });
});
process.send({ instance: service.instance });
const stop = async () => {
  await client?.close();
  await service.stop();
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('disconnect', stop);
