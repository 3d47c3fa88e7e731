/* An instance of the service that ends itself, as by SIGKILL, before its n-th command about one session and one person.
 * Arguments: the URL of Redis, the secret, the session, the user, n (0: it does not end). Tells its instance as a message,
 * and how many commands it has sent when it is asked; from then on it does not end. It runs what was built. */
import { SubjectNames } from '../../dist/knowledge/index.js';
import { personOf } from '../../dist/protocol/index.js';
import { NodeConnection } from '../../dist/redis/node/node-connection.js';
import { startService } from '../../dist/service/index.js';

const [redis, secret, session, user, last] = process.argv.slice(2);
const names = [session, new SubjectNames(secret, 'sw').of(personOf(user))];
const isAbout = (args) =>
  args.some((arg) => typeof arg === 'string' && names.some((name) => arg.includes(`:${name}:`)));
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

const service = await startService({ redis, secret, transport: 'both' });
process.send({ instance: service.instance });
process.on('message', () => {
  process.send({ sent });
  sent = Number.NEGATIVE_INFINITY;
});
const stop = async () => {
  await service.stop();
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('disconnect', stop);
