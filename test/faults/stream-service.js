/* An instance of the service that works off streams, with one more command: `log` writes into a list of its session, so
 * that a test sees what was done, how often, in which order and when.
 * Arguments: the URL of Redis, the secret, the transport. Tells its instance as a message. It runs what was built.
 *
 * The payload is `<what> <more>`: `abort` ends the process, `throw` fails, `hang` never ends, `late` takes 150 ms, `break`
 * writes and then fails in Redis; all else is written down with the time behind it. */
import { COMMAND_NAMES } from '../../dist/protocol/index.js';
import { Keys, makeStep, Script } from '../../dist/redis/index.js';
import { handlers } from '../../dist/service/commands/index.js';
import { startService } from '../../dist/service/index.js';

const LATE_MS = 150;

const [redis, secret, transport] = process.argv.slice(2);
const keys = new Keys('sw');

// Input: KEYS list; ARGV payload. Output: how long the list is.
const append = new Script(`
local time = redis.call('TIME')
return redis.call('RPUSH', KEYS[1], ARGV[1] .. ' ' .. time[1] * 1000 + math.floor(time[2] / 1000))`);
// The same, then a command that the key's type does not have.
const half = new Script("redis.call('RPUSH', KEYS[1], ARGV[1]) return redis.call('INCR', KEYS[1])");

// Over channels an instance subscribes to the commands of the table.
COMMAND_NAMES.push('log');
handlers.log = {
  parse: (payload) => payload,
  items: () => 0,
  async run(_context, { subject }, payload, apply) {
    const [what] = payload.split(' ');
    if (what === 'abort') process.abort();
    if (what === 'throw') throw new Error('This request cannot be served.');
    if (what === 'hang') await new Promise(() => {});
    if (what === 'late') await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    // In the slot of the session's other keys.
    const key = `${keys.subject(subject)}-log`;
    return apply(makeStep(what === 'break' ? half : append, [key], [payload], (length) => length));
  },
};

const service = await startService({ redis, secret, transport });
process.send({ instance: service.instance });
const stop = async () => {
  await service.stop();
  process.exit(0);
};
process.once('SIGTERM', stop);
process.once('disconnect', stop);
