import { beforeAll, describe, expect, test } from 'vitest';
import { createToken, sessionOf } from '../../src/protocol/index.ts';
import { type SessionData, SessionGoneError } from '../../src/store/index.ts';
import { waitUntil } from '../support/wait-until.ts';
import { inParallel, type SessionDataStage } from './session-data-stage.suite.ts';

/** Another secret for the same session. */
export function describeRotation(stage: SessionDataStage): void {
  describe('rotation', () => {
    let data: SessionData;
    beforeAll(() => {
      data = stage.open();
    });

    test('data, user and session stay; the token is another', async () => {
      const token = await stage.saved(data, { a: [1] });
      await data.identify(token, 'ada');
      const next = (await data.rotate(token))!;
      expect(next).not.toBe(token);
      expect(sessionOf(next)).toBe(sessionOf(token));
      const loaded = (await data.load(next))!;
      expect(loaded.values(data.now())).toEqual({ a: [1] });
      expect(loaded.userId).toBe('ada');
      expect(loaded.byPreviousSecret).toBe(false);
    });

    test('the previous secret reads and writes within the grace, and may not rotate', async () => {
      const token = await stage.saved(data, { a: 1 });
      const next = (await data.rotate(token))!;
      const loaded = (await data.load(token))!;
      expect(loaded.byPreviousSecret).toBe(true);
      expect(await data.save(token, { a: 2 }, loaded)).toBeDefined();
      expect(await data.touch(token, {}, loaded)).toBe(true);
      expect(await data.increment(token, 'a')).toBe(3);
      const before = await stage.bytes(token);
      expect(await data.rotate(token)).toBeUndefined();
      expect(await data.rotate(token, loaded)).toBeUndefined();
      expect(await stage.bytes(token)).toEqual(before);
      expect(await stage.values(data, next)).toEqual({ a: 3 });
    });

    test('after the grace it is a stranger, however much it was used', async () => {
      const graceful = stage.open({ graceMs: 200, touchEveryMs: 0 });
      const token = await stage.saved(graceful, { n: 0 });
      const before = await stage.serverNow();
      const next = (await graceful.rotate(token))!;
      const after = await stage.serverNow();
      let lastThere = 0;
      let gone = 0;
      let uses = 0;
      await waitUntil('the grace is over', async () => {
        const now = await stage.serverNow();
        const loaded = await graceful.load(token);
        if (!loaded) {
          gone = await stage.serverNow();
          return true;
        }
        lastThere = now;
        uses += 1;
        // Each of these would be a way to extend it.
        await graceful.touch(token, {}, loaded);
        await graceful.save(token, { n: uses }, loaded);
        return false;
      });
      expect(uses).toBeGreaterThan(0);
      expect(lastThere).toBeLessThan(after + 200);
      expect(gone).toBeGreaterThanOrEqual(before + 200);
      const kept = await stage.bytes(next);
      expect(await graceful.save(token, { n: 'late' })).toBeUndefined();
      expect(await graceful.touch(token, {})).toBe(false);
      expect(await graceful.end(token)).toBe(false);
      await expect(graceful.increment(token, 'n')).rejects.toThrow(SessionGoneError);
      await expect(graceful.rotate(token)).rejects.toThrow(SessionGoneError);
      expect(await stage.bytes(next)).toEqual(kept);
      expect(Number((await stage.values(graceful, next))!.n)).toBeGreaterThan(0);
    });

    test('a session loaded before the rotation is saved within the grace and refused after it', async () => {
      const graceful = stage.open({ graceMs: 150 });
      const token = await stage.saved(graceful, { a: 1 });
      const loaded = (await graceful.load(token))!;
      const slow = (await graceful.load(token))!;
      const next = (await graceful.rotate(token))!;
      expect(await graceful.save(token, { a: 1, b: 2 }, loaded)).toBeDefined();
      await waitUntil('the grace is over', async () => !(await graceful.load(token)));
      expect(await graceful.save(token, { a: 'late' }, slow)).toBeUndefined();
      expect(await stage.values(graceful, next)).toEqual({ a: 1, b: 2 });
    });

    test('without grace the previous secret is refused at once', async () => {
      const strict = stage.open({ graceMs: 0 });
      const token = await stage.saved(strict, { a: 1 });
      const next = (await strict.rotate(token))!;
      expect(await strict.load(token)).toBeUndefined();
      expect(await strict.save(token, { a: 2 })).toBeUndefined();
      expect(await stage.values(strict, next)).toEqual({ a: 1 });
    });

    test('after two rotations only the last secret but one is honoured', async () => {
      const first = await stage.saved(data, { a: 1 });
      const second = (await data.rotate(first))!;
      const third = (await data.rotate(second))!;
      expect(await data.load(first)).toBeUndefined();
      expect((await data.load(second))!.byPreviousSecret).toBe(true);
      expect((await data.load(third))!.byPreviousSecret).toBe(false);
    });

    test('20 rotations of one token at once: one gets a token', async () => {
      const token = await stage.saved(data, { a: 1 });
      const tokens = (await inParallel(20, () => data.rotate(token))).filter((next) => next !== undefined);
      expect(tokens).toHaveLength(1);
      expect(await stage.values(data, tokens[0]!)).toEqual({ a: 1 });
    });

    test("another framework's token becomes one of ours for the same session", async () => {
      const token = `foreign ${createToken()}`;
      await data.save(token, { a: 1 });
      const next = (await data.rotate(token))!;
      expect(next).toMatch(/^[0-9a-z]{25}\.[A-Za-z0-9_-]{43}$/);
      expect(sessionOf(next)).toBe(sessionOf(token));
      expect(await stage.values(data, next)).toEqual({ a: 1 });
      expect((await data.load(token))!.byPreviousSecret).toBe(true);
    });

    test('the previous secret can end the session, and then neither lives', async () => {
      const token = await stage.saved(data, { a: 1 });
      const next = (await data.rotate(token))!;
      expect(await data.end(token)).toBe(true);
      for (const either of [token, next]) {
        expect(await data.load(either)).toBeUndefined();
        expect(await data.save(either, { a: 2 })).toBeUndefined();
      }
    });

    test('rotation is no visit: the end stays', async () => {
      const visited = stage.open({ idleMs: 60_000, touchEveryMs: 0 });
      const token = await stage.saved(visited, {});
      const { expiresAt } = (await visited.load(token))!.facts;
      const next = (await visited.rotate(token))!;
      expect((await visited.load(next))!.facts.expiresAt).toBe(expiresAt);
    });
  });
}
