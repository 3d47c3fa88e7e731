import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { personOf, SessionClient } from '../../src/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { type CliResult, runCli } from '../support/run-cli.ts';
import { useRedis } from '../support/use-redis.ts';

const SECRET = 'a secret for tests, and only for them';
const USER = 'ada@example.org';

describe('inspect --user', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let service: Service;
  const inspect = (...args: string[]): Promise<CliResult> =>
    runCli(['inspect', ...args, '--redis', redis.url], { env: { SESSIONWISE_SECRET: SECRET } });

  beforeAll(async () => {
    service = await startService({ redis: redis.url, secret: SECRET });
    const client = new SessionClient({ redis: redis.url, deadlineMs: 10_000 });
    await client.ready();
    await client.request('pageview', 'phone', '/a');
    await client.request('mark-item-seen', 'phone', 'lamp');
    await client.request('identify', personOf(USER), 'phone');
    await client.request('pageview', personOf(USER), '/b');
    await client.request('mark-notification-seen', personOf(USER), 'n1');
    await client.close();
  });
  afterAll(() => service?.stop());

  it('tells what is known of the person, in words and as JSON', async () => {
    const { code, stdout, stderr } = await inspect('--user', USER, '--seen', '/a', '--seen', '/c', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({
      user: USER,
      known: true,
      totalPages: 2,
      uniquePages: 2,
      items: 1,
      noticesMarked: 1,
      seen: { '/a': true, '/c': false },
    });
    expect(told.session).toBeUndefined();
    expect(told.bytes).toBeGreaterThan(100);
    expect(told.expiresInSeconds).toBeGreaterThan(399 * 86_400);
    const words = (await inspect('--user', USER)).stdout;
    expect(words).toMatch(/^User ada@example\.org\n {2}Viewed 2 pages, 2 of them different\./);
    expect(words).toMatch(/expires in 400 days/);
  });

  it('takes the id that stands on the wire, too', async () => {
    expect(JSON.parse((await inspect(personOf(USER), '--json')).stdout)).toMatchObject({ totalPages: 2, items: 1 });
  });

  it('says of an unknown user that nothing is known', async () => {
    const { code, stderr } = await inspect('--user', 'nobody');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^sessionwise: Nothing is known of this user in the namespace "sw"/),
    });
  });

  it.each([
    ['neither a session nor a user', []],
    ['both', ['phone', '--user', USER]],
    ['a user id that is a mistake', ['--user', 'undefined']],
  ])('refuses %s', async (_, args) => {
    expect((await inspect(...args)).code).toBe(2);
  });
});
