import { afterEach, describe, expect, it, vi } from 'vitest';
import { createToken } from '../../../src/protocol/index.ts';
import { recordOf, type SessionData, SessionGoneError } from '../../../src/sessions/index.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { SessionDataStage } from './session-data-stage.suite.ts';

const HOUR_MS = 3_600_000;

/** When a session ends. All times are Redis's; the tests ask it before and after what they measure. */
export function describeTime(stage: SessionDataStage): void {
  describe('time', () => {
    afterEach(() => {
      vi.restoreAllMocks();
    });

    /** Loads until the session is gone; when it was surely last there, and when surely gone, both by Redis. */
    async function watchEnd(data: SessionData, token: string): Promise<{ lastThere: number; gone: number }> {
      let lastThere = 0;
      let gone = 0;
      await waitUntil('the session ends', async () => {
        const before = await stage.serverNow();
        if (await data.load(token)) {
          lastThere = before;
          return false;
        }
        gone = await stage.serverNow();
        return true;
      });
      return { lastThere, gone };
    }

    it('idle: never before it, and gone at idle and touchEveryMs', async () => {
      const data = stage.open({ idleMs: 300, touchEveryMs: 100 });
      const before = await stage.serverNow();
      const token = await stage.saved(data, { a: 1 });
      const after = await stage.serverNow();
      const { lastThere, gone } = await watchEnd(data, token);
      expect(gone).toBeGreaterThanOrEqual(before + 400);
      expect(lastThere).toBeLessThan(after + 400);
      expect(await data.save(token, { a: 2 }, undefined)).toBeDefined();
    });

    it('a session that was touched rests anew from then', async () => {
      const data = stage.open({ idleMs: 300, touchEveryMs: 100 });
      const token = await stage.saved(data, { a: 1 });
      const first = data.infoOf((await data.load(token))!).expiresAt;
      let touched = 0;
      // Touched at each turn for longer than its idle time.
      await waitUntil('the first end has passed', async () => {
        touched = await stage.serverNow();
        expect(await data.touch(token, {})).toBe(true);
        return touched > first + 50;
      });
      const { gone } = await watchEnd(data, token);
      expect(gone).toBeGreaterThanOrEqual(touched + 300);
    });

    it('a touch within touchEveryMs moves nothing, and with touchEveryMs 0 each one moves the end', async () => {
      const lazy = stage.open({ idleMs: 60_000, touchEveryMs: 30_000 });
      const token = await stage.saved(lazy, { a: 1 });
      const before = await stage.bytes(token);
      expect(await lazy.touch(token, {})).toBe(true);
      expect(await stage.bytes(token)).toEqual(before);

      const eager = stage.open({ idleMs: 60_000, touchEveryMs: 0 });
      const other = await stage.saved(eager, { a: 1 });
      const first = recordOf((await eager.load(other))!).header;
      await waitUntil('the clock has moved', async () => (await stage.serverNow()) > first.expiresAt - 60_000);
      expect(await eager.touch(other, {}, await eager.load(other))).toBe(true);
      const second = recordOf((await eager.load(other))!).header;
      expect(second.expiresAt).toBeGreaterThan(first.expiresAt);
      expect(second.lastSeenAt).toBeGreaterThan(first.lastSeenAt);
    });

    it('by default the end is looked at each tenth of the idle time', async () => {
      const data = stage.open({ idleMs: 100_000 });
      const before = await stage.serverNow();
      const token = await stage.saved(data, {});
      const { expiresAt } = data.infoOf((await data.load(token))!);
      expect(expiresAt).toBeGreaterThanOrEqual(before + 110_000);
      expect(expiresAt).toBeLessThanOrEqual((await stage.serverNow()) + 110_000);
    });

    it('absolute: there until just before, gone at the millisecond, however busy it is', async () => {
      const data = stage.open({ idleMs: 60_000, absoluteMs: 300, touchEveryMs: 0 });
      const token = await stage.saved(data, { a: 1 });
      const loaded = (await data.load(token))!;
      const end = data.infoOf(loaded).createdAt + 300;
      await data.touch(token, {}, loaded);
      await data.save(token, { a: 2 }, loaded);
      expect(data.infoOf((await data.load(token))!).expiresAt).toBe(end);
      const { lastThere, gone } = await watchEnd(data, token);
      expect(lastThere).toBeLessThan(end);
      expect(gone).toBeGreaterThanOrEqual(end);
    });

    it('after the absolute end nothing can be written, by whomever it was loaded', async () => {
      const data = stage.open({ idleMs: 60_000, absoluteMs: 200 });
      const token = await stage.saved(data, { n: 1 });
      const loaded = (await data.load(token))!;
      await watchEnd(data, token);
      const before = await stage.bytes(token);
      expect(await data.touch(token, {}, loaded)).toBe(false);
      expect(await data.save(token, { n: 2 }, loaded)).toBeUndefined();
      await expect(data.increment(token, 'n', 1, loaded)).rejects.toThrow(SessionGoneError);
      await expect(data.setIf(token, data.infoOf(loaded).version, { n: 3 }, loaded)).rejects.toThrow(SessionGoneError);
      await expect(data.rotate(token, {}, loaded)).rejects.toThrow(SessionGoneError);
      await expect(data.identify(token, 'ada', {}, loaded)).rejects.toThrow(SessionGoneError);
      expect(await data.end(token)).toBe(false);
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('a process whose idea of the clock lags a second lets nobody read or write longer', async () => {
      const data = stage.open({ idleMs: 60_000, absoluteMs: 300 });
      const token = await stage.saved(data, { n: 1 });
      const loaded = (await data.load(token))!;
      // The clock is measured as the connection stands, and then each half minute.
      const real = performance.now.bind(performance);
      vi.spyOn(performance, 'now').mockImplementation(() => real() - 1000);
      await watchEnd(data, token);
      const before = await stage.bytes(token);
      expect(await data.touch(token, {}, loaded)).toBe(false);
      expect(await data.save(token, { n: 2 }, loaded)).toBeUndefined();
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('an absolute time that is set later counts for the sessions that are there, for reads and writes', async () => {
      const data = stage.open({ idleMs: 60_000, absoluteMs: 150 });
      // Connected before the time runs.
      await data.load(createToken());
      const token = await stage.saved(stage.open({ idleMs: 60_000 }), { n: 1 });
      const { createdAt } = data.infoOf((await data.load(token))!);
      const { gone } = await watchEnd(data, token);
      expect(gone).toBeGreaterThanOrEqual(createdAt + 150);
      const before = await stage.bytes(token);
      await expect(data.increment(token, 'n')).rejects.toThrow(SessionGoneError);
      await expect(data.rotate(token)).rejects.toThrow(SessionGoneError);
      expect(await data.touch(token, {})).toBe(false);
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('a save without a cookie is no visit: it moves no end, neither later nor back to an earlier one', async () => {
      const data = stage.open();
      const token = await stage.saved(data, { a: 1, cookie: cookieFor(20_000) });
      const early = (await data.load(token))!;
      await data.save(token, { a: 2 }, await data.load(token));
      expect(data.infoOf((await data.load(token))!).expiresAt).toBe(data.infoOf(early).expiresAt);
      await data.touch(token, { cookie: cookieFor(HOUR_MS) });
      const { expiresAt } = data.infoOf((await data.load(token))!);
      expect(expiresAt).toBeGreaterThan(data.infoOf(early).expiresAt);
      await data.save(token, { a: 3 }, early);
      expect(data.infoOf((await data.load(token))!).expiresAt).toBe(expiresAt);
      expect(await stage.values(data, token)).toMatchObject({ a: 3, cookie: { originalMaxAge: 20_000 } });
    });

    it.each([
      ['idle', { idleMs: 150, touchEveryMs: 50 }],
      ['absolute', { idleMs: 60_000, absoluteMs: 200 }],
    ])('a save without a cookie after the %s end writes nothing', async (_, options) => {
      const data = stage.open(options);
      const token = await stage.saved(data, { a: 1, cookie: cookieFor(60_000) });
      const loaded = (await data.load(token))!;
      await watchEnd(data, token);
      const before = await stage.bytes(token);
      expect(await data.save(token, { a: 2 }, loaded)).toBeUndefined();
      expect(await stage.bytes(token)).toEqual(before);
    });

    it('an idle end is one for writes too', async () => {
      const data = stage.open({ idleMs: 400, touchEveryMs: 0 });
      const token = await stage.saved(data, { n: 1 });
      const loaded = (await data.load(token))!;
      await watchEnd(data, token);
      expect(await data.touch(token, {}, loaded)).toBe(false);
      expect(await data.save(token, { n: 2 }, loaded)).toBeUndefined();
      expect(await data.load(token)).toBeUndefined();
    });

    it('a shorter cookie moves the end earlier, a longer one does not outlive the idle time', async () => {
      const data = stage.open({ idleMs: 60_000 });
      const token = await stage.saved(data, { cookie: cookieFor(40_000) });
      expect(await leftOf(data, token)).toBeLessThanOrEqual(44_000);
      const loaded = (await data.load(token))!;
      await data.save(token, { cookie: cookieFor(10_000) }, loaded);
      expect(await leftOf(data, token)).toBeLessThanOrEqual(11_000);
      await data.save(token, { cookie: cookieFor(HOUR_MS) }, loaded);
      const left = await leftOf(data, token);
      expect(left).toBeGreaterThan(50_000);
      expect(left).toBeLessThanOrEqual(66_000);
    });

    it('a touch with a shorter cookie moves the end earlier too, whether it was loaded or not', async () => {
      const data = stage.open();
      for (const withSnapshot of [true, false]) {
        const token = await stage.saved(data, { cookie: cookieFor(HOUR_MS) });
        const loaded = withSnapshot ? await data.load(token) : undefined;
        expect(await data.touch(token, { cookie: cookieFor(10_000) }, loaded)).toBe(true);
        expect(await leftOf(data, token)).toBeLessThanOrEqual(11_000);
      }
    });

    it('a save with the cookie of an earlier request counts its age from now, by whatever clock that was', async () => {
      const data = stage.open();
      const token = await stage.saved(data, { cookie: cookieFor(HOUR_MS) });
      const loaded = (await data.load(token))!;
      const values = data.valuesOf(loaded);
      const real = Date.now.bind(Date);
      vi.spyOn(Date, 'now').mockImplementation(() => real() + 2 * HOUR_MS);
      await data.save(token, { ...values, a: 2 }, loaded);
      vi.restoreAllMocks();
      const { expiresAt } = data.infoOf((await data.load(token))!);
      expect(expiresAt - (await stage.serverNow())).toBeGreaterThan(HOUR_MS - 60_000);
    });

    it('a cookie of the epoch is over, and not one without an end', async () => {
      const data = stage.open();
      const token = await stage.saved(data, { a: 1 });
      await data.save(token, { a: 1, cookie: { ...cookieFor(1), expires: new Date(0) } }, await data.load(token));
      expect(await data.load(token)).toBeUndefined();
    });

    it('a cookie that is over ends the session', async () => {
      const data = stage.open();
      const token = await stage.saved(data, { a: 1 });
      await data.save(token, { a: 1, cookie: cookieFor(-1) }, await data.load(token));
      expect(await data.load(token)).toBeUndefined();
    });

    it('cookie.expires is given back as it was, and null where there is none', async () => {
      const data = stage.open();
      const cookie = { ...cookieFor(HOUR_MS), path: '/shop', httpOnly: true };
      const token = await stage.saved(data, { cookie });
      expect((await stage.values(data, token))!.cookie).toEqual({ ...cookie, expires: cookie.expires.toISOString() });
      const open = await stage.saved(data, { cookie: { originalMaxAge: null, expires: null, path: '/' } });
      expect((await stage.values(data, open))!.cookie).toEqual({ originalMaxAge: null, expires: null, path: '/' });
    });

    it.each([
      ['ahead', HOUR_MS],
      ['back', -HOUR_MS],
    ])('a local clock that jumps an hour %s logs nobody out and keeps nobody longer', async (_, jump) => {
      const data = stage.open({ idleMs: 400, touchEveryMs: 100 });
      const token = await stage.saved(data, { a: 1 });
      const real = Date.now.bind(Date);
      vi.spyOn(Date, 'now').mockImplementation(() => real() + jump);

      const loaded = (await data.load(token))!;
      expect(loaded).toBeDefined();
      const before = await stage.serverNow();
      await data.save(token, { a: 2, cookie: cookieFor(100) }, loaded);
      const after = await stage.serverNow();
      const { expiresAt } = data.infoOf((await data.load(token))!);
      expect(expiresAt).toBeGreaterThan(before);
      expect(expiresAt).toBeLessThanOrEqual(after + 200);

      const fresh = await stage.saved(data, { a: 1 });
      const latest = await stage.serverNow();
      const { lastThere } = await watchEnd(data, fresh);
      expect(lastThere).toBeLessThan(latest + 500);
    });

    it('the local clock jumps, and the absolute end stays where it was', async () => {
      const data = stage.open({ absoluteMs: 400 });
      const token = await stage.saved(data, { a: 1 });
      const { expiresAt } = data.infoOf((await data.load(token))!);
      const real = Date.now.bind(Date);
      vi.spyOn(Date, 'now').mockImplementation(() => real() - HOUR_MS);
      await data.touch(token, {});
      await data.save(token, { a: 2 });
      expect(data.infoOf((await data.load(token))!).expiresAt).toBe(expiresAt);
      const { lastThere, gone } = await watchEnd(data, token);
      expect(lastThere).toBeLessThan(expiresAt);
      expect(gone).toBeGreaterThanOrEqual(expiresAt);
    });

    it('idle times with fractions are refused or work', async () => {
      for (const options of [{ idleMs: 1000.5 }, { absoluteMs: 1000.5 }, { touchEveryMs: 0.5 }]) {
        let data: SessionData;
        try {
          data = stage.open(options);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          continue;
        }
        await expect(stage.saved(data, {})).resolves.toBeTypeOf('string');
      }
    });

    it('the record itself outlives its end by a day at most', async () => {
      const data = stage.open({ idleMs: 60_000, touchEveryMs: 0 });
      const token = await stage.saved(data, {});
      const left = await stage.redis.command<number>('PTTL', stage.key(token));
      expect(left).toBeGreaterThan(24 * HOUR_MS);
      expect(left).toBeLessThanOrEqual(24 * HOUR_MS + 60_000);
    });

    async function leftOf(data: SessionData, token: string): Promise<number> {
      return data.infoOf((await data.load(token))!).expiresAt - (await stage.serverNow());
    }
  });
}

function cookieFor(maxAgeMs: number): { originalMaxAge: number; expires: Date } {
  return { originalMaxAge: maxAgeMs, expires: new Date(Date.now() + maxAgeMs) };
}
