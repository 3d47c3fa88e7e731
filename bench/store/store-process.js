// One side in a process of its own: its store, and pages that use it. Arguments: the side, Redis's URL, how many sessions
// there are.
import { once as event } from 'node:events';
import express from 'express';
import { serveParent } from '../support/child.js';
import { markOf } from '../support/typical-session.js';
import { runFor, speedOf } from '../support/window.js';
import { STORE_OPERATIONS } from './operations.js';
import { loadSessions, openSide, seedSessions } from './sides.js';

const [side, url, sessions] = process.argv.slice(2);
const { store, eager, middleware, close } = await openSide(side, url);
const tokens = await seedSessions(store, Number(sessions));
const eagerTokens = eager === store ? tokens : await seedSessions(eager, Number(sessions));
const stage = { store, eager, tokens, eagerTokens };
const server = servePages();
await event(server, 'listening');
const prepared = {};

serveParent(
  {
    async run({ operation, ms, inFlight }) {
      prepared[operation] ??= await STORE_OPERATIONS[operation](stage);
      const { once, check } = prepared[operation];
      const found = await runFor({ ms, inFlight, once });
      await check?.();
      return { ...speedOf(found), count: found.count };
    },
    site: () => ({ port: server.address().port, visitors: tokens.map((token, i) => ({ token, mark: markOf(i) })) }),
    /** How many views the sessions' own counters have seen. */
    async countViews() {
      const all = await loadSessions(store, tokens);
      return all.reduce((sum, { views }) => sum + views, 0);
    },
  },
  async () => {
    server.close();
    server.closeAllConnections();
    await close();
  },
);

function servePages() {
  const application = express().disable('x-powered-by').disable('etag');
  application.use(middleware);
  application.get('/reads/:page', ({ session }, response) => void response.send(render(session)));
  application.get('/writes/:page', ({ session }, response) => {
    session.views += 1;
    response.send(render(session));
  });
  return application.listen(0, '127.0.0.1');
}

function render({ user, cart, theme, language, csrf, views }) {
  const lines = cart.map(({ id, n }) => `<li>${n} x ${id}</li>`).join('');
  return `<!doctype html><html lang="${language}" class="${theme}"><body data-user="${user.id}"><h1>Hello ${user.name}</h1>
<ul>${lines}</ul><p>Page ${views} of your visit.</p><form><input name="csrf" value="${csrf}"></form></body></html>
`;
}
