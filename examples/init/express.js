import express from 'express';
import { createSessionwise } from 'sessionwise/express';

// Without `service: 'inline'` the answers come from `sessionwise serve`, which runs beside this program.
const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });

const ARTICLES = ['/articles/redis', '/articles/bloom', '/articles/cookies'];

const app = express();
app.use(sw.session({ secret: process.env.COOKIE_SECRET }));
app.use(sw.knowledge());

app.get('/', async (request, response) => {
  const fresh = await request.sessionwise.unseen(ARTICLES); // waits 100 ms at most
  response.json({ newToYou: fresh ?? ARTICLES });
});
app.get('/articles/:name', (request, response) => {
  response.json({ article: request.params.name });
});

const { PORT = '3000' } = process.env;
const server = app.listen(Number(PORT), () => console.log(`The site is open: http://127.0.0.1:${PORT}`));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => sw.close()));
