/* A process that consumes lifecycle events, to be killed in the midst. Arguments: the URL of Redis, the group. Tells each
 * event that it has in hand as a message, and is done with it a moment later. It runs what was built. */
import { setImmediate as turn } from 'node:timers/promises';
import { SessionData } from '../../dist/index.js';

const [redis, group] = process.argv.slice(2);
const data = new SessionData({ redis, sweep: false });
process.on('disconnect', () => process.exit());
for await (const event of data.lifecycle({ group, from: 'start', takeOverMs: 1_000 })) {
  process.send(event);
  await turn();
}
