import { describe, expect, it } from 'vitest';
import { defineScript, defineStepWrapper } from '../../src/redis/index.ts';
import { defineLua } from '../../src/redis/lua-text.ts';
import { useRedis } from '../support/use-redis.ts';

const { redis } = useRedis();

describe('a script around steps', () => {
  const append = defineScript({
    name: 'append',
    keys: ['list'],
    args: { prefix: 'text' },
    restKeys: 'other',
    restArgs: 'item',
    output: 'how many keys and arguments the step sees, and how long the list is',
    body: `
      for i = firstItem, #ARGV do redis.call('RPUSH', list, prefix .. ARGV[i]) end
      return { #KEYS, #ARGV, redis.call('LLEN', list) }`,
  }).returns<number[]>();
  const count = defineStepWrapper({
    name: 'count-around',
    uses: [defineLua({ name: 'one', source: 'local one = 1' })],
    keys: ['counter', 'log'],
    args: { least: 'number', isLogged: 'flag', note: 'text' },
    output: "the count, then the step's answer",
    body: (stepSource) => `
      local function effects()
        ${stepSource}
      end
      local counted = redis.call('INCRBY', counter, least + one)
      if isLogged then redis.call('RPUSH', log, note) end
      return { counted, effects() }`,
  });
  const keys = { counter: 'counter', log: 'log' };

  it('sees its own keys and arguments by name, and the step sees no others than its own', async () => {
    const step = append.step({ list: 'list' }, { prefix: '-' }, (seen) => seen, { keys: ['spare'], args: ['a', 'b'] });
    const args = { least: 4, isLogged: true, note: 'done' };
    expect(await count.run(redis, step, keys, args)).toEqual([5, [2, 3, 2]]);
    expect(await redis.command('LRANGE', 'list', '0', '-1')).toEqual(['-a', '-b']);
    expect(await redis.command('LRANGE', 'log', '0', '-1')).toEqual(['done']);
    expect(await count.run(redis, step, keys, { ...args, isLogged: false })).toEqual([10, [2, 3, 4]]);
    expect(await redis.command('LLEN', 'log')).toBe(1);
  });

  it('is one script for each script that it stands around', () => {
    const other = defineScript({ name: 'other', keys: ['key'], output: '1', body: 'return 1' });
    expect(count.around(append.script)).toBe(count.around(append.script));
    expect(count.around(append.script).hash).not.toBe(count.around(other.script).hash);
  });

  it('says its input and output in its header', () => {
    expect(count.around(append.script).source.split('\n').slice(0, 4)).toEqual([
      '-- count-around',
      "-- Input: KEYS the step's ..., counter, log",
      "--        ARGV the step's ..., least, isLogged, note",
      "-- Output: the count, then the step's answer",
    ]);
  });

  it('refuses names that stand twice', () => {
    const definition = { name: 'bad', keys: ['key'], args: { key: 'text' }, output: '', body: () => '' } as const;
    expect(() => defineStepWrapper(definition)).toThrow('bad: key stands twice.');
  });
});
