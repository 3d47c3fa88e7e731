import Koa from 'koa';
import { createSessionwise } from 'sessionwise/koa';

// Without `service: 'inline'` the answers come from `sessionwise serve`, which runs beside this program.
const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });

const ARTICLES = ['/articles/redis', '/articles/bloom', '/articles/cookies'];

const app = new Koa();
app.use(sw.session());
app.use(sw.knowledge());

app.use(async (ctx) => {
  if (ctx.path === '/') {
    const fresh = await ctx.sessionwise.unseen(ARTICLES); // waits 100 ms at most
    ctx.body = { newToYou: fresh ?? ARTICLES };
  } else if (ARTICLES.includes(ctx.path)) {
    ctx.body = { article: ctx.path };
  }
});

const { PORT = '3000' } = process.env;
const server = app.listen(Number(PORT), () => console.log(`The site is open: http://127.0.0.1:${PORT}`));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => sw.close()));
