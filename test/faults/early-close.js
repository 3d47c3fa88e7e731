/* Makes what holds connections and closes it again while it connects, after 0 to 10 ms. Then nothing may be left that keeps
 * this process alive. Arguments: what, with commas, and the address of Redis. It runs what was built. */
import { SessionStore } from '../../dist/adapters/express/index.js';
import { SessionClient } from '../../dist/index.js';
import { createConnection } from '../../dist/redis/index.js';
import { startService } from '../../dist/service/index.js';

const [what, redis] = process.argv.slice(2);
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const client = (options) => async (ms) => {
  const made = new SessionClient({ redis, deadlineMs: 20, ...options });
  await after(ms);
  await made.close();
};
// Asked at once: lists open a connection for a request, and an operation waits for the first connection.
const asking = (options) => async (ms) => {
  const made = new SessionClient({ redis, deadlineMs: 20, ...options });
  for (let i = 0; i < 3; i += 1) void made.session(`s${i}`).unseen(['/a']);
  await after(ms);
  await made.close();
};

const kinds = {
  client: client({}),
  'client of lists': asking({ replies: 'list' }),
  'client of streams': asking({ transport: 'streams' }),
  store: async (ms) => {
    const made = new SessionStore({ redis });
    made.get('nobody', () => {});
    await after(ms);
    await made.close();
  },
  connection: async (ms) => {
    const made = createConnection(redis);
    const another = made.duplicateFor('a key');
    made.on('lost', () => {});
    another.on('lost', () => {});
    made.open();
    another.open();
    made.subscribe('a channel', () => {}).catch(() => {});
    await after(ms);
    made.destroy();
    await another.close();
  },
  'first connect': async (ms) => {
    const made = createConnection(redis);
    void made.connect(2_000).catch(() => {});
    await after(ms);
    await made.close();
  },
  service: async () => {
    const service = await startService({ redis, secret: 'a secret of the tests, long enough', transport: 'both' });
    await service.stop();
  },
};

// All of them side by side, so that what is slow in one of them leaves the others in the middle of something.
const moments = what === 'service' ? [0, 0, 0] : [0, 1, 2, 3, 4, 5, 7, 10];
for (const ms of moments) await Promise.all(what.split(',').map((kind) => kinds[kind](ms)));
process.stdout.write('closed');
