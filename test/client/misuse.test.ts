import fastifySessionCookie from '@fastify/cookie';
import fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { browserScript, SessionStore as ExpressStore, sessionwise } from '../../src/adapters/express/index.ts';
import { SessionStore as FastifyStore, sessionwise as plugin } from '../../src/adapters/fastify/index.ts';
import { SessionClient, SessionData } from '../../src/index.ts';
import { createConnection } from '../../src/redis/index.ts';
import { startService } from '../../src/service/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { pace, waitUntil } from '../support/wait-until.ts';

/* Misuse is not silent: options are checked where they are given, and what nobody would notice is warned of once. */

const SECRET = 'a secret of the tests, long enough';

const server = useRedis();

describe('an option that is unknown or of the wrong type is refused', () => {
  const client = Object.create(SessionClient.prototype) as SessionClient;
  const made: [string, () => unknown, RegExp][] = [
    [
      'SessionClient',
      () => new SessionClient({ redis: 'redis://h', deadlineMS: 5 } as never),
      /deadlineMS".*"deadlineMs"/,
    ],
    ['SessionClient', () => new SessionClient({ redis: 7 } as never), /redis 7 cannot be used/],
    ['SessionClient', () => new SessionClient(undefined as never), /as an object/],
    ['SessionData', () => new SessionData({ redis: 'redis://h', idle: 5 } as never), /no option "idle"/],
    ['the Express store', () => new ExpressStore({ redis: 'redis://h', sweeps: true } as never), /"sweeps".*"sweep"/],
    [
      'the Express store',
      () => new ExpressStore({ redis: 'redis://h', fail: 'opne' } as never),
      /fail "opne" .*"open"/,
    ],
    [
      'the Fastify store',
      () => new FastifyStore({ redis: 'redis://h', integerDelta: true } as never),
      /"integerDeltas"/,
    ],
    [
      'the Fastify store',
      () => new FastifyStore({ redis: 'redis://h', sweep: 'no' } as never),
      /sweep .*true or false/,
    ],
    ['sessionwise()', () => sessionwise({ client, pageview: 'sever' } as never), /did you mean "server"/],
    ['sessionwise()', () => sessionwise({ client, countWhen: 'ends' } as never), /did you mean "end"/],
    ['sessionwise()', () => sessionwise({ client, pageview: 'off', countWhen: 'end' }), /leave countWhen .*"server"/],
    [
      'sessionwise()',
      () => sessionwise({ client, script: browserScript(), pageview: 'browser', countRedirects: false }),
      /countRedirects out/,
    ],
    ['sessionwise()', () => sessionwise({ client, pageview: 'browser' }), /needs the script .*browserScript\(\)/],
    [
      'sessionwise()',
      () => sessionwise({ client, script: {} } as never),
      /no script for pages: give browserScript\(\)/,
    ],
    ['sessionwise()', () => sessionwise({ client, script: true } as never), /script true .*give an object/],
    ['sessionwise()', () => sessionwise({ client, script: browserScript(), pageview: 'off' }), /leave script out/],
    [
      'sessionwise()',
      () => sessionwise({ client, script: browserScript(), countWhen: 'start' }),
      /script or countWhen out/,
    ],
    ['sessionwise()', () => sessionwise({ client, trackAnonymous: true } as never), /no option "trackAnonymous"/],
    ['sessionwise()', () => sessionwise({ client, user: 'ada' } as never), /user .* give a function/],
    ['sessionwise()', () => sessionwise({ client, consent: 'none' } as never), /consent .* give a function/],
    ['sessionwise()', () => sessionwise({ client, track: false } as never), /track false .* give a function/],
    ['sessionwise()', () => sessionwise({ client, bots: 'ignored' } as never), /did you mean "ignore"/],
    ['sessionwise()', () => sessionwise({ client, cookie: 'id' } as never), /cookie .* give an object/],
    ['sessionwise()', () => sessionwise({ client, cookie: { maxage: 5 } } as never), /cookie .*"maxage".*"maxAge"/],
    ['sessionwise()', () => sessionwise({ client, cookie: { maxAge: 0 } }), /maxAge 0 .*whole number from 1/],
    ['sessionwise()', () => sessionwise({ client, cookie: { name: 'a b' } }), /cookie.name "a b" cannot be used/],
    ['sessionwise()', () => sessionwise({ client, cookie: { path: 'x' } }), /cookie.path "x".* begins with \//],
    ['sessionwise()', () => sessionwise({ client, cookie: { domain: 'a;b' } }), /cookie.domain "a;b"/],
    ['sessionwise()', () => sessionwise({ client, cookie: { sameSite: 'lex' } } as never), /did you mean "lax"/],
    ['sessionwise()', () => sessionwise({ client, cookie: { sameSite: 'none', secure: false } }), /leave secure out/],
    [
      'sessionwise()',
      () => sessionwise({ client, cookie: { name: '__Host-v', path: '/shop' } }),
      /__Host- only with path "\/" and without/,
    ],
    [
      'sessionwise()',
      () => sessionwise({ client, cookie: { name: '__host-v', domain: 'shop.example' } }),
      /without a domain: leave/,
    ],
    ['sessionwise()', () => sessionwise({ client, cookie: { name: '__Secure-v', secure: false } }), /only over https/],
    ['sessionwise()', () => sessionwise({ client, countWhen: 'start', countRedirects: true }), /countWhen "end"/],
    ['sessionwise()', () => sessionwise({ client, isPageView: () => true } as never), /did you mean "isPageview"/],
    ['sessionwise()', () => sessionwise({ client, token: 'x' } as never), /token .* give a function/],
    ['sessionwise()', () => sessionwise({ client: {} } as never), /needs a client/],
    ['sessionwise()', () => sessionwise({ client, store: client } as never), /store is no SessionStore/],
    ['sessionwise()', () => sessionwise(client as never), /as an object, as \{ client \}/],
    ['the Express store', () => new ExpressStore(undefined as never), /as an object/],
    ['SessionClient', () => new SessionClient({ redis: 'redis://h', deadlineMs: '100' } as never), /deadlineMs "100"/],
    ['SessionClient', () => new SessionClient({ redis: 'redis://h', maxPending: '5' } as never), /maxPending "5"/],
  ];
  it('a backlog that is too small leaves no connection behind', async () => {
    const admin = await createConnection(server.url).connect();
    onTestFinished(() => admin.close());
    const connections = async (): Promise<number> => (await admin.command<string>('CLIENT', 'LIST')).split('\n').length;
    const before = await connections();
    const redis = server.url;
    expect(() => new SessionClient({ redis, transport: 'streams', maxBacklog: 10 })).toThrow(/maxBacklog 10 .*from 64/);
    // What it had opened would stand when another one does.
    const other = new SessionClient({ redis });
    expect(await other.ready()).toBe(true);
    await other.close();
    await waitUntil('nothing is left', async () => (await connections()) === before);
  });

  it.each(made)('by %s (%#)', (_, make, sentence) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(sentence);
  });

  it.each([
    [{ sessionGlob: '?*' }, /did you mean "sessionglob"/],
    [{ transport: 'stream' }, /did you mean "streams"/],
    [{ seen: { exactLimits: 5 } }, /seen knows no option "exactLimits": did you mean "exactLimit"/],
    [{ retention: { seconds: -1 } }, /seconds -1 cannot be used/],
    [{ http: 8080 }, /http 8080 cannot be used/],
    [{ acceptTimes: 'yes' }, /acceptTimes/],
    [{ maxInFlight: 0 }, /maxInFlight 0/],
  ])('by startService: %j', async (options, sentence) => {
    const started = startService({ redis: server.url, secret: SECRET, ...(options as object) });
    await expect(started).rejects.toThrow(RangeError);
    await expect(started).rejects.toThrow(sentence);
  });

  it('by the Fastify plugin, when the application starts; options of Fastify itself are none of ours', async () => {
    const app = fastify();
    onTestFinished(() => app.close());
    app.register(fastifySessionCookie);
    app.register(plugin, { client, pageview: 'of' } as never);
    await expect(app.ready()).rejects.toThrow(/did you mean "off"/);
    const mistaken = fastify();
    onTestFinished(() => mistaken.close());
    mistaken.register(plugin, { client: {} } as never);
    await expect(mistaken.ready()).rejects.toThrow(/needs a client/);
    const other = fastify();
    onTestFinished(() => other.close());
    await other.register(plugin, { client, prefix: '/x', logLevel: 'warn' });
    await other.ready();
  });
});

describe('outside production, a client', () => {
  let warnings: (Error & { code?: string })[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  const codes = (): (string | undefined)[] => warnings.map(({ code }) => code);
  beforeEach(() => {
    warnings = [];
    vi.resetModules();
    process.on('warning', note);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    process.off('warning', note);
  });

  // Each time a module of its own, as in a process of its own.
  async function open(transport: 'channels' | 'streams' = 'channels'): Promise<SessionClient> {
    const { SessionClient: Fresh } = await import('../../src/index.ts');
    const client = new Fresh({ redis: server.url, transport, deadlineMs: 1_000 });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    return client;
  }

  const publishFor = async (client: SessionClient, ms: number): Promise<void> => {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      await client.publish('pageview', 'abc', '/a');
      await pace();
    }
  };

  it.each(['channels', 'streams'] as const)('warns once a process where nobody serves %s', async (transport) => {
    const [client, other] = [await open(transport), await open(transport)];
    await waitUntil('it warns', async () => {
      await client.publish('pageview', 'abc', '/a');
      return warnings.length > 0;
    });
    await Promise.all([publishFor(client, 2_500), publishFor(other, 2_500)]);
    expect(codes()).toEqual(['SESSIONWISE_NOBODY_SERVES']);
    expect(warnings[0]!.message).toContain('namespace "sw"');
  });

  it('does not warn where a service comes in time, where somebody listens, and in production', async () => {
    const listens = await open();
    listens.on('degraded', () => {});
    const waits = await open();
    await waits.publish('pageview', 'abc', '/a');
    const service = await startService({ redis: server.url, secret: SECRET, namespace: 'sw' });
    await publishFor(waits, 2_100);
    await service.stop();
    await Promise.all([publishFor(listens, 2_500), waits.publish('pageview', 'abc', '/a')]);
    vi.stubEnv('NODE_ENV', 'production');
    await publishFor(await open(), 2_500);
    expect(codes()).toEqual([]);
  }, 20_000);

  it('warns once of overlap, unless somebody listens', async () => {
    const quiet = await open();
    const heard: unknown[] = [];
    quiet.on('overlap', (overlap) => heard.push(overlap));
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const start = () => startService({ redis: server.url, secret: SECRET, log });
    const services = [await start(), await start()];
    onTestFinished(async () => void (await Promise.all(services.map((service) => service.stop()))));
    await waitUntil('it was told', () => heard.length > 0);
    expect(codes()).toEqual([]);
    await open();
    await waitUntil('it warns', () => warnings.length > 0);
    services.push(await start());
    await waitUntil('it was told of the third', () => heard.length > 1);
    expect(codes()).toEqual(['SESSIONWISE_OVERLAP']);
  });
});
