import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionStore } from '../../src/adapters/express/index.ts';
import { SessionClient, sessionOf } from '../../src/index.ts';
import { createToken } from '../../src/protocol/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = 'a secret for tests, and only for them';
// As `uid-safe` makes them for express-session: it looks like a session id.
const FOREIGN = 'wXn8Qm3pT0_kLs-7VbYcRd2eUfGhJ9aZ';
const SIGNATURE = 'Kq8bJ3v0mC1x/Zr5TnW7sLhYdUeFgA2pQiXoB4yN+6M';

describe('inspect, given what is no session or one that is not known', () => {
  let folder: string;
  const redis = useRedis({ eachTest: 'kept' });
  let service: Service;
  let store: SessionStore;
  const own = createToken();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sw-inspect-'));
    service = await startService({ redis: redis.url, secret: SECRET });
    store = new SessionStore({ redis: redis.url });
    const client = new SessionClient({ redis: redis.url });
    await client.ready();
    await client.session(sessionOf(own)).request('pageview', '/');
    await client.session(sessionOf(FOREIGN)).request('pageview', '/');
    await client.close();
  });
  afterAll(async () => {
    await store.close();
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  const inspect = (...args: string[]) =>
    runCli(['inspect', ...args, '--redis', redis.url], { cwd: folder, env: { SESSIONWISE_SECRET: SECRET } });

  it.each([
    ['a token of ours', own, own],
    ['with a signature of @fastify/session', `${own}.${SIGNATURE}`, own],
    ['a cookie of express-session', `s:${own}.${SIGNATURE}`, own],
    ['as a browser shows it', `connect.sid=${encodeURIComponent(`s:${own}.${SIGNATURE}`)}; Path=/`, own],
    ["another library's token in a cookie", `s%3A${FOREIGN}.${encodeURIComponent(SIGNATURE)}`, FOREIGN],
    ["another library's token", FOREIGN, FOREIGN],
    ['signed by @fastify/session', `${FOREIGN}.${SIGNATURE}`, FOREIGN],
    ['an Authorization header', `Bearer ${own}`, own],
  ])('%s: names its session, and shows nothing else of it', async (_, given, token) => {
    const { code, stdout, stderr } = await inspect(given, '--json');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`Its session is ${sessionOf(token)}; inspect that.`);
    expectNoSecret(stderr);
    expect((await inspect(sessionOf(token))).code).toBe(0);
  });

  it('an unknown session: says so, and does not show what could be a token', async () => {
    const unknown = 'Q7zK1mB9xW3vN5cR0tY8uE2iO4pA6sD1';
    for (const options of [[], ['--json'], ['--seen', '/']]) {
      const { code, stdout, stderr } = await inspect(unknown, ...options);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^sessionwise: Nothing is known of this session in the namespace "sw": /);
      expect(stderr).not.toContain(unknown);
    }
  });

  it('a token that begins with a dash is no option, and not shown', async () => {
    const { code, stderr } = await inspect('-Q7zK1mB9xW3vN5cR0tY8uE2iO4pA6sD');
    expect(code).toBe(2);
    expect(stderr).toBe('sessionwise: unknown option (not shown) (See sessionwise inspect --help.)\n');
  });

  it('a URL behind a mistyped option is not shown', async () => {
    const { code, stderr } = await runCli(['doctor', '--reids=redis://:hidden@127.0.0.1']);
    expect(code).toBe(2);
    expect(stderr).toContain("unknown option '--reids'");
    expect(stderr).not.toContain('hidden');
  });

  it('a session of which there are session data only', async () => {
    const token = createToken();
    await new Promise<void>((resolve, reject) =>
      store.set(token, { cookie: { originalMaxAge: null }, user: 'ada' } as never, (error) =>
        error ? reject(error) : resolve(),
      ),
    );
    const { code, stdout } = await inspect(sessionOf(token));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/Has session data, but no view was counted/),
    });
    const json = JSON.parse((await inspect(sessionOf(token), '--json')).stdout);
    expect(json).toMatchObject({ known: false, sessionData: true, ended: false, totalPages: 0 });
  });

  it('a session that has ended: says so, and not that it has data', async () => {
    const token = createToken();
    await store.data.save(token, { user: 'ada' });
    await store.data.end(token);
    const { code, stdout } = await inspect(sessionOf(token));
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/Has ended/) });
    expect(stdout).not.toMatch(/Has session data/);
    const json = JSON.parse((await inspect(sessionOf(token), '--json')).stdout);
    expect(json).toMatchObject({ known: false, sessionData: false, ended: true });
  });

  function expectNoSecret(text: string): void {
    for (const secret of [own.split('.')[1]!, FOREIGN, SIGNATURE]) expect(text).not.toContain(secret);
  }
});
