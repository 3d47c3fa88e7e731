import { describe, expect, it } from 'vitest';
import { defineScript } from '../../src/redis/define-script.ts';
import { defineLua, joinLua } from '../../src/redis/lua-text.ts';
import { useRedis } from '../support/use-redis.ts';

const { redis } = useRedis();

describe('a defined script', () => {
  const move = defineScript({
    name: 'move-up-to',
    keys: ['from', 'to'],
    args: { most: 'number', isForced: 'flag', note: 'text' },
    restKeys: 'other',
    restArgs: 'item',
    statuses: { moved: 1, nothing: 0, tooMany: -1 },
    output: 'moved, the keys, the note, the items; else nothing or tooMany',
    body: (status) => `
      if most == 0 then return ${status.nothing} end
      if most > 10 and not isForced then return { ${status.tooMany} } end
      return { ${status.moved}, from, to, KEYS[firstOther], note, unpack(ARGV, firstItem) }`,
  }).returns<string[]>();
  const keys = { from: 'a{x}', to: 'b{x}' };

  it('gets keys, arguments and what stands behind them by name, and answers a status by name', async () => {
    const rest = { keys: ['c{x}'], args: ['one', 'two'] };
    expect(await move.run(redis, keys, { most: 11, isForced: true, note: 'n' }, rest)).toEqual({
      status: 'moved',
      values: ['a{x}', 'b{x}', 'c{x}', 'n', 'one', 'two'],
    });
    const args = { most: 11, isForced: false, note: '' };
    expect(await move.run(redis, keys, args)).toEqual({ status: 'tooMany', values: [] });
    expect(await move.run(redis, keys, { ...args, most: 0 })).toEqual({ status: 'nothing', values: [] });
  });

  it('reads Buffers where it says so, and any answer where it names no statuses', async () => {
    const echo = defineScript({
      name: 'echo',
      keys: ['key'],
      args: { text: 'text' },
      buffers: true,
      output: 'the text',
      body: 'return text',
    }).returns<Buffer>();
    const bytes = Buffer.from([0, 255, 128]);
    expect(await echo.run(redis, { key: 'k' }, { text: bytes })).toEqual(bytes);
  });

  it('refuses an answer with a status that it does not name', async () => {
    const odd = defineScript({ name: 'odd', keys: ['key'], statuses: { done: 1 }, output: 'done', body: 'return 7' });
    await expect(odd.run(redis, { key: 'k' }, {})).rejects.toThrow('The script odd answered 7.');
  });

  it('says its input and output in its header', () => {
    expect(move.script.source.split('\n').slice(0, 7)).toEqual([
      '-- move-up-to',
      '-- Input: KEYS from, to, other ...',
      '--        ARGV most, isForced, note, item ...',
      '-- Output: moved, the keys, the note, the items; else nothing or tooMany',
      'local from, to = KEYS[1], KEYS[2]',
      "local most, isForced, note = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3]",
      'local firstOther = 3',
    ]);
  });

  it('leaves out the last keys whose names end with ?', async () => {
    const count = defineScript({
      name: 'count-keys',
      keys: ['first', 'second?', 'third?'],
      output: 'how many keys, the second or nothing',
      body: `return { #KEYS, second or '' }`,
    }).returns<[number, string]>();
    expect(await count.run(redis, { first: 'a{x}' }, {})).toEqual([1, '']);
    expect(await count.run(redis, { first: 'a{x}', second: 'b{x}', third: undefined }, {})).toEqual([2, 'b{x}']);
    expect(await count.run(redis, { first: 'a{x}', second: 'b{x}', third: 'c{x}' }, {})).toEqual([3, 'b{x}']);
    const inFront = () => defineScript({ name: 'bad', keys: ['key?', 'other'], output: '', body: '' });
    expect(inFront).toThrow('bad: only the last keys can be left out.');
    const beforeRest = () => defineScript({ name: 'bad', keys: ['key?'], restKeys: 'other', output: '', body: '' });
    expect(beforeRest).toThrow('bad: only the last keys can be left out.');
  });

  it('makes a step, which reads as the script does', () => {
    const step = move.step(keys, { most: 1, isForced: false, note: 'n' }, ({ status }) => status);
    expect([step.keys, step.args, step.read(0)]).toEqual([['a{x}', 'b{x}'], [1, '', 'n'], 'nothing']);
  });

  it('refuses names that Lua cannot have, and names that stand twice', () => {
    const named = (key: string) => () => defineScript({ name: 'bad', keys: ['key', key], output: '', body: '' });
    expect(named('end')).toThrow('bad: end is no name in Lua.');
    expect(named('a-b')).toThrow('bad: a-b is no name in Lua.');
    expect(named('key')).toThrow('bad: key stands twice.');
  });
});

describe('shared texts', () => {
  const one = defineLua({ name: 'one', source: 'local one = 1' });
  const two = defineLua({ name: 'two', uses: [one], source: 'local two = one + 1' });

  it('stand in the order in which they need each other, each once', async () => {
    expect(joinLua([two, one])).toBe('local one = 1\nlocal two = one + 1');
    const sum = defineScript({ name: 'sum', uses: [two, one], keys: ['key'], output: 'a number', body: 'return two' });
    expect(await sum.run(redis, { key: 'k' }, {})).toBe(2);
  });

  it('leave out what stands there already, with all that it uses', () => {
    const three = defineLua({ name: 'three', uses: [two], source: 'local three = two + 1' });
    expect(joinLua([three], [two])).toBe('local three = two + 1');
    expect(joinLua([three], [one])).toBe('local two = one + 1\nlocal three = two + 1');
  });

  it('cannot share a name', () => {
    expect(() => joinLua([one, defineLua({ name: 'one', source: '' })])).toThrow('Two Lua texts are named one.');
  });
});
