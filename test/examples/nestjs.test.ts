import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Visitor } from '../adapters/suite/adapter-site.ts';
import { freePorts } from '../support/free-ports.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* docs/recipes/nestjs.md, as it stands: compiled by TypeScript, and run by the real Nest on Express and on Fastify. */

const ROOT = join(import.meta.dirname, '../..');
const START_DEADLINE_MS = 30_000;
const COMPILE_DEADLINE_MS = 120_000;
const blocks = Array.from(
  readFileSync(join(ROOT, 'docs/recipes/nestjs.md'), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm),
  ([, code]) => code!,
);
const OPTIONS = {
  target: 'es2023',
  lib: ['es2023'],
  module: 'nodenext',
  strict: true,
  skipLibCheck: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  types: ['node'],
};

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sw-nest-'));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['@nestjs', 'reflect-metadata', 'rxjs', '@types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  symlinkSync(ROOT, join(folder, 'node_modules/sessionwise'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'site', type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS }));
  const [module, express, fastify] = blocks as [string, string, string];
  writeFileSync(join(folder, 'app.module.ts'), module);
  writeFileSync(join(folder, 'express.ts'), express);
  writeFileSync(join(folder, 'fastify.ts'), fastify);
  try {
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(`The recipe does not compile: ${(error as { stdout: Buffer }).stdout}`);
  }
}, COMPILE_DEADLINE_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('docs/recipes/nestjs.md has three blocks of TypeScript', () => {
  expect(blocks).toHaveLength(3);
});

describe.each([
  ['express', 'connect.sid'],
  ['fastify', 'sessionId'],
])('a site of Nest on %s', (name, cookieName) => {
  const server = useRedis({ eachTest: 'kept' });
  const cookies = { name: cookieName, tokenIn: () => '', sign: () => '' };
  let child: ChildProcess;
  let url: string;
  let output = '';

  beforeAll(async () => {
    const [port] = (await freePorts(1)).map(String) as [string];
    url = `http://127.0.0.1:${port}`;
    const env = { ...process.env, REDIS_URL: server.url, PORT: port };
    child = spawn(process.execPath, [join(folder, `${name}.js`)], { env });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    await waitUntil(
      'it serves, with its service',
      async () => {
        if (child.exitCode !== null) throw new Error(`The site has ended: ${output}`);
        const answer = await new Visitor({ url }, cookies).get('/page').catch(() => undefined);
        return (answer?.body as { fresh?: unknown } | undefined)?.fresh !== undefined;
      },
      START_DEADLINE_MS,
    );
  });
  afterAll(async () => {
    child.kill('SIGTERM');
    await waitUntil('it has ended by itself', () => child.exitCode !== null, START_DEADLINE_MS);
  });

  it('shows what is new, keeps the cart, and logs in', async () => {
    const visitor = new Visitor({ url }, cookies);
    expect(await visitor.page('/home')).toEqual({ fresh: ['/lamp', '/tv', '/cable'], cart: [] });
    await visitor.page('/tv');
    expect(await visitor.page('/home')).toMatchObject({ fresh: ['/lamp', '/cable'] });
    expect(await visitor.page('/cart/lamp')).toEqual(['lamp']);
    const planted = visitor.twin();
    expect(await visitor.page('/login/ada')).toEqual({ user: 'ada' });
    expect(await visitor.page('/home')).toMatchObject({ cart: ['lamp'], user: 'ada' });
    expect(await planted.page('/home')).toMatchObject({ cart: [] });
  });

  it('answers 503 with the code while Redis refuses writes', async () => {
    const visitor = new Visitor({ url }, cookies);
    await visitor.page('/cart/lamp');
    await server.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    try {
      expect(await visitor.get('/cart/tv')).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' } });
    } finally {
      await server.redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
    }
  });
});
