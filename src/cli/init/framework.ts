/** A framework that has an adapter. */
export interface Framework {
  /** As `--framework` takes it. */
  readonly name: string;
  /** For messages. */
  readonly title: string;
  /** The package by which a project is known to use it. */
  readonly detectedBy: string;
  /** What a site needs beside sessionwise. */
  readonly packages: readonly string[];
  /** What a site that is there already puts into its code. */
  readonly lines: readonly string[];
  /** A page to try it with. */
  readonly example: string;
}

const CREATE = `// Without \`service: 'inline'\` the answers come from \`sessionwise serve\`, which runs beside this program.
const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });

const ARTICLES = ['/articles/redis', '/articles/bloom', '/articles/cookies'];`;

const FRAMEWORK_LIST: readonly Framework[] = [
  {
    name: 'express',
    title: 'Express',
    detectedBy: 'express',
    packages: ['express', 'express-session'],
    lines: [
      "import { createSessionwise } from 'sessionwise/express';",
      'const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });',
      'app.use(sw.session({ secret: process.env.COOKIE_SECRET }), sw.knowledge());',
    ],
    example: `import express from 'express';
import { createSessionwise } from 'sessionwise/express';

${CREATE}

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
const server = app.listen(Number(PORT), () => console.log(\`The site is open: http://127.0.0.1:\${PORT}\`));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => sw.close()));
`,
  },
  {
    name: 'fastify',
    title: 'Fastify',
    detectedBy: 'fastify',
    packages: ['fastify', '@fastify/cookie', '@fastify/session'],
    lines: [
      "import { createSessionwise } from 'sessionwise/fastify';",
      'const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });',
      'app.register(sw.session, { secret: process.env.COOKIE_SECRET }); app.register(sw.knowledge);',
    ],
    example: `import Fastify from 'fastify';
import { createSessionwise } from 'sessionwise/fastify';

${CREATE}

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
console.log(\`The site is open: http://127.0.0.1:\${PORT}\`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close());
`,
  },
];

/** Frameworks with an adapter, by name. The first is taken where a project has none. */
export const FRAMEWORKS: ReadonlyMap<string, Framework> = new Map(FRAMEWORK_LIST.map((each) => [each.name, each]));

/** Returns the framework that a project has; undefined where it has none of them. `installed`: the names of its dependencies. */
export function detectFramework(installed: ReadonlySet<string>): Framework | undefined {
  return FRAMEWORK_LIST.find(({ detectedBy }) => installed.has(detectedBy));
}
