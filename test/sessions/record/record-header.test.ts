import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { joinLua } from '../../../src/redis/index.ts';
import { recordLua } from '../../../src/sessions/lua/record-lua.ts';
import { nextHeader, RECORD_FORMAT, readHeader, SHORT_HEADER } from '../../../src/sessions/record/record-header.ts';
import { userReference } from '../../../src/sessions/tokens/user-reference.ts';
import { useRedis } from '../../support/use-redis.ts';

const NOW = 1_795_236_278_596;

describe('record header', () => {
  const { redis } = useRedis();

  /** What the scripts write of these facts. */
  function packedByRedis(facts: {
    ended: boolean;
    encrypted: boolean;
    secret: Buffer;
    cookie: number;
    version: number;
    previous?: Buffer;
    user?: string;
  }): Promise<Buffer> {
    const script = `${joinLua([recordLua])}
      local r = { ended = ARGV[1] == '1', sealed = ARGV[2] == '1', secret = ARGV[3], cookie = tonumber(ARGV[4]),
        version = tonumber(ARGV[5]), created = ${NOW}, seen = ${NOW + 1}, expires = ${NOW + 2} }
      if ARGV[6] ~= '' then r.previous, r.previous_until = ARGV[6], ${NOW + 3} end
      if ARGV[7] ~= '' then r.user = ARGV[7] end
      return pack_header(r)`;
    const { ended, encrypted, secret, cookie, version, previous = '', user = '' } = facts;
    const args = [ended ? '1' : '0', encrypted ? '1' : '0', secret, String(cookie), String(version), previous, user];
    return redis.commandForBuffers('EVAL', script, '0', ...args);
  }

  /** What the scripts read of a record: each fact as text, and their own repacking of it. */
  async function readByRedis(record: Buffer): Promise<{ facts: string[]; repacked: Buffer }> {
    await redis.command('SET', 'record', record);
    const script = `${joinLua([recordLua])}
      local r = read_record(KEYS[1])
      if not r then return { 'absent' } end
      return { tostring(r.ended), tostring(r.sealed), string.format('%.0f', r.created), string.format('%.0f', r.seen),
        string.format('%.0f', r.expires), string.format('%.0f', r.cookie), string.format('%.0f', r.version),
        tostring(r.size), r.user or '', body_of(KEYS[1], r), pack_header(r) }`;
    const reply = await redis.commandForBuffers<Buffer[]>('EVAL', script, '1', 'record');
    return { facts: reply.slice(0, -1).map(String), repacked: reply.at(-1)! };
  }

  const combinations = [false, true].flatMap((ended) =>
    [false, true].flatMap((encrypted) =>
      [undefined, randomBytes(32)].flatMap((previous) =>
        [undefined, userReference('ada')].map((user) => ({ ended, encrypted, previous, user })),
      ),
    ),
  );

  it.each(combinations)('both sides read what the other wrote: %o', async ({ ended, encrypted, previous, user }) => {
    const secret = randomBytes(32);
    for (const [cookie, version] of [
      [0, 0],
      [NOW + 4, 2 ** 32 - 1],
    ] as const) {
      const header = await packedByRedis({
        ended,
        encrypted,
        secret,
        cookie,
        version,
        ...(previous && { previous }),
        ...(user !== undefined && { user }),
      });
      const length = SHORT_HEADER + (previous ? 40 : 0) + (user ? 28 : 0);
      const record = Buffer.concat([header, Buffer.from('body')]);
      expect(readHeader(record)).toEqual({
        ended,
        encrypted,
        secret,
        createdAt: NOW,
        lastSeenAt: NOW + 1,
        expiresAt: NOW + 2,
        cookieExpiresAt: cookie,
        version,
        previous: previous && { secret: previous, until: NOW + 3 },
        user,
        length,
      });
      const { facts, repacked } = await readByRedis(record);
      const times = [NOW, NOW + 1, NOW + 2, cookie, version, length].map(String);
      expect(facts).toEqual([String(ended), String(encrypted), ...times, user ?? '', 'body']);
      expect(repacked.equals(header)).toBe(true);
    }
  });

  it('the next header counts the version, modulo 2^32, and keeps all else', async () => {
    const header = await packedByRedis({
      ended: false,
      encrypted: true,
      secret: randomBytes(32),
      cookie: 0,
      version: 2 ** 32 - 1,
      previous: randomBytes(32),
      user: userReference('ada'),
    });
    const before = readHeader(header);
    const next = readHeader(nextHeader(header, { lastSeenAt: NOW + 9, cookieExpiresAt: NOW + 10, encrypted: false }));
    expect(next).toEqual({ ...before, version: 0, lastSeenAt: NOW + 9, cookieExpiresAt: NOW + 10, encrypted: false });
    expect(readHeader(nextHeader(header, { lastSeenAt: 1, cookieExpiresAt: 0, encrypted: true })).encrypted).toBe(true);
    expect(readHeader(header)).toEqual(before);
  });

  it('what is no record of this format is refused', async () => {
    const header = await packedByRedis({
      ended: false,
      encrypted: false,
      secret: randomBytes(32),
      cookie: 0,
      version: 1,
    });
    const foreign = Buffer.from(header);
    foreign[0] = RECORD_FORMAT + 1;
    const truncated = Buffer.from(header);
    truncated[1] = 2;
    for (const record of [Buffer.alloc(0), header.subarray(0, 69), Buffer.from('{"cookie":{}}'), foreign, truncated]) {
      expect(() => readHeader(record)).toThrow(RangeError);
    }
    await expect(readByRedis(foreign)).rejects.toThrow(/SESSIONDATA of format 2/);
  });
});
