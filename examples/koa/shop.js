import Koa from 'koa';
import { createSessionwise } from 'sessionwise/koa';

const PRODUCTS = ['/lamp', '/tv', '/cable'];

const sw = createSessionwise({
  redis: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  secret: process.env.SESSIONWISE_SECRET ?? 'change me: 32 random characters',
  service: 'inline',
});
const app = new Koa();
app.use(sw.session());
app.use(sw.knowledge());

app.use(async (ctx) => {
  const [, verb, value] = ctx.path.split('/');
  if (verb === 'cart' && value) {
    ctx.body = await ctx.session.append('cart', value);
  } else if (verb === 'login' && value) {
    // A new secret: a cookie that somebody planted before is worth nothing now.
    await ctx.session.rotate();
    await ctx.session.identify(value);
    ctx.body = `Hello, ${value}`;
  } else if (verb === 'logout') {
    await ctx.session.destroy();
    ctx.body = 'Good-bye';
  } else {
    // `fresh` is undefined while nothing answers: then the page goes on without it.
    const fresh = await ctx.sessionwise.unseen(PRODUCTS);
    ctx.body = { fresh, cart: ctx.session.cart ?? [], user: ctx.session.info()?.userId };
  }
});

const server = app.listen(process.env.PORT ?? 3000);

process.once('SIGTERM', () => {
  server.close();
  void sw.close();
});
