import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createSessionwise } from 'sessionwise/hono';

// Without `service: 'inline'` the answers come from `sessionwise serve`, which runs beside this program.
const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });

const ARTICLES = ['/articles/redis', '/articles/bloom', '/articles/cookies'];

const app = new Hono();
app.use(sw.session());
app.use(sw.knowledge());

app.get('/', async (c) => {
  const fresh = await c.var.sessionwise.unseen(ARTICLES); // waits 100 ms at most
  return c.json({ newToYou: fresh ?? ARTICLES });
});
app.get('/articles/:name', (c) => c.json({ article: c.req.param('name') }));

const { PORT = '3000' } = process.env;
const server = serve({ fetch: app.fetch, port: Number(PORT) }, () =>
  console.log(`The site is open: http://127.0.0.1:${PORT}`),
);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => sw.close()));
