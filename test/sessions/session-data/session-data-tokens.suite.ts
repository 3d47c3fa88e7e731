import { beforeAll, describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { type SessionData, SessionGoneError } from '../../../src/sessions/index.ts';
import type { SessionDataStage } from './session-data-stage.suite.ts';

/** Which tokens open what. */
export function describeTokens(stage: SessionDataStage): void {
  describe('tokens', () => {
    let data: SessionData;
    beforeAll(() => {
      data = stage.open();
    });

    /** All that can be tried with a token; none of it may write. */
    async function tryAll(token: string): Promise<void> {
      expect(await data.load(token)).toBeUndefined();
      expect(await data.save(token, { stolen: 1 })).toBeUndefined();
      expect(await data.save(token, { stolen: 1 }, undefined, { isNew: true })).toBeUndefined();
      expect(await data.touch(token, {})).toBe(false);
      expect(await data.end(token)).toBe(false);
      for (const operation of [
        () => data.increment(token, 'stolen'),
        () => data.append(token, 'stolen', [1]),
        () => data.setIf(token, 1, { stolen: 1 }),
        () => data.rotate(token),
        () => data.identify(token, 'mallory'),
      ]) {
        await expect(operation()).rejects.toThrow(SessionGoneError);
      }
    }

    it("another framework's token has a session of its own", async () => {
      const token = `foreign-${createToken()}`;
      await data.save(token, { a: 1 });
      expect(data.infoOf((await data.load(token))!).session).toBe(sessionOf(token));
      expect(await stage.values(data, token)).toEqual({ a: 1 });
      expect(await data.end(token)).toBe(true);
      expect(await data.load(token)).toBeUndefined();
    });

    it('a forged secret of a known session reads as absent and writes nothing', async () => {
      const token = await stage.saved(data, { a: 1 });
      const before = await stage.bytes(token);
      await tryAll(createToken(sessionOf(token)));
      expect(await stage.bytes(token)).toEqual(before);
      expect(await stage.values(data, token)).toEqual({ a: 1 });
      expect((await stage.lifecycle(token)).map(({ event }) => event)).toEqual(['created']);
    });

    it('a snapshot is no proof: a save by a forged secret writes nothing', async () => {
      const token = await stage.saved(data, { a: 1 });
      const before = await stage.bytes(token);
      const forged = createToken(sessionOf(token));
      const loaded = (await data.load(token))!;
      expect(await data.save(forged, { a: 2 }, loaded)).toBeUndefined();
      expect(await data.touch(forged, { cookie: { path: '/' } }, loaded)).toBe(false);
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('a truncated token is another session', async () => {
      const token = await stage.saved(data, { a: 1 });
      const before = await stage.bytes(token);
      for (const part of [token.slice(0, -1), token.slice(0, 25), `${token}x`, token.toUpperCase()]) {
        expect(await data.load(part)).toBeUndefined();
        expect(await data.end(part)).toBe(false);
      }
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('the public id opens nothing as a token', async () => {
      const token = await stage.saved(data, { a: 1 });
      expect(await data.load(sessionOf(token))).toBeUndefined();
      expect(await data.end(sessionOf(token))).toBe(false);
      expect(await stage.values(data, token)).toEqual({ a: 1 });
    });

    it('what can be no token reads as absent, writes nothing, and is named where it would be written', async () => {
      await stage.settled();
      const keysBefore = await stage.keys();
      const odd = ['', 'x'.repeat(1 << 20), 'y'.repeat(4097), undefined, null, 7, {}, ['a'], Buffer.from('a')];
      for (const token of odd as string[]) {
        expect(await data.load(token)).toBeUndefined();
        await expect(data.save(token, { a: 1 })).rejects.toThrow(RangeError);
        await expect(data.touch(token, {})).rejects.toThrow(RangeError);
        await expect(data.rotate(token)).rejects.toThrow(RangeError);
      }
      expect(await data.end('')).toBe(false);
      expect(await data.end('x'.repeat(1 << 20))).toBe(false);
      expect(await stage.keys()).toEqual(keysBefore);
    });

    it('a token of 4,096 characters, of unicode, or with line breaks is one like others', async () => {
      // Not those of another run of this suite on the same server.
      const own = createToken();
      for (const token of [own.padEnd(4096, 'z'), `Zürich 🚲 \u0000\r\n*1${own}`, `../../etc:{x}${own}`]) {
        await data.save(token, { token: token.length });
        expect(await stage.values(data, token)).toEqual({ token: token.length });
      }
    });

    it('what is no session is refused where a session is addressed', async () => {
      for (const session of ['', 'a b', 'x'.repeat(129), undefined, 7] as string[]) {
        await expect((async () => data.increment({ session }, 'n'))()).rejects.toThrow(RangeError);
        await expect((async () => data.end({ session }))()).rejects.toThrow(RangeError);
      }
    });

    it('Redis holds no token', async () => {
      const token = await stage.saved(data, { a: 1 });
      const secret = token.slice(26);
      const bytes = (await stage.bytes(token))!;
      expect(bytes.includes(secret)).toBe(false);
      expect(bytes.includes(Buffer.from(secret, 'base64url'))).toBe(false);
      expect((await stage.keys()).some((key) => key.includes(secret))).toBe(false);
    });
  });
}
