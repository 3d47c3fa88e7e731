import { afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { useRedis } from '../../support/use-redis.ts';
import type { Site, SiteOptions, Sites } from './fastify-stage.ts';

const server = useRedis({ eachTest: 'kept' });
let sites: Sites;

beforeAll(async () => {
  // Modules of its own, as in a process of its own: a file before may have warned.
  vi.resetModules();
  const stage = await import('./fastify-stage.ts');
  sites = new stage.Sites({ redis: server.url, deadlineMs: 20_000 });
});
afterEach(() => sites.close());

/** The warnings of ours while a site answers three requests over http. */
async function warningsOf(cookie: NonNullable<SiteOptions['session']>['cookie']): Promise<Error[]> {
  const warnings: Error[] = [];
  const collect = (warning: Error): void => {
    if (warning.name === 'SessionwiseWarning') warnings.push(warning);
  };
  process.on('warning', collect);
  onTestFinished(() => {
    process.off('warning', collect);
  });
  const site: Site = await sites.open({ session: { cookie: cookie! } });
  for (let sent = 0; sent < 3; sent += 1) await site.browser().get('/me');
  // Warnings are told in a later turn.
  await new Promise(setImmediate);
  return warnings;
}

it('hints once that a secure cookie is not sent over http', async () => {
  expect(await warningsOf({})).toEqual([
    expect.objectContaining({
      code: 'SESSIONWISE_INSECURE_REQUEST',
      message: expect.stringContaining('secure: "auto"'),
    }),
  ]);
});

it.each([false, 'auto'] as const)('says nothing where the cookie is sent (secure: %s)', async (secure) => {
  expect(await warningsOf({ secure })).toEqual([]);
});

it('says nothing in production', async () => {
  vi.stubEnv('NODE_ENV', 'production');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  expect(await warningsOf({})).toEqual([]);
});
