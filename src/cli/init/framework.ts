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
  /** A page to try it with. */
  readonly example: string;
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
];

/** Frameworks with an adapter, by name. The first is taken where a project has none. */
export const FRAMEWORKS: ReadonlyMap<string, Framework> = new Map(FRAMEWORK_LIST.map((each) => [each.name, each]));

/** Returns the framework that a project has; undefined where it has none of them. `installed`: the names of its dependencies. */
export function detectFramework(installed: ReadonlySet<string>): Framework | undefined {
  return FRAMEWORK_LIST.find(({ detectedBy }) => installed.has(detectedBy));
}
