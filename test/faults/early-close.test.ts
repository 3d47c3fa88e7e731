import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { startTestCluster } from '../support/test-cluster.ts';
import { startTestRedis } from '../support/test-redis.ts';
import { startTestSentinel } from '../support/test-sentinel.ts';

/* What is closed while it connects leaves nothing that keeps the process alive. */

const KINDS = ['client', 'client of lists', 'client of streams', 'store', 'connection', 'first connect'];

/** How long all closing may take, and then how long the process may live on. */
const DEADLINE_MS = 60_000;
// A connection that nobody takes is given up after 5 s.
const EXIT_DEADLINE_MS = 10_000;

/** Runs early-close.js: its exit code, or what it hung on. */
async function run(redis: string, kinds: readonly string[]): Promise<number | string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'early-close.js'), kinds.join(','), redis], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Without the warnings of development: two of these services on one server overlap.
    env: { ...process.env, NODE_ENV: 'production' },
  });
  let [told, errors] = ['', ''];
  const exited = once(child, 'exit');
  let timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  child.stdout.on('data', (chunk) => {
    told += chunk;
    clearTimeout(timer);
    timer = setTimeout(() => child.kill('SIGKILL'), EXIT_DEADLINE_MS);
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  await exited;
  clearTimeout(timer);
  if (child.exitCode === 0 && told === 'closed' && errors === '') return 0;
  return `${errors} ${told === '' ? 'It did not close.' : 'It closed, and did not end.'}`;
}

/** Runs each of the kinds with each address, side by side: a process waits more than it works. */
async function expectToEnd(urls: readonly string[], kinds: readonly (readonly string[])[] = [KINDS]): Promise<void> {
  const runs = urls.flatMap((url) => kinds.map((some) => [url, some] as const));
  const outcomes = await Promise.all(runs.map(async ([url, some]) => [url, some, await run(url, some)]));
  expect(outcomes).toEqual(runs.map(([url, some]) => [url, some, 0]));
}

describe('the process ends after the early close of a client, store, connection or service', () => {
  it('whose connection goes to one server', { timeout: 180_000 }, async () => {
    const [port] = await freePorts(1);
    const server = await startTestRedis({ extraArgs: ['--port', String(port), '--bind', '127.0.0.1'] });
    onTestFinished(() => server.stop());
    await expectToEnd([server.url, `redis://127.0.0.1:${port}`], [KINDS, ['service']]);
  });

  it('whose connection goes to a Cluster', { timeout: 180_000 }, async () => {
    const cluster = await startTestCluster();
    onTestFinished(() => cluster.stop());
    await expectToEnd([cluster.url], [KINDS, ['service']]);
  });

  it('whose connection goes to what Sentinels name', { timeout: 180_000 }, async () => {
    const sentinel = await startTestSentinel();
    onTestFinished(() => sentinel.stop());
    await expectToEnd([sentinel.url], [KINDS, ['service']]);
  });

  it('whose connection goes to where nobody is', { timeout: 180_000 }, async () => {
    const [one, two] = await freePorts(2);
    const urls = [
      `redis://127.0.0.1:${one}`,
      `redis+cluster://127.0.0.1:${one},127.0.0.1:${two}`,
      `redis+sentinel://127.0.0.1:${one},127.0.0.1:${two}/main`,
    ];
    await expectToEnd(urls);
  });

  it('whose connection goes to one who takes it and says nothing', { timeout: 180_000 }, async () => {
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    onTestFinished(() => {
      silent.close();
    });
    await once(silent, 'listening');
    const at = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    await expectToEnd([`redis://${at}`, `rediss://${at}`, `redis+cluster://${at}`, `redis+sentinel://${at}/main`]);
  });
});
