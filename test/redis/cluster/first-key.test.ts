import { expect, it } from 'vitest';
import { firstKeyOf } from '../../../src/redis/cluster/first-key.ts';
import { slotOfKey } from '../../../src/redis/key-slot.ts';
import { hasRedis7 } from '../../support/test-server.ts';
import { useRedis } from '../../support/use-redis.ts';

const server = useRedis({ extraArgs: ['--cluster-enabled', 'yes', '--port', '0'] });
const { redis } = server;

it.each([
  'GET k',
  'get k',
  'SET k v',
  'HSET k f v',
  'EVAL script 2 k1 k2 arg',
  'EVALSHA 0123456789012345678901234567890123456789 1 k',
  'XADD k * f v',
  'XREAD COUNT 1 BLOCK 10 STREAMS k1 k2 0 0',
  'xread streams k 0',
  'XREADGROUP GROUP g c STREAMS k >',
  'XGROUP CREATE k g 0',
  'XINFO STREAM k',
  'OBJECT ENCODING k',
  'MEMORY USAGE k',
  'BITOP AND k1 k2 k3',
  'ZUNION 1 k',
  'PFMERGE k1 k2',
  'BLPOP k 1',
  ...(hasRedis7 ? ['FCALL f 1 k a', 'SINTERCARD 2 k1 k2'] : []),
])('the first key of a command: finds the first key of %s where the server does', async (text) => {
  const command = text.split(' ');
  const [first] = await redis.command<string[]>('COMMAND', 'GETKEYS', ...command);
  expect(firstKeyOf(command)).toBe(first);
});

it.each(['PUBLISH c m', 'TIME', 'INFO', 'PING', 'SCRIPT FLUSH', 'CLIENT ID', 'CONFIG GET x', 'EVAL script 0 arg'])(
  'the first key of a command: finds none in %s',
  (text) => {
    expect(firstKeyOf(text.split(' '))).toBeUndefined();
  },
);

it('the first key of a command: finds the channel of SPUBLISH, which has a slot', () => {
  expect(firstKeyOf(['SPUBLISH', 'channel', 'm'])).toBe('channel');
});

it.each(['SCAN 0', 'DBSIZE', 'FLUSHALL', 'KEYS *', 'RANDOMKEY'])(
  'the first key of a command: refuses %s, which means one server',
  (text) => {
    expect(() => firstKeyOf(text.split(' '))).toThrow('in a Cluster send it to each of masters()');
  },
);

it('the first key of a command: knows the slot of a key as the server does', async () => {
  const keys = ['', 'a', 'sw:meta', 'sw:{53t}:x', '{}a', '{}{a}', 'a{b}c{d}', '{a', 'a}b{c}', 'ä{ö}ü', '{{a}}'];
  for (const key of keys) {
    const slot = await redis.command<number>('CLUSTER', 'KEYSLOT', key);
    expect([key, slotOfKey(key)]).toEqual([key, slot]);
    expect([key, slotOfKey(Buffer.from(key))]).toEqual([key, slot]);
  }
});
