import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createToken } from '../../../src/protocol/index.ts';
import { type LoadedSession, SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { type RedisProxy, startRedisProxy } from '../../support/redis-proxy.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { useRedis } from '../../support/use-redis.ts';

/* Sessions of a megabyte: a save sends and logs the changed fields and not the rest. */

const server = useRedis();
const { redis } = server;
let proxy: RedisProxy;
let opened: SessionData[];

beforeEach(async () => {
  opened = [];
  proxy = await startRedisProxy(server.socketPath);
});
afterEach(async () => {
  await Promise.all(opened.map((data) => data.close()));
  await proxy.close();
});

function open(options: Partial<SessionDataOptions> = {}): SessionData {
  const data = new SessionData({ redis: proxy.url, sweep: false, deadlineMs: 20_000, ...options });
  opened.push(data);
  return data;
}

function megabyte(): Record<string, unknown> {
  const blocks = Array.from({ length: 10 }, (_, i) => [
    `block${i}`,
    Array.from({ length: 2_000 }, (_, n) => `text ${n} of ${i}: é ${'x'.repeat(30)}`),
  ]);
  const fields = Array.from({ length: 50 }, (_, i) => [`field${i}`, 100 + i]);
  return {
    ...Object.fromEntries(blocks.slice(0, 5)),
    ...Object.fromEntries(fields),
    ...Object.fromEntries(blocks.slice(5)),
  };
}

/** A session of a megabyte, saved and loaded. */
async function begin(
  data: SessionData,
): Promise<{ token: string; loaded: LoadedSession; values: Record<string, unknown> }> {
  const token = createToken();
  await data.save(token, megabyte(), undefined, { isNew: true });
  const loaded = (await data.load(token))!;
  const values = data.valuesOf(loaded);
  expect(JSON.stringify(values).length).toBeGreaterThan(900_000);
  // The scripts are sent in full the first time.
  await data.save(token, { ...values, field49: 999 }, loaded);
  await data.save(token, { ...values, field49: 9 }, loaded);
  const stale = (await data.load(token))!;
  await data.save(token, { ...values, field49: 99 }, loaded);
  await data.save(token, { ...values, field49: 98 }, stale);
  proxy.reset();
  const again = (await data.load(token))!;
  return { token, loaded: again, values: data.valuesOf(again) };
}

async function read(data: SessionData, token: string): Promise<unknown> {
  return data.valuesOf((await data.load(token))!);
}

function sent(): { commands: string[]; bytes: number } {
  const all = proxy.commands('sessionwise-store').filter(([name]) => !['PING', 'TIME', 'GET'].includes(name!));
  return {
    commands: all.map(([name]) => name!),
    bytes: all.flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0),
  };
}

async function callsOf(command: string): Promise<number> {
  const info = await redis.command<string>('INFO', 'commandstats');
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}

describe('a session of a megabyte', () => {
  it('is saved by one command of less than 2 KB where one field was changed, and written in place', async () => {
    const data = open();
    const { token, loaded, values } = await begin(data);
    const before = await callsOf('set');
    await data.save(token, { ...values, field7: 207 }, loaded);
    const { commands, bytes } = sent();
    expect(commands).toEqual(['EVALSHA']);
    expect(bytes).toBeLessThan(2_000);
    expect(await callsOf('set')).toBe(before);
    expect(await read(data, token)).toEqual({ ...values, field7: 207 });
  });

  it('sends no more where fields become longer, come and go', async () => {
    const data = open();
    const { token, loaded, values } = await begin(data);
    const { field1: _, field48: __, ...rest } = values;
    const next = { ...rest, field0: 'longer than before', field30: 1, näme: ['neu'], last: 'x'.repeat(300) };
    await data.save(token, next, loaded);
    expect(sent().commands).toEqual(['EVALSHA']);
    expect(sent().bytes).toBeLessThan(2_000);
    expect(await read(data, token)).toEqual(next);
  });

  it('sends no more where it is renewed, or others have changed it', async () => {
    const data = open({ idleMs: 60_000, touchEveryMs: 0 });
    const { token, loaded, values } = await begin(data);
    const other = (await data.load(token))!;
    await data.save(token, { ...values, field2: 202 }, other);
    await data.save(token, { ...values, field3: 203 }, loaded);
    const { commands, bytes } = sent();
    expect(commands).toEqual(['EVALSHA', 'EVALSHA']);
    expect(bytes).toBeLessThan(4_000);
    expect(await read(data, token)).toEqual({ ...values, field2: 202, field3: 203 });
  });

  it('takes 50 parallel changes of 50 fields, each in place', async () => {
    const data = open({ deadlineMs: 5_000 });
    const { token, values } = await begin(data);
    const all = await Promise.all(Array.from({ length: 50 }, () => data.load(token)));
    proxy.reset();
    const before = await callsOf('set');
    await Promise.all(all.map((loaded, i) => data.save(token, { ...values, [`field${i}`]: 500 + i }, loaded)));
    expect(sent().bytes).toBeLessThan(100_000);
    const expected = Object.fromEntries(all.map((_, i) => [`field${i}`, 500 + i]));
    expect(await read(data, token)).toEqual({ ...values, ...expected });
    // field49 has two digits before.
    expect((await callsOf('set')) - before).toBeLessThanOrEqual(1);
  });

  it('keeps what a plain object keeps, through 300 saves of changing fields', async () => {
    const data = open();
    const token = createToken();
    const values = {
      text: 'é'.repeat(5_000),
      ...Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`field${i}`, i])),
    };
    await data.save(token, values, undefined, { isNew: true });
    const random = new SeededRandom(1);
    const pick = (count: number): number => random.below(count);
    let loaded = (await data.load(token))!;
    const now: Record<string, unknown> = { ...values };
    for (let i = 0; i < 300; i += 1) {
      for (let n = 0; n <= pick(3); n += 1) {
        const name = `field${pick(70)}`;
        if (pick(4) === 0) delete now[name];
        else now[name] = [pick(10), 'ü'.repeat(pick(40)), { n: pick(1_000) }][pick(3)];
      }
      if (pick(5) === 0) loaded = (await data.load(token))!;
      const stale = pick(6) === 0 ? (await data.load(token))! : undefined;
      if (stale) {
        now.field0 = i;
        await data.save(token, { ...data.valuesOf(stale), field0: i }, stale);
      }
      await data.save(token, now, loaded);
    }
    expect(await read(data, token)).toEqual(now);
  });
});
