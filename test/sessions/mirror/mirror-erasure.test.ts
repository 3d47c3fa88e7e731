import { expect, it, onTestFinished } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys } from '../../../src/redis/index.ts';
import { forgetSubject, openNamespace } from '../../../src/service/index.ts';
import { startAclRedis } from '../../support/acl-redis.ts';
import { hasRedis7 } from '../../support/test-server.ts';
import { TEST_SECRET } from '../../support/use-test-data.ts';
import { cookieOf, MirrorStage } from './mirror-stage.ts';

/* An erasure takes the copies with it that a store has written for connect-redis: they are usable tokens. */

const keys = new Keys('sw');
const stage = new MirrorStage();
const copies = (): Promise<string[]> => stage.redis.command('KEYS', 'sess:*');

async function signedIn(user: string, count: number): Promise<string[]> {
  const data = stage.open();
  const tokens = Array.from({ length: count }, createToken);
  for (const token of tokens) {
    await data.save(token, { cookie: cookieOf(), cart: ['tea'] }, undefined, { isNew: true });
    await data.identify(token, user);
  }
  return tokens;
}

it.each(['a service', 'a store'])(
  'an erasure of a user by %s deletes the copies of their sessions only',
  async (by) => {
    const [ada, bob] = [`ada of ${by}`, `bob of ${by}`];
    const tokens = await signedIn(ada, 3);
    const [other] = await signedIn(bob, 1);
    expect(await copies()).toEqual(expect.arrayContaining([...tokens, other].map((token) => `sess:${token}`)));
    if (by === 'a store') {
      expect(await stage.open().forget({ user: ada })).toMatchObject({ sessions: 3, copies: 3 });
    } else {
      const namespace = await openNamespace({ redis: stage.server.url, secret: TEST_SECRET });
      onTestFinished(() => namespace.redis.close());
      expect(await forgetSubject(namespace, { user: ada })).toMatchObject({ sessions: 3, copies: 3 });
      expect(await forgetSubject(namespace, { user: ada })).toMatchObject({ sessions: 0, copies: 0 });
    }
    for (const token of tokens) {
      expect(await stage.get(token)).toBeFalsy();
      expect(await stage.redis.command('EXISTS', keys.mirrorBase(sessionOf(token)))).toBe(0);
      expect(await stage.open({ importFrom: 'sess:' }).load(token)).toBeUndefined();
    }
    expect(await stage.get(other!)).toMatchObject({ cart: ['tea'] });
  },
);

it.skipIf(!hasRedis7)('without the right an erasure fails, and with it is whole when it is done again', async () => {
  const redis = await startAclRedis({ store: true });
  onTestFinished(() => redis.stop());
  const token = createToken();
  const session = sessionOf(token);
  await redis.admin.command('SET', `sess:${token}`, '{"cookie":{}}');
  await redis.admin.command('HSET', keys.mirrorBase(session), 'key', `sess:${token}`, 'text', '', 'created', '1');
  const namespace = await openNamespace({ redis: redis.as('service'), secret: TEST_SECRET });
  onTestFinished(() => namespace.redis.close());
  await expect(forgetSubject(namespace, { session })).rejects.toThrow(/permission|can't access|ACL failure/i);
  await redis.admin.command('ACL', 'SETUSER', 'service', '(~sess:* +unlink)');
  expect(await forgetSubject(namespace, { session })).toMatchObject({ copies: 1 });
  expect(await redis.admin.command('EXISTS', `sess:${token}`)).toBe(0);
});
