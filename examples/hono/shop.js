import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createSessionwise } from 'sessionwise/hono';

const PRODUCTS = ['/lamp', '/tv', '/cable'];

const sw = createSessionwise({
  redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  secret: process.env.SESSIONWISE_SECRET ?? 'change me: 32 random characters',
  service: 'inline',
});
const app = new Hono();
app.use(sw.session());
app.use(sw.knowledge());

app.get('/cart/:product', async (c) => c.json(await c.var.session.append('cart', c.req.param('product'))));

app.get('/login/:user', async (c) => {
  const { session } = c.var;
  const user = c.req.param('user');
  // A new secret: a cookie that somebody planted before is worth nothing now.
  await session.rotate();
  await session.identify(user);
  return c.text(`Hello, ${user}`);
});

app.get('/logout', async (c) => {
  await c.var.session.destroy();
  return c.text('Good-bye');
});

app.get('*', async (c) => {
  const { session, sessionwise } = c.var;
  // `fresh` is undefined while nothing answers: then the page goes on without it.
  const fresh = await sessionwise.unseen(PRODUCTS);
  return c.json({ fresh, cart: session.cart ?? [], user: session.info()?.userId });
});

// Our errors have the status of their answer: 503 while Redis is away.
app.onError((error, c) => c.text(error.message, error.status ?? 500));

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) });

process.once('SIGTERM', () => {
  server.close();
  void sw.close();
});
