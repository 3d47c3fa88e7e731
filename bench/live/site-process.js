// A site that serves pages and live streams in one process. Arguments: Redis's URL, how many sessions there are.
import { once } from 'node:events';
import express from 'express';
import session from 'express-session';
import { LiveHub } from '../../dist/live/index.js';
import { createConnection } from '../../dist/redis/index.js';
import { subjectOf } from '../knowledge/inline.js';
import { GROUP, SECRET } from '../page/namespace.js';
import { render } from '../page/render.js';
import { SIDES } from '../page/sides.js';
import { serveParent } from '../support/child.js';
import { createSession, markOf } from '../support/typical-session.js';

const [url, sessions] = process.argv.slice(2);
const { store, middleware, client, totalPages, close } = await SIDES.ours(url);
const redis = await createConnection(url, 'bench-live').connect();
const hub = new LiveHub(client, redis, Date.now);

const app = express().disable('x-powered-by').disable('etag');
app.get('/live/:visitor', (request, response) => {
  hub.open(
    { subject: subjectOf('live', Number(request.params.visitor)), session: undefined, groups: [GROUP] },
    response,
  );
});
const ofSession = session({ store, secret: SECRET, resave: false, saveUninitialized: false, genid: store.genid });
app.get('/publishes/:page', ofSession, middleware.publishes, (request, response) => {
  response.send(render(request.session));
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const tokens = [];
for (let i = 0; i < Number(sessions); i += 1) tokens.push(await createSession(store, i));

serveParent(
  {
    site: () => ({ port: server.address().port, visitors: tokens.map((token, i) => ({ token, mark: markOf(i) })) }),
    async countViews() {
      const counts = await Promise.all(tokens.map(totalPages));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    streams: () => hub.size,
    /** Bytes of this process, without what could be collected. */
    memory() {
      for (let i = 0; i < 3; i += 1) global.gc();
      const { rss, heapUsed, external } = process.memoryUsage();
      return { rss, heap: heapUsed + external };
    },
  },
  async () => {
    await hub.close();
    server.close();
    server.closeAllConnections();
    redis.destroy();
    await close();
  },
);
