import { readFileSync } from 'node:fs';

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
  /** A page to try it with. None where a site needs more than one file: then `steps` says what to do in its place. */
  readonly example?: string;
  /** What to type next, instead of running the example. */
  readonly steps?: readonly string[];
}

function readExample(name: string): string {
  return readFileSync(new URL(`../../../examples/init/${name}.js`, import.meta.url), 'utf8');
}

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
    example: readExample('express'),
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
    example: readExample('fastify'),
  },
  {
    name: 'koa',
    title: 'Koa',
    detectedBy: 'koa',
    packages: ['koa'],
    lines: [
      "import { createSessionwise } from 'sessionwise/koa';",
      'const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });',
      'app.use(sw.session()); app.use(sw.knowledge());',
    ],
    example: readExample('koa'),
  },
  {
    name: 'hono',
    title: 'Hono',
    detectedBy: 'hono',
    packages: ['hono', '@hono/node-server'],
    lines: [
      "import { createSessionwise } from 'sessionwise/hono';",
      'const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });',
      'app.use(sw.session()); app.use(sw.knowledge());',
    ],
    example: readExample('hono'),
  },
  {
    name: 'next',
    title: 'Next.js',
    detectedBy: 'next',
    packages: ['next', 'react', 'react-dom'],
    lines: [
      "import { createSessionwise } from 'sessionwise/next'; // lib/sessionwise.js",
      'export const sw = createSessionwise({ redis: process.env.REDIS_URL, secret: process.env.SESSIONWISE_SECRET });',
      'export const session = sw.session(); export const sessionwise = sw.knowledge();',
      "import { sw } from './lib/sessionwise.js'; // proxy.js",
      'export const proxy = sw.proxy(); // and the `config` of the example beside it',
      "export default { serverExternalPackages: ['sessionwise'] }; // next.config.mjs",
    ],
    steps: ['npx next dev # reads .env by itself'],
  },
];

/** Frameworks with an adapter, by name. The first is taken where a project has none. */
export const FRAMEWORKS: ReadonlyMap<string, Framework> = new Map(FRAMEWORK_LIST.map((each) => [each.name, each]));

/** Returns the framework that a project has; undefined where it has none of them. `installed`: the names of its dependencies. */
export function detectFramework(installed: ReadonlySet<string>): Framework | undefined {
  return FRAMEWORK_LIST.find(({ detectedBy }) => installed.has(detectedBy));
}
