import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createToken } from '../../../src/protocol/index.ts';
import { SessionData, type SessionDataOptions, StoreUnavailableError } from '../../../src/sessions/index.ts';
import { useRedis } from '../../support/use-redis.ts';
import { waitUntil } from '../../support/wait-until.ts';

/* The end of a store, whatever Redis does meanwhile. */

/** `close` waits a second for what was sent. */
const CLOSE_MS = 2_000;
const SLACK_MS = 1_000;
const STORE = pathToFileURL(`${import.meta.dirname}/../../../dist/adapters/express/index.js`).href;

const server = useRedis();

async function open(options: Partial<SessionDataOptions> = {}): Promise<SessionData> {
  const data = new SessionData({ redis: server.url, deadlineMs: 60_000, ...options });
  await waitUntil('it is up', () => data.isUp);
  return data;
}

/** Closes, and says what became of what was asked before, and how long all that took. */
async function close(data: SessionData, asked: readonly Promise<unknown>[]) {
  const began = performance.now();
  const outcomes = Promise.allSettled(asked);
  await data.close();
  const settled = await outcomes;
  const tookMs = performance.now() - began;
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  return { tookMs, refused, done: settled.length - refused.length };
}

describe('close() of session data', () => {
  it('lets what was sent be answered', async () => {
    const data = await open();
    const { refused, done } = await close(
      data,
      Array.from({ length: 100 }, (_, i) => data.save(createToken(), { i }, undefined, { isNew: true })),
    );
    expect({ refused, done }).toEqual({ refused: [], done: 100 });
  });

  it('refuses what a frozen Redis does not answer, and lasts no longer than two seconds', async () => {
    const data = await open();
    const sealed = await open({ namespace: 'sealed', encryption: { keys: [Buffer.alloc(32, 1)] } });
    const token = createToken();
    await sealed.save(token, { x: 0 });
    server.kill('SIGSTOP');
    for (const [store, asked] of [
      [data, Array.from({ length: 100 }, (_, i) => data.save(createToken(), { i }))],
      // One after the other, each in the turn of the one before.
      [sealed, Array.from({ length: 100 }, () => sealed.increment(token, 'x'))],
    ] as const) {
      const { tookMs, refused } = await close(store, asked);
      expect(refused).toHaveLength(100);
      for (const error of refused) expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(tookMs).toBeLessThan(CLOSE_MS + SLACK_MS);
    }
  });

  it('refuses at once what waits for a Redis that is away', async () => {
    server.kill('SIGKILL');
    const data = new SessionData({ redis: server.url, deadlineMs: 60_000 });
    const { tookMs, refused } = await close(
      data,
      Array.from({ length: 100 }, () => data.load(createToken())),
    );
    expect(refused).toHaveLength(100);
    for (const error of refused) expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(tookMs).toBeLessThan(CLOSE_MS + SLACK_MS);
  });

  it('refuses what comes afterwards, and says why; a second one changes nothing', async () => {
    const data = await open();
    await data.close();
    await data.close();
    for (const late of [() => data.load(createToken()), () => data.save(createToken(), {}), () => data.all()]) {
      const error = (await late().catch((reason: unknown) => reason)) as StoreUnavailableError;
      expect(error).toBeInstanceOf(StoreUnavailableError);
      expect(error.message).toMatch(/closed/);
    }
    expect(data.isUp).toBe(false);
  });

  it('is no outage', async () => {
    const data = await open();
    const told: string[] = [];
    data.on('store:down', () => told.push('down')).on('store:up', () => told.push('up'));
    await close(data, [data.load(createToken()), data.load(createToken())]);
    expect(told).toEqual([]);
  });
});

describe('a process with a store', () => {
  /** Runs a module that has `SessionStore` and `url`; its exit code and output. */
  async function run(url: string, lines: string): Promise<{ code: number | null; output: string }> {
    const source = `import { SessionStore } from ${JSON.stringify(STORE)};
      const url = ${JSON.stringify(url)};
      ${lines}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 15_000,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  }

  const useAndClose = `const store = new SessionStore({ redis: url, deadlineMs: 200 });
    await store.get('a token').then(() => console.log('answered'), (error) => console.log(error.code));
    await store.close();
    console.log('closed');`;

  it('ends after close(), with Redis there', async () => {
    expect(await run(server.url, useAndClose)).toEqual({ code: 0, output: 'answered\nclosed\n' });
  });

  it('ends after close(), with nobody at the address', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as { port: number };
    free.close();
    await once(free, 'close');
    expect(await run(`redis://127.0.0.1:${port}`, useAndClose)).toEqual({
      code: 0,
      output: 'STORE_UNAVAILABLE\nclosed\n',
    });
  });

  it('ends after close(), with somebody there who never answers', async () => {
    server.kill('SIGSTOP');
    expect(await run(server.url, useAndClose)).toEqual({ code: 0, output: 'STORE_UNAVAILABLE\nclosed\n' });
  });

  it('ends after close() at once, while operations wait for the longest deadline', async () => {
    server.kill('SIGKILL');
    const lines = `const store = new SessionStore({ redis: url, deadlineMs: 60_000 });
      const waiting = store.get('a token').catch((error) => console.log(error.code));
      await store.close();
      await waiting;`;
    expect(await run(server.url, lines)).toEqual({ code: 0, output: 'STORE_UNAVAILABLE\n' });
  });
});
