// A site of one side in a process of its own. Arguments: the side, Redis's URL, how many sessions there are.
import { once } from 'node:events';
import express from 'express';
import session from 'express-session';
import { serveParent } from '../support/child.js';
import { createSession, markOf } from '../support/typical-session.js';
import { SECRET } from './namespace.js';
import { render } from './render.js';
import { SIDES } from './sides.js';

const [side, url, sessions] = process.argv.slice(2);
const { store, middleware, answers, totalPages, close } = await SIDES[side](url);
const isShown = totalPages !== undefined;

const app = express().disable('x-powered-by').disable('etag');
app.use(
  session({
    store,
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    ...(store.genid && { genid: store.genid }),
  }),
);
const mount = (path, handler) => app.get(`/${path}/:page`, ...(middleware ? [middleware[path]] : []), handler);
if (answers) {
  mount('whole', async (request, response) => {
    const answered = await answers(request);
    response.send(render(request.session, isShown ? answered : undefined));
  });
} else {
  mount('whole', (request, response) => void response.send(render(request.session)));
}
if (middleware) {
  mount('publishes', (request, response) => void response.send(render(request.session)));
  mount('waits', async (request, response) => {
    const view = await request.sessionwise.request('pageview', request.originalUrl);
    response.send(render(request.session).replace('<footer>', `<footer data-viewed="${view.totalPages}">`));
  });
}
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const tokens = [];
for (let i = 0; i < Number(sessions); i += 1) tokens.push(await createSession(store, i));

serveParent(
  {
    site: () => ({ port: server.address().port, visitors: tokens.map((token, i) => ({ token, mark: markOf(i) })) }),
    /** How many views the service has counted for all sessions; undefined where none counts. */
    async countViews() {
      if (!totalPages) return undefined;
      const counts = await Promise.all(tokens.map(totalPages));
      return counts.reduce((sum, count) => sum + count, 0);
    },
  },
  async () => {
    server.close();
    server.closeAllConnections();
    await close();
  },
);
