import Fastify from 'fastify';
import { createSessionwise } from 'sessionwise/fastify';

// Without `service: 'inline'` the answers come from `sessionwise serve`, which runs beside this program.
const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });

const ARTICLES = ['/articles/redis', '/articles/bloom', '/articles/cookies'];

const app = Fastify();
app.register(sw.session, { secret: process.env.COOKIE_SECRET });
app.register(sw.knowledge);
app.addHook('onClose', () => sw.close());

app.get('/', async (request) => {
  const fresh = await request.sessionwise.unseen(ARTICLES); // waits 100 ms at most
  return { newToYou: fresh ?? ARTICLES };
});
app.get('/articles/:name', async (request) => ({ article: request.params.name }));

const { PORT = '3000' } = process.env;
await app.listen({ port: Number(PORT) });
console.log(`The site is open: http://127.0.0.1:${PORT}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close());
