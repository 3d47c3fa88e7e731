import { describe, expect, it, onTestFinished } from 'vitest';
import { type CommandName, type Degraded, SessionClient } from '../../src/index.ts';
import { useRedis } from '../support/use-redis.ts';

/* A site may pass on a command's name that a visitor sent. What is no name must not leave the process: a colon in it would
 * begin the session of somebody else. */

const server = useRedis();

const WRONG = [
  '',
  ':',
  'pageview:somebody-else:_1',
  'a b',
  'x",""],["pageview',
  'Pageview',
  '-',
  'a'.repeat(65),
  7,
  null,
];

describe('a text that is no name of a command', () => {
  it.each(['channels', 'streams'] as const)('is refused and not sent over %s', async (transport) => {
    const client = new SessionClient({ redis: server.url, transport });
    onTestFinished(() => client.close());
    const heard: string[] = [];
    const listener = await server.redis.duplicate().connect();
    onTestFinished(() => listener.close());
    await listener.subscribePatterns(['ss:*'], (_, channel) => heard.push(channel));
    expect(await client.ready()).toBe(true);
    const degraded: Degraded[] = [];
    client.on('degraded', (each) => degraded.push(each));
    for (const wrong of WRONG as CommandName[]) {
      expect(await client.request(wrong, 'someone', '/x' as never)).toBeUndefined();
      expect(await client.session('someone').request(wrong, '/x' as never)).toBeUndefined();
      expect(await client.publish(wrong, 'someone', '/x' as never)).toBe(false);
      expect(await client.request('together', 'someone', [[wrong, '/x']])).toBeUndefined();
    }
    expect(new Set(degraded.map(({ reason }) => reason))).toEqual(new Set(['bad-payload']));
    expect(degraded).toHaveLength(3 * WRONG.length);
    expect(heard).toEqual([]);
    expect(await server.redis.command('KEYS', '*@requests')).toEqual([]);
  });
});
