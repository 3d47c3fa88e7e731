import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { ArchiveQueue } from '../../../src/sessions/archive/archive-queue.ts';
import { type LoadedSession, recordOf, SessionData, SessionDataError } from '../../../src/sessions/index.ts';
import { RecordEncryption } from '../../../src/sessions/record/record-encryption.ts';
import { FLAGS, readHeader } from '../../../src/sessions/record/record-header.ts';
import { readToken } from '../../../src/sessions/tokens/token-credential.ts';
import { userReference } from '../../../src/sessions/tokens/user-reference.ts';
import { useRedis } from '../../support/use-redis.ts';
import { SessionDataStage } from '../session-data/session-data-stage.suite.ts';

const [first, second] = [randomBytes(32), randomBytes(32)];

describe('encryption of sessions at rest', () => {
  const server = useRedis({ eachTest: 'kept' });
  const { redis } = server;
  let sealed: SessionData;
  let plain: SessionData;
  const stage = new SessionDataStage({
    open: (options) => new SessionData({ redis: server.url, ...options }),
    get redis() {
      return redis;
    },
  });

  beforeAll(async () => {
    sealed = stage.open({ encryption: { keys: [first] } });
    plain = stage.open();
  });
  afterAll(async () => {
    await stage.closeAll();
  });

  it('no name and no value can be read in Redis, whatever was done with the session', async () => {
    const token = await stage.saved(sealed, { 'secret-name': 'secret-value', cookie: { path: '/secret-path' } });
    const loaded = (await sealed.load(token))!;
    await sealed.save(token, { 'secret-name': 'secret-value', 'secret-other': { in: ['secret-value'] } }, loaded);
    await sealed.increment(token, 'secret-number', 77_777);
    await sealed.append(token, 'secret-list', ['secret-value']);
    await sealed.setIf(token, sealed.infoOf((await sealed.load(token))!).version, { 'secret-set': 'secret-value' });
    await sealed.identify(token, 'secret-user', { device: 'secret-device' });
    const next = await sealed.rotate(token, { grace: true });
    expect(sealed.infoOf((await sealed.load(next))!).userId).toBe('secret-user');
    expect(recordOf((await sealed.find(token)) as LoadedSession).userId).toBe('secret-user');
    for (const key of await redis.command<string[]>('KEYS', '*')) {
      expect(key).not.toMatch(/secret|77777/);
      const dump = (await redis.commandForBuffers<Buffer>('DUMP', key)).toString('latin1');
      expect(dump, key).not.toMatch(/secret|77777|user|device/);
    }
    expect((await stage.bytes(token))!.toString('latin1')).not.toMatch(/secret|77777/);
    expect(JSON.stringify(await stage.lifecycle(token))).not.toMatch(/secret/);
  });

  it('a plain store shows what this test looks for', async () => {
    const token = await stage.saved(plain, { 'readable-name': 'readable-value' });
    const text = (await stage.bytes(token))!.toString('latin1');
    expect(text).toMatch(/readable-name/);
    expect(text).toMatch(/readable-value/);
  });

  it('the same values look different in each record and after each save', async () => {
    const tokens = [await stage.saved(sealed, { a: 1 }), await stage.saved(sealed, { a: 1 })];
    const bodies = await Promise.all(tokens.map(async (token) => bodyOf((await stage.bytes(token))!)));
    expect(bodies[0]!.equals(bodies[1]!)).toBe(false);
    await sealed.save(tokens[0]!, { a: 1 }, await sealed.load(tokens[0]!));
    expect(bodyOf((await stage.bytes(tokens[0]!))!).equals(bodies[0]!)).toBe(false);
  });

  it('a new key in front: old data open, and are under the new key after the next save', async () => {
    const token = await stage.saved(sealed, { a: 1 });
    const both = stage.open({ encryption: { keys: [second, first] } });
    const next = stage.open({ encryption: { keys: [second] } });
    await expect(next.load(token)).rejects.toThrow(SessionDataError);
    const loaded = (await both.load(token))!;
    expect(both.valuesOf(loaded)).toEqual({ a: 1 });
    await both.save(token, { a: 2 }, loaded);
    expect(await stage.values(next, token)).toEqual({ a: 2 });
    await expect(sealed.load(token)).rejects.toThrow(SessionDataError);
  });

  it.each([
    ['another key', { encryption: { keys: [second] } }],
    ['no key', {}],
  ])('with %s the data cannot be read, and stay as they are', async (_, options) => {
    const stranger = stage.open(options);
    const token = await stage.saved(sealed, { a: 1, n: 1, list: [] });
    const before = await stage.bytes(token);
    for (const operation of [
      () => stranger.load(token),
      () => stranger.save(token, { a: 2 }),
      () => stranger.increment(token, 'n'),
      () => stranger.append(token, 'list', [1]),
      () => stranger.identify(token, 'ada'),
      () => stranger.rotate(token),
    ]) {
      await expect(operation()).rejects.toThrow(SessionDataError);
      expect(await stage.bytes(token)).toEqual(before);
    }
    expect(await stage.values(sealed, token)).toEqual({ a: 1, n: 1, list: [] });
    expect(stranger.isUp).toBe(true);
  });

  it('who has no key can still renew and end: neither needs the data', async () => {
    const token = await stage.saved(sealed, { a: 1 });
    expect(await plain.touch(token, {})).toBe(true);
    expect(await stage.values(sealed, token)).toEqual({ a: 1 });
    expect(await plain.end(token)).toBe(true);
    expect(await sealed.load(token)).toBeUndefined();
  });

  it('another secret in the header, as of an attacker, opens nothing, and nobody else can use it either', async () => {
    const [victims, own] = [await stage.saved(sealed, { role: 'admin' }), createToken()];
    const token = `${sessionOf(victims)}.${own.slice(26)}`;
    const record = (await stage.bytes(victims))!;
    readToken(token)!.hash.copy(record, 2);
    await redis.command('SET', stage.key(victims), record);
    for (const work of [
      () => sealed.load(token),
      () => sealed.increment(token, 'n'),
      () => sealed.identify(token, 'eve'),
      () => sealed.rotate(token),
      () => sealed.save(token, { a: 1 }),
    ]) {
      await expect(work()).rejects.toThrow(SessionDataError);
    }
    expect(await sealed.load(victims)).toBeUndefined();
  });

  it('another user in the header is not believed', async () => {
    const token = await stage.saved(sealed, { a: 1 });
    await sealed.identify(token, 'ada');
    const loaded = (await sealed.load(token))!;
    const record = (await stage.bytes(token))!;
    const { length } = readHeader(record);
    record.write(userReference('eve'), length - 28, 'latin1');
    await redis.command('SET', stage.key(token), record);
    await expect(sealed.load(token)).rejects.toThrow(SessionDataError);
    // What was read off the header by the way is not taken over either.
    expect(await sealed.touch(token, { cookie: { expires: new Date(Date.now() + 1_000) } }, loaded)).toBe(true);
    await expect(sealed.save(token, { a: 2 }, loaded)).rejects.toThrow(SessionDataError);
    await expect(sealed.rotate(token, {}, loaded)).rejects.toThrow(SessionDataError);
    await expect(sealed.load(token)).rejects.toThrow(SessionDataError);
  });

  it('a plain record in the place of a sealed one is refused, unless plain ones are accepted', async () => {
    const token = await stage.saved(plain, { role: 'admin' });
    const record = await stage.bytes(token);
    for (const work of [
      () => sealed.load(token),
      () => sealed.save(token, { a: 1 }),
      () => sealed.increment(token, 'n'),
      () => sealed.setIf(token, 1, { a: 1 }),
      () => sealed.identify(token, 'ada'),
      () => sealed.rotate(token),
    ]) {
      await expect(work()).rejects.toThrow(/are not encrypted/);
      await expect(work()).rejects.toMatchObject({ code: 'SESSION_DATA', status: 500 });
    }
    expect(await stage.bytes(token)).toEqual(record);
    expect(await sealed.all()).not.toContainEqual(expect.objectContaining({ session: sessionOf(token) }));
    const migrating = stage.open({ encryption: { keys: [first], acceptPlain: true } });
    expect(await stage.values(migrating, token)).toEqual({ role: 'admin' });
    expect(await sealed.end(token)).toBe(true);
  });

  it('a logout cannot be undone in what is kept for the archive', async () => {
    const namespace = stage.freshNamespace();
    const store = stage.open({ namespace, encryption: { keys: [first] } });
    const queue = new ArchiveQueue(redis, namespace, 100, new RecordEncryption([first], namespace));
    await queue.arm();
    const token = await stage.saved(store, { role: 'admin' });
    const before = (await stage.bytes(token, namespace))!;
    await store.end(token);
    const kept = (await stage.bytes(token, namespace))!;
    expect(readHeader(kept).ended).toBe(true);
    const ended = { session: sessionOf(token), endedAt: await stage.serverNow(), attempts: 0 };
    expect((await queue.read(ended))!.data).toEqual({ role: 'admin' });
    const revived = Buffer.from(kept);
    revived[1]! &= ~FLAGS.ended;
    await redis.command('SET', stage.key(token, namespace), revived);
    expect(await store.load(token)).toBeUndefined();
    // The record does not say any more what the secret was; only who has kept it can put it back.
    expect(kept.includes(before.subarray(2, 34))).toBe(false);
    const forged = Buffer.from(revived);
    readToken(createToken(sessionOf(token)))!.hash.copy(forged, 2);
    await redis.command('SET', stage.key(token, namespace), forged);
    await expect(store.increment({ session: sessionOf(token) }, 'n')).rejects.toThrow(SessionDataError);
  });

  it('a rotation seals anew, alone, with what was loaded, with changes by others, and in a grace', async () => {
    const token = await stage.saved(sealed, { a: 1 });
    const loaded = (await sealed.load(token))!;
    await sealed.save(token, { a: 1, b: 2 }, await sealed.load(token));
    const second = await sealed.rotate(token, {}, loaded);
    expect(await stage.values(sealed, second)).toEqual({ a: 1, b: 2 });
    // It follows: a save by the same request keeps what others have set.
    await sealed.save(second, { a: 3 }, loaded);
    expect(await stage.values(sealed, second)).toEqual({ a: 3, b: 2 });
    const third = await sealed.rotate(second, { grace: true });
    await sealed.save(third, { a: 4 }, await sealed.load(third));
    expect(sealed.valuesOf((await sealed.find(second)) as LoadedSession)).toEqual({ a: 3, b: 2 });
    const jobs = [1, 2, 3, 4, 5].map(() => sealed.increment({ session: sessionOf(token) }, 'n'));
    const fourth = await sealed.rotate(third);
    await Promise.all(jobs);
    expect(await stage.values(sealed, fourth)).toEqual({ a: 4, n: 5 });
  });

  it('others that are faster for a whole deadline: unavailable, with its status, and not gone', async () => {
    const others = { encryption: { keys: [first] }, ownConnection: true };
    const rivals = Array.from({ length: 8 }, () => stage.open(others));
    const hurried = stage.open({ ...others, deadlineMs: 8 });
    const token = await stage.saved(sealed, { n: 0, mine: 0 });
    let isOver = false;
    const racing = rivals.map(async (rival) => {
      while (!isOver) await rival.increment(token, 'n');
    });
    const outcomes: unknown[] = [];
    while (outcomes.filter((outcome) => outcome !== undefined).length < 100) {
      const loaded = await sealed.load(token);
      const work = outcomes.length % 2 ? hurried.increment(token, 'mine') : hurried.save(token, { mine: -1 }, loaded);
      outcomes.push(await work.then((result) => (result === undefined ? 'gone' : undefined)).catch((error) => error));
    }
    isOver = true;
    await Promise.all(racing);
    for (const outcome of outcomes.filter(Boolean)) {
      expect(outcome).toMatchObject({ code: 'STORE_UNAVAILABLE', status: 503 });
    }
  });

  it("one session's sealed data in another's record, or another namespace's, are refused", async () => {
    const [mine, theirs] = [await stage.saved(sealed, { role: 'guest' }), await stage.saved(sealed, { role: 'admin' })];
    const [own, foreign] = [(await stage.bytes(mine))!, (await stage.bytes(theirs))!];
    await redis.command(
      'SET',
      stage.key(mine),
      Buffer.concat([own.subarray(0, readHeader(own).length), bodyOf(foreign)]),
    );
    await expect(sealed.load(mine)).rejects.toThrow(SessionDataError);
    await expect(sealed.load(mine)).rejects.toThrow(new RegExp(sessionOf(mine)));
    // The whole record: the secret is another's, so it is nobody's.
    await redis.command('SET', stage.key(mine), foreign);
    expect(await sealed.load(mine)).toBeUndefined();

    const namespace = stage.freshNamespace();
    const elsewhere = stage.open({ namespace, encryption: { keys: [first] } });
    await redis.command('SET', stage.key(theirs, namespace), foreign);
    await expect(elsewhere.load(theirs)).rejects.toThrow(SessionDataError);
  });

  it('a changed byte anywhere in the sealed data is noticed', async () => {
    const token = await stage.saved(sealed, { a: 1 });
    const record = (await stage.bytes(token))!;
    const { length } = readHeader(record);
    for (let at = length; at < record.length; at += 1) {
      const changed = Buffer.from(record);
      changed[at]! ^= 1;
      await redis.command('SET', stage.key(token), changed);
      await expect(sealed.load(token)).rejects.toThrow(SessionDataError);
    }
    await redis.command('SET', stage.key(token), record);
    expect(await stage.values(sealed, token)).toEqual({ a: 1 });
  });

  it('switching encryption on: plain data are read, changed, and sealed by the next write', async () => {
    const migrating = stage.open({ encryption: { keys: [first], acceptPlain: true } });
    for (const write of [
      (token: string) => migrating.save(token, { a: 'readable', b: 1 }),
      async (token: string) => migrating.save(token, { a: 'readable', b: 1 }, await migrating.load(token)),
      (token: string) => migrating.increment(token, 'b'),
      async (token: string) =>
        migrating.setIf(token, migrating.infoOf((await migrating.load(token))!).version, { b: 1 }),
      (token: string) => migrating.append(token, 'list', [1]),
      (token: string) => migrating.identify(token, 'ada'),
    ]) {
      const token = await stage.saved(plain, { a: 'readable' });
      expect(await stage.values(migrating, token)).toEqual({ a: 'readable' });
      expect(await migrating.touch(token, {})).toBe(true);
      await write(token);
      const record = (await stage.bytes(token))!;
      expect(readHeader(record).encrypted).toBe(true);
      expect(record.includes('readable')).toBe(false);
      expect(await stage.values(sealed, token)).toMatchObject({ a: 'readable' });
    }
  });

  it('a plain save from before the switch does not undo what was sealed meanwhile', async () => {
    const token = await stage.saved(plain, { a: 1 });
    const loaded = (await plain.load(token))!;
    const migrating = stage.open({ encryption: { keys: [first], acceptPlain: true } });
    await migrating.save(token, { a: 1, b: 2 }, await migrating.load(token));
    const before = await stage.bytes(token);
    await expect(plain.save(token, { a: 3 }, loaded)).rejects.toThrow(SessionDataError);
    await expect(plain.identify(token, 'ada', {}, loaded)).rejects.toThrow(SessionDataError);
    expect(await stage.bytes(token)).toEqual(before);
  });
});

function bodyOf(record: Buffer): Buffer {
  return record.subarray(readHeader(record).length);
}
