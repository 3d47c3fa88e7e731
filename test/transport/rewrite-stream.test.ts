import { describe, expect, it } from 'vitest';
import { rewriteStream } from '../../src/transport/streams/scripts/rewrite-stream.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

const server = useRedis();
const { redis } = server;
const KEYS = { stream: 'stream', fresh: 'fresh' };
const NAME = 'a-name-in-a-deleted-entry';
const most = 1_000;

const dump = async (): Promise<string> =>
  (await redis.commandForBuffers<Buffer>('DUMP', KEYS.stream)).toString('latin1');
const entries = (): Promise<[string, string[]][]> => redis.command('XRANGE', KEYS.stream, '-', '+');

async function fill(count: number): Promise<string[]> {
  await redis.command('CONFIG', 'SET', 'rdbcompression', 'no');
  const ids: string[] = [];
  for (let i = 1; i <= count; i += 1) {
    ids.push(await redis.command<string>('XADD', KEYS.stream, `${i}-1`, 'name', i % 2 === 0 ? NAME : `other ${i}`));
  }
  return ids;
}

describe('rewriting a stream', () => {
  it('leaves no byte of a deleted entry, and all else as it was', async () => {
    const ids = await fill(250);
    await redis.command('XDEL', KEYS.stream, ...ids.filter((_, i) => i % 2 === 1));
    const before = await entries();
    expect(before).toHaveLength(125);
    expect(await dump()).toContain(NAME);
    expect(await rewriteStream.run(redis, KEYS, { most })).toMatchObject({ status: 'done' });
    expect(await dump()).not.toContain(NAME);
    expect(await entries()).toEqual(before);
    expect(await redis.command('EXISTS', KEYS.fresh)).toBe(0);
    // The last id was that of a deleted entry, and none before it may come again.
    await expect(redis.command('XADD', KEYS.stream, '250-1', 'a', 'b')).rejects.toThrow(/equal or smaller/);
    expect(await redis.command('XADD', KEYS.stream, '250-2', 'a', 'b')).toBe('250-2');
  });

  it('keeps groups, consumers and entries that are pending, with their counts', async () => {
    const ids = await fill(10);
    await redis.command('XGROUP', 'CREATE', KEYS.stream, 'mailer', '0');
    await redis.command('XGROUP', 'CREATE', KEYS.stream, 'idle', '3-1');
    await redis.command('XREADGROUP', 'GROUP', 'mailer', 'one', 'COUNT', '4', 'STREAMS', KEYS.stream, '>');
    await redis.command('XREADGROUP', 'GROUP', 'mailer', 'two', 'COUNT', '2', 'STREAMS', KEYS.stream, '>');
    await redis.command('XCLAIM', KEYS.stream, 'mailer', 'two', '0', '1-1');
    await redis.command('XGROUP', 'CREATECONSUMER', KEYS.stream, 'idle', 'nobody');
    await redis.command('XDEL', KEYS.stream, ...ids.filter((_, i) => i % 2 === 1));
    const pending = async () =>
      (await redis.command<[string, string, number, number][]>('XPENDING', KEYS.stream, 'mailer', '-', '+', '100')).map(
        ([id, consumer, , count]) => [id, consumer, count],
      );
    const consumers = async (group: string) =>
      (await redis.command<unknown[]>('XINFO', 'CONSUMERS', KEYS.stream, group)).length;
    const survivors = (await pending()).filter(([id]) => Number.parseInt(String(id), 10) % 2 === 1);
    expect(await rewriteStream.run(redis, KEYS, { most })).toMatchObject({ status: 'done' });
    expect(await pending()).toEqual(survivors);
    expect(survivors).toEqual([
      ['1-1', 'two', 2],
      ['3-1', 'one', 1],
      ['5-1', 'two', 1],
    ]);
    expect([await consumers('mailer'), await consumers('idle')]).toEqual([2, 1]);
    const next = await redis.command<unknown>('XREADGROUP', 'GROUP', 'mailer', 'one', 'STREAMS', KEYS.stream, '>');
    expect(JSON.stringify(next)).toContain('7-1');
  });

  it('is not noticed by readers that wait, of the stream and of a group', async () => {
    await fill(3);
    await redis.command('XGROUP', 'CREATE', KEYS.stream, 'mailer', '$');
    const [reader, member] = [redis.duplicate('reader'), redis.duplicate('member')];
    await Promise.all([reader.connect(), member.connect()]);
    const read = reader.command('XREAD', 'BLOCK', '10000', 'STREAMS', KEYS.stream, '$');
    const taken = member.command(
      ...['XREADGROUP', 'GROUP', 'mailer', 'one', 'BLOCK', '10000', 'STREAMS', KEYS.stream, '>'],
    );
    await waitUntil('both wait', async () =>
      (await redis.command<string>('INFO', 'clients')).includes('blocked_clients:2'),
    );
    expect(await rewriteStream.run(redis, KEYS, { most })).toMatchObject({ status: 'done' });
    await redis.command('XADD', KEYS.stream, '9-1', 'name', 'later');
    expect(JSON.stringify(await read)).toContain('later');
    expect(JSON.stringify(await taken)).toContain('later');
    await Promise.all([reader.close(), member.close()]);
  });

  it('leaves a stream that is too long, and one without entries', async () => {
    const ids = await fill(20);
    expect(await rewriteStream.run(redis, KEYS, { most: 19 })).toMatchObject({ status: 'tooLong' });
    expect(await entries()).toHaveLength(20);
    await redis.command('XDEL', KEYS.stream, ...ids);
    expect(await rewriteStream.run(redis, KEYS, { most })).toMatchObject({ status: 'empty' });
    expect(await dump()).not.toContain(NAME);
    expect(await rewriteStream.run(redis, { ...KEYS, stream: 'absent' }, { most })).toMatchObject({ status: 'empty' });
    expect(await redis.command('EXISTS', KEYS.fresh, 'absent')).toBe(0);
  });

  it('leaves a stream with an entry of more fields than a script can hold', async () => {
    await redis.command('XADD', KEYS.stream, '*', ...Array.from({ length: 5_000 }, (_, i) => `f${i}`));
    expect(await rewriteStream.run(redis, KEYS, { most })).toMatchObject({ status: 'tooLong' });
    expect(await redis.command('EXISTS', KEYS.fresh)).toBe(0);
    expect(await entries()).toHaveLength(1);
  });

  it('works in a Redis that is full', async () => {
    const ids = await fill(20);
    await redis.command('XDEL', KEYS.stream, ids[1]!);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    await expect(redis.command('SET', 'a', 'b')).rejects.toThrow(/OOM/);
    expect(await rewriteStream.run(redis, KEYS, { most })).toMatchObject({ status: 'done' });
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    expect(await entries()).toHaveLength(19);
  });
});
