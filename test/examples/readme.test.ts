import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* README's first examples, as they stand: but for Redis's address and the port nothing of them is changed. Each is one
 * process, with the service in it. They import the built package, by name. */

const ROOT = join(import.meta.dirname, '../..');
const PACKAGES = ['express', 'express-session', 'fastify', '@fastify/session', '@fastify/cookie', '@types'];
const START_DEADLINE_MS = 30_000;
const ARTICLES = ['/articles/redis', '/articles/bloom', '/articles/cookies'];

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const blocks = Array.from(README.matchAll(/^```js\n([\s\S]*?)^```$/gm), ([, code]) => code!);
/** What README says that a visit answers: path and answer. */
const visits = Array.from(
  README.matchAll(/^\$ visit localhost:3000(\/\S*)\n(.*)$/gm),
  ([, path, answer]) => [path!, JSON.parse(answer!) as unknown] as const,
);
const USER_AGENT = /^\$ alias visit=.*-A "([^"]+)"/m.exec(README)![1]!;
const blockWith = (text: string): string => {
  const found = blocks.filter((code) => code.includes(text));
  expect([text, found.length]).toEqual([text, 1]);
  return found[0]!;
};
const express = blockWith("from 'express';\nimport { createSessionwise }");
const fastify = blockWith("from 'fastify';");
const requires = blockWith("require('sessionwise/express')");
/** The first example with its lines of imports as README says for CommonJS. */
const commonJs = requires + express.replace(/^import .*\n/gm, '');

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['express.mjs', express],
  ['express.cjs', commonJs],
  ['fastify.mjs', fastify],
];

/** Pages of a site that declares the fields of its sessions, one of them misspelt. */
const verbs = `
    const count: number = await request.session.increment('count');
    const cart: string[] = await request.session.append('cart', 'lamp');
    await request.session.setIf(1, { count: undefined, cart: ['tv'] });
    await request.session.rotate();
    await request.session.identify('ada');
    await request.session.increment('cuont');
    const user: string | undefined = request.session.info()?.userId;`;
const FIELDS_EXPRESS = `
  import express, { type Request } from 'express';
  import { createSessionwise } from 'sessionwise/express';
  declare module 'express-session' { interface SessionData { count?: number; cart?: string[] } }
  const sw = createSessionwise({ redis: 'redis://127.0.0.1:6379' });
  const app = express();
  app.use(sw.session({ secret: 'x', cookie: { maxAge: 60_000 } }));
  app.use(sw.knowledge({ user: (request) => request.get('x-user'), track: (request: Request) => request.secure }));
  app.get('/', async (request, response) => { ${verbs}
    response.json({ count, cart, user, id: request.sessionwise.session.id });
  });`;
const FIELDS_FASTIFY = `
  import Fastify from 'fastify';
  import { createSessionwise } from 'sessionwise/fastify';
  declare module 'fastify' { interface Session { count?: number; cart?: string[] } }
  const sw = createSessionwise({ redis: 'redis://127.0.0.1:6379' });
  const app = Fastify();
  await app.register(sw.session, { secret: 'x', cookie: { maxAge: 60_000 } });
  await app.register(sw.knowledge, { user: (request) => request.session.info()?.userId });
  app.get('/', async (request) => { ${verbs}
    return { count, cart, user, id: request.sessionwise.person.id };
  });`;

describe('README’s first examples', () => {
  const server = useRedis();
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-readme-'));
    for (const name of PACKAGES) link(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    link(ROOT, join(folder, 'node_modules', 'sessionwise'));
    writeFileSync(join(folder, 'package.json'), '{"name":"site","version":"1.0.0"}');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(EXAMPLES)('%s runs in one process, and shows what is new', async (name, code) => {
    const [port] = await freePorts(1);
    const changed = code.replace('redis://127.0.0.1:6379', server.url).replace(/\b3000\b/, String(port));
    writeFileSync(join(folder, name), changed);
    const site = start(folder, name);
    await waitUntil('it listens', () => hasEnded(site) || isThere(port!), START_DEADLINE_MS);
    const browser = new Browser(`http://127.0.0.1:${port}`);
    // A visitor from whom nothing is kept asks until the service in the process has started.
    await waitUntil('its service answers', async () => {
      const other = new Browser(`http://127.0.0.1:${port}`);
      await other.get('/articles/redis');
      return hasEnded(site) || JSON.stringify(await other.get('/')) !== JSON.stringify(ARTICLES);
    });
    expect(site.output()).toBe('');
    expect(visits.map(([path]) => path)).toEqual(['/', '/articles/redis', '/']);
    for (const [path, answer] of visits) {
      const isArticle = name.startsWith('fastify') && path !== '/';
      expect(await browser.get(path)).toEqual(isArticle ? { name: answer } : answer);
    }
    await server.stop();
    expect(await browser.get('/')).toEqual(ARTICLES);
  });

  it('are typed as they stand, in strict TypeScript: no `?.`, in ESM and in CommonJS', async () => {
    const misspelt = express
      .replace('.unseen(', '.unsen(')
      .replace('sw.knowledge()', 'sw.knowledge({ pageviw: "off" })');
    const files = {
      'express.mts': express,
      'express.cts': express,
      'express-required.cjs': commonJs,
      'fastify.mts': fastify,
      'fields-express.mts': FIELDS_EXPRESS,
      'fields-fastify.mts': FIELDS_FASTIFY,
      // A checker that finds nothing would find nothing wrong.
      'misspelt.mts': misspelt,
    };
    for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code);
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      noImplicitReturns: true,
      module: 'nodenext',
      target: 'es2022',
      types: ['node'],
      allowJs: true,
      checkJs: true,
      skipLibCheck: true,
      noEmit: true,
    };
    const project = join(folder, 'tsconfig.json');
    writeFileSync(project, JSON.stringify({ compilerOptions, files: Object.keys(files) }));
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { stdout } = await promisify(execFile)(tsc, ['-p', project, '--pretty', 'false'], { cwd: folder }).catch(
      (error: { stdout: string }) => error,
    );
    const errors = stdout.split('\n').filter((line) => /^\S/.test(line));
    expect(errors.sort()).toEqual([
      expect.stringMatching(/^fields-express\.mts.*"cuont"/),
      expect.stringMatching(/^fields-fastify\.mts.*"cuont"/),
      expect.stringMatching(/^misspelt\.mts.*'pageviw'/),
      expect.stringMatching(/^misspelt\.mts.*'unsen' does not exist on type 'SessionHandle'/),
    ]);
  });
});

/** A browser with a cookie jar. */
class Browser {
  readonly #url: string;
  readonly #cookies = new Map<string, string>();

  constructor(url: string) {
    this.#url = url;
  }

  async get(path: string): Promise<unknown> {
    const cookie = Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(this.#url + path, {
      headers: { 'user-agent': USER_AGENT, ...(cookie && { cookie }) },
      signal: AbortSignal.timeout(START_DEADLINE_MS),
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]!.split('=');
      this.#cookies.set(name, value);
    }
    return response.json();
  }
}

function link(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to);
}

async function isThere(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/nowhere`).catch(() => undefined);
  return answer !== undefined;
}

function start(folder: string, file: string): ChildProcess & { output(): string } {
  const env = { ...process.env, NODE_ENV: 'development' };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return Object.assign(child, { output: () => text });
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
