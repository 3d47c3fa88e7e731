import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { processesNaming } from '../support/processes-naming.ts';
import { ended, startCli } from '../support/run-cli.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const START_DEADLINE_MS = 30_000;
const START = fileURLToPath(new URL('../../examples/shop/start.js', import.meta.url));

describe('a port that is taken ends the shop', () => {
  let folder: string;
  let holder: Server;
  let port: string;
  let connections = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sw-demo-'));
    holder = createServer(() => {
      connections += 1;
    }).listen(0, '127.0.0.1');
    await once(holder, 'listening');
    port = String((holder.address() as AddressInfo).port);
  });
  afterAll(() => {
    holder.close();
    rmSync(folder, { recursive: true });
  });

  it('demo: one sentence, exit code 1, and neither Redis nor service is left', async () => {
    const demo = startCli(['demo', '--port', port], { cwd: folder });
    await within(demo, async () => {
      expect(await ended(demo)).toBe(1);
      expect(demo.output()).toContain(
        `sessionwise: The shop cannot listen on 127.0.0.1:${port} (EADDRINUSE): give another --port.\n`,
      );
      expect(existsSync(join(folder, '.sessionwise', 'redis.json'))).toBe(false);
      expect(processesNaming(folder)).toEqual([]);
    });
  });

  it('demo against a Redis of its own, and without a service', async () => {
    const redis = await startTestRedis();
    const demo = startCli(['demo', '--port', port, '--redis', redis.url, '--without-service'], { cwd: folder });
    await within(demo, async () => expect(await ended(demo)).toBe(1));
    await redis.stop();
  });

  it('the shop for itself, before it has connected to anything', async () => {
    const shop = spawn(process.execPath, [START], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PORT: port, REDIS_URL: `redis://127.0.0.1:${port}` },
    });
    await within(shop, async () => expect(await ended(shop)).toBe(1));
    expect(connections).toBe(0);
  });
});

describe('a demo that runs', () => {
  it('says where to click first, and its panel is there', async () => {
    const redis = await startTestRedis();
    const folder = mkdtempSync(join(tmpdir(), 'sw-demo-'));
    const demo = startCli(['demo', '--port', '0', '--redis', redis.url, '--without-service'], { cwd: folder });
    await within(demo, async () => {
      await waitUntil('the shop is open', () => demo.output().includes('Ctrl-C'), START_DEADLINE_MS);
      const [first] = demo.output().trim().split('\n');
      const url = /^Start here: (http:\/\/127\.0\.0\.1:\d+\/demo)$/.exec(first!)![1]!;
      expect(demo.output()).toContain('Press "Open the television", then follow the five steps');
      expect(demo.output()).toContain('No service runs: pages are degraded.');
      expect(await (await fetch(url)).text()).toContain('Open the television');
      // It can be switched on though the demo began without.
      const answer = await fetch(`${url}/service`, { method: 'POST', body: new URLSearchParams({ on: 'yes' }) });
      expect(await answer.json()).toMatchObject({ text: expect.stringContaining('The service is on again.') });
      expect(processesNaming(redis.url).some(({ command }) => command.includes(' serve '))).toBe(true);
      demo.kill('SIGTERM');
      expect(await ended(demo)).toBe(0);
      expect(processesNaming(redis.url).filter(({ command }) => command.includes(' serve '))).toEqual([]);
    });
    await redis.stop();
    rmSync(folder, { recursive: true });
  });

  it('has no panel where others can reach it, and says why', async () => {
    const redis = await startTestRedis();
    const folder = mkdtempSync(join(tmpdir(), 'sw-demo-'));
    const args = ['demo', '--port', '0', '--host', '0.0.0.0', '--redis', redis.url, '--without-service'];
    const demo = startCli(args, { cwd: folder });
    await within(demo, async () => {
      await waitUntil('the shop is open', () => demo.output().includes('Ctrl-C'), START_DEADLINE_MS);
      expect(demo.output()).not.toContain('Start here');
      expect(demo.output()).toContain('The panel that explains it is for this machine alone: leave --host out.');
      const port = /http:\/\/0\.0\.0\.0:(\d+)/.exec(demo.output())![1];
      for (const method of ['GET', 'POST']) {
        expect((await fetch(`http://127.0.0.1:${port}/demo/service`, { method })).status).toBe(404);
      }
    });
    await redis.stop();
    rmSync(folder, { recursive: true });
  });

  it('ends with the first SIGTERM, and Redis and the service with it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sw-demo-'));
    const demo = startCli(['demo', '--port', '0'], { cwd: folder });
    await within(demo, async () => {
      await waitUntil('the shop is open', () => demo.output().includes('The shop is open'), 30_000);
      const [, dashboard] = /The dashboard is open: (\S+)/.exec(demo.output())!;
      const { instances } = (await (await fetch(`${dashboard}health/data`)).json()) as { instances: object };
      expect(instances).toHaveProperty('value');
      demo.kill('SIGTERM');
      expect(await ended(demo)).toBe(0);
      expect(processesNaming(folder)).toEqual([]);
    });
    rmSync(folder, { recursive: true });
  });
});

describe('the port of the demo’s dashboard', () => {
  it('is the one behind the shop’s, else a free one; a given one that is taken ends the demo', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sw-demo-'));
    const redis = await startTestRedis();
    const run = (...more: string[]) =>
      startCli(['demo', '--redis', redis.url, '--without-service', ...more], { cwd: folder });
    const [shop] = await freePorts(1);
    const behind = createServer().listen(shop! + 1, '127.0.0.1');
    await once(behind, 'listening');
    const elsewhere = run('--port', String(shop));
    await within(elsewhere, async () => {
      await waitUntil('it is open', () => elsewhere.output().includes('The dashboard is open'), 30_000);
      const [, port] = /The dashboard is open: http:\/\/127\.0\.0\.1:(\d+)\//.exec(elsewhere.output())!;
      expect(Number(port)).not.toBe(shop! + 1);
    });
    const refused = run('--port', '0', '--dashboard-port', String(shop! + 1));
    await within(refused, async () => {
      expect(await ended(refused)).toBe(1);
      expect(refused.output()).toContain(`The dashboard cannot listen on 127.0.0.1:${shop! + 1} (EADDRINUSE)`);
    });
    behind.close();
    await redis.stop();
    rmSync(folder, { recursive: true });
  });
});

/** Ends the process whatever comes of `work`, so that a test that fails leaves none. */
async function within(child: ChildProcess, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    child.kill('SIGKILL');
  }
}
