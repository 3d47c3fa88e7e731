import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Visitor } from '../adapters/suite/adapter-site.ts';
import { freePorts } from '../support/free-ports.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The examples of Koa and Hono, as they stand, with the built package; that of Next is in adapters/next. docs/frameworks.md
 * shows the same files. */

const ROOT = join(import.meta.dirname, '../..');
const PACKAGES = ['koa', 'hono', '@hono/node-server'];
const START_DEADLINE_MS = 30_000;
const COOKIES = { name: 'sid', tokenIn: () => '', sign: () => '' };

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sw-frameworks-'));
  const link = (target: string, name: string): void => {
    const path = join(folder, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  };
  for (const name of PACKAGES) link(join(ROOT, 'node_modules', name), name);
  link(ROOT, 'sessionwise');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(['koa', 'hono'])('the example of %s', (name) => {
  const server = useRedis({ eachTest: 'kept' });
  let child: ChildProcess;
  let url: string;
  let output = '';

  beforeAll(async () => {
    const file = join(folder, `${name}.mjs`);
    cpSync(join(ROOT, 'examples', name, 'shop.js'), file);
    const [port] = (await freePorts(1)).map(String) as [string];
    url = `http://127.0.0.1:${port}`;
    child = spawn(process.execPath, [file], { env: { ...process.env, REDIS_URL: server.url, PORT: port } });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    await waitUntil(
      'it serves, with its service',
      async () => {
        if (child.exitCode !== null) throw new Error(`The example has ended: ${output}`);
        const answer = await fetch(url, { headers: new Visitor({ url }, COOKIES).headers }).catch(() => undefined);
        return ((await answer?.json()) as { fresh?: unknown } | undefined)?.fresh !== undefined;
      },
      START_DEADLINE_MS,
    );
  });
  afterAll(async () => {
    child.kill('SIGTERM');
    await waitUntil('it has ended by itself', () => child.exitCode !== null, START_DEADLINE_MS);
    expect([child.exitCode, output]).toEqual([0, '']);
  });

  it('shows what is new, keeps the cart, and logs in and out', async () => {
    const visitor = new Visitor({ url }, COOKIES);
    expect(await visitor.page('/')).toEqual({ fresh: ['/lamp', '/tv', '/cable'], cart: [] });
    await visitor.page('/tv');
    expect(await visitor.page('/')).toMatchObject({ fresh: ['/lamp', '/cable'] });
    expect(await visitor.page('/cart/lamp')).toEqual(['lamp']);
    const planted = visitor.twin();
    expect((await visitor.get('/login/ada')).text).toBe('Hello, ada');
    expect(await visitor.page('/')).toMatchObject({ cart: ['lamp'], user: 'ada' });
    expect(await planted.page('/')).toMatchObject({ cart: [] });
    expect((await visitor.get('/logout')).text).toBe('Good-bye');
    expect(await visitor.page('/')).toMatchObject({ cart: [] });
  });
});

describe('docs/frameworks.md', () => {
  const text = readFileSync(join(ROOT, 'docs/frameworks.md'), 'utf8');

  it.each([
    'koa/shop.js',
    'hono/shop.js',
    'next/next.config.js',
    'next/lib/sessionwise.js',
    'next/proxy.js',
    'next/app/page.js',
    'next/app/layout.js',
    'next/app/products/[name]/page.js',
    'next/app/actions.js',
    'next/app/api/cart/route.js',
  ])('shows examples/%s as it stands', (file) => {
    expect(text).toContain(`\n${readFileSync(join(ROOT, 'examples', file), 'utf8')}\`\`\`\n`);
  });
});
