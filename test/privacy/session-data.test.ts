import { createHash, createHmac, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { isOwnToken, secretOf } from '../../src/protocol/index.ts';
import { SessionData } from '../../src/sessions/index.ts';
import { userReference } from '../../src/sessions/tokens/user-reference.ts';
import { openSite, SITE_SECRET, tokenIn, Visitor } from '../faults/session-store-stage.ts';
import { filesOf, rewriteAppendOnlyFile } from '../support/redis-files.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What lies in Redis after people have used a shop: in its keys and values, in a snapshot, and in an AOF that was
 * rewritten. No token that a browser ever held, in any form; no user's id in a key's name; and with encryption no name
 * and no value of a field. Snapshot and AOF are written uncompressed, so that they can be looked through. */

const USER = 'ada.lovelace@example.org';
const ITEM = 'a-thing-in-the-cart-that-nobody-may-read';
/** What the list of devices calls a browser of the test. */
const DEVICE = 'Firefox on Linux';
const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const PREFIX = 'sess:';

/** Where a secret could be found. */
interface Places {
  readonly keys: string;
  readonly values: string;
  readonly snapshot: string;
  readonly appended: string;
}

const readable = ['--rdbcompression', 'no', '--aof-use-rdb-preamble', 'no'];
const server = useRedis({ persistence: true, extraArgs: [...readable], eachTest: 'kept' });
const { redis } = server;

/** Whatever there is now. */
async function look(): Promise<Places> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const [next, some] = await redis.command<[string, string[]]>('SCAN', cursor, 'COUNT', '1000');
    keys.push(...some);
    cursor = next;
  } while (cursor !== '0');
  const values: string[] = [];
  const latin1 = (reply: unknown): string =>
    Buffer.isBuffer(reply)
      ? reply.toString('latin1')
      : Array.isArray(reply)
        ? reply.map(latin1).join('\n')
        : String(reply);
  for (const key of keys) {
    const type = await redis.command<string>('TYPE', key);
    const reads: Record<string, string[]> = {
      string: ['GET', key],
      zset: ['ZRANGE', key, '0', '-1'],
      set: ['SMEMBERS', key],
      list: ['LRANGE', key, '0', '-1'],
      stream: ['XRANGE', key, '-', '+'],
    };
    // A hash comes as a map; its fields and values apart are arrays.
    const commands =
      type === 'hash'
        ? [
            ['HKEYS', key],
            ['HVALS', key],
          ]
        : [reads[type]!];
    for (const command of [...commands, ['DUMP', key]]) values.push(latin1(await redis.commandForBuffers(...command)));
  }
  await redis.command('SAVE');
  await rewriteAppendOnlyFile(server);
  const [snapshot, appended] = [filesOf(server, /\.rdb$/), filesOf(server, /\.aof$/)];
  return { keys: keys.join('\n'), values: values.join('\n'), snapshot, appended };
}

const where = (places: Places, needle: string): string[] =>
  Object.entries(places)
    .filter(([, text]) => text.includes(needle))
    .map(([place]) => place);

/** A token in all forms that would be of use to who finds it. */
function formsOf(token: string): string[] {
  const signature = createHmac('sha256', SITE_SECRET).update(token).digest('base64').replace(/=+$/, '');
  const signed = `s:${token}.${signature}`;
  const secret = secretOf(token);
  const bytes = Buffer.from(secret, 'base64url');
  return [
    token,
    secret,
    signed,
    encodeURIComponent(signed),
    signature,
    Buffer.from(token).toString('base64'),
    Buffer.from(token).toString('hex'),
    bytes.toString('latin1'),
    bytes.toString('hex'),
  ];
}

/** Visits, logins, rotations, carts, a logout, and sessions that connect-redis had kept. The tokens of all cookies. */
async function useTheShop(namespace: string, keys: Buffer[] | undefined): Promise<string[]> {
  const tokens = new Set<string>();
  for (const genid of [undefined, () => randomBytes(24).toString('base64url')]) {
    const site = await openSite(
      {
        redis: server.url,
        namespace,
        deadlineMs: 20_000,
        sweep: false,
        importFrom: PREFIX,
        maxSessionsPerUser: 2,
        onSessionLimit: 'end-oldest',
        ...(keys && { encryption: { keys, acceptPlain: true } }),
      },
      { ...(genid && { genid }), cookie: { maxAge: 600_000 }, rolling: true },
    );
    const visit = async (visitor: Visitor, ...paths: string[]): Promise<void> => {
      for (const path of paths) {
        const { status, cookies } = await (path === '/' ? visitor.get() : visitor.post(path));
        expect(status).toBe(200);
        for (const cookie of cookies) tokens.add(tokenIn(cookie.split(';')[0]));
      }
    };
    for (let i = 0; i < 3; i += 1) {
      await visit(
        new Visitor(site, undefined, USER_AGENT),
        `/cart/${ITEM}`,
        '/',
        `/rotated-login/${USER}`,
        `/cart/${ITEM}`,
        '/',
      );
    }
    await visit(new Visitor(site, undefined, USER_AGENT), `/cart/${ITEM}`, `/login/${USER}`, '/logout');
    const old = randomBytes(24).toString('base64url');
    const oldValues = { cookie: { originalMaxAge: 600_000, path: '/' }, user: USER, cart: [ITEM] };
    await redis.command('SET', `${PREFIX}${old}`, JSON.stringify(oldValues), 'EX', '600');
    tokens.add(old);
    const signature = createHmac('sha256', SITE_SECRET).update(old).digest('base64').replace(/=+$/, '');
    const imported = new Visitor(site, `connect.sid=${encodeURIComponent(`s:${old}.${signature}`)}`);
    expect((await imported.get()).body).toEqual({ user: USER, cart: [ITEM], degraded: false });
    await visit(imported, `/cart/${ITEM}`, `/rotated-login/${USER}`);
    await site.close();
  }
  return [...tokens];
}

describe.each([
  { name: 'session data', keys: undefined },
  { name: 'encrypted session data', keys: [createHash('sha256').update('a key').digest()] },
])('$name at rest', ({ name, keys }) => {
  let tokens: string[];
  let places: Places;

  beforeAll(async () => {
    tokens = await useTheShop(name.replaceAll(' ', '-'), keys);
    places = await look();
  });

  it('hold no token, in no form', () => {
    expect(tokens.filter(isOwnToken).length).toBeGreaterThanOrEqual(10);
    expect(tokens.filter((token) => !isOwnToken(token)).length).toBeGreaterThanOrEqual(6);
    for (const token of tokens) {
      for (const form of formsOf(token)) expect(where(places, form), `a form of ${token}`).toEqual([]);
    }
  });

  it('have no user id in a key name', () => {
    for (const part of [USER, encodeURIComponent(USER), 'lovelace', 'example']) {
      expect(places.keys.includes(part), `${part} in a key name`).toBe(false);
    }
  });

  it(keys ? 'show neither names nor values of fields' : 'show fields, so that this looks where they lie', () => {
    const found = keys ? [] : ['values', 'snapshot', 'appended'];
    for (const needle of [ITEM, USER, 'originalMaxAge', DEVICE]) {
      expect(where(places, needle), needle).toEqual(found);
    }
  });

  it('hold nothing of a user who was erased: no id, no hash of it, in no key, stream or file', async () => {
    const options = { redis: server.url, namespace: name.replaceAll(' ', '-'), sweep: false, deadlineMs: 20_000 };
    const data = new SessionData({ ...options, ...(keys && { encryption: { keys } }) });
    const listed = await data.sessionsOf(USER);
    expect(await data.userOf(listed[0]!.session)).toBe(USER);
    expect(await data.endSessionsOf(USER)).toBe(listed.length);
    expect(await data.userOf(listed[0]!.session)).toBeUndefined();
    await data.close();
    const reference = userReference(USER);
    const leftIn = (places: Places): string[] =>
      [USER, reference, reference.slice(3)].flatMap((needle) => where(places, needle));
    const after = await look();
    expect(after.values).toContain('identified');
    expect(leftIn({ ...after, snapshot: '', appended: '' })).toEqual([]);
    // Redis deletes the files that a rewritten AOF has replaced a moment later.
    await waitUntil('the files hold nothing', async () => leftIn(await look()).length === 0);
  });

  it('would show a token in each of these places', async () => {
    const [token] = tokens as [string];
    await redis.command('SET', `control:${token}`, Buffer.from(formsOf(token).join(' '), 'latin1'));
    const control = await look();
    await redis.command('DEL', `control:${token}`);
    expect(where(control, token)).toEqual(['keys', 'values', 'snapshot', 'appended']);
    for (const form of formsOf(token).slice(1)) {
      expect(where(control, form)).toEqual(expect.arrayContaining(['values', 'snapshot', 'appended']));
    }
    await redis.command('SET', `control:${USER}`, '1');
    expect((await look()).keys).toContain(USER);
    await redis.command('DEL', `control:${USER}`);
  });
});
