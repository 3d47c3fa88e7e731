/* A process of the serving layer: an Express app on a SessionStore, to be killed while it saves.
 * Arguments: the URL of Redis, the namespace. Tells its port as a message. It runs what was built. */
import express from 'express';
import session from 'express-session';
import { SessionStore } from '../../dist/adapters/express/index.js';

const [redis, namespace] = process.argv.slice(2);
const store = new SessionStore({ redis, namespace, deadlineMs: 10_000 });
const app = express();
app.use(
  session({ store, genid: store.genid, secret: 'a secret of the tests', resave: false, saveUninitialized: false }),
);

// Two fields of one save, which nobody may see apart.
app.post('/pair/:n', (request, response) => {
  const { n } = request.params;
  request.session.first = n;
  request.session.padding = 'x'.repeat(Number(n) % 5_000);
  request.session.second = n;
  request.session.save((error) => response.status(error ? 503 : 200).json({}));
});
app.post('/count', async (request, response) => {
  response.json({ count: await request.session.increment('count') });
});
app.post('/login/:user', async (request, response) => {
  await request.session.rotate();
  await request.session.identify(request.params.user);
  response.json({});
});

const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());
