import { beforeAll, describe, expect, it } from 'vitest';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { type LoadedSession, type SessionData, SessionGoneError } from '../../../src/sessions/index.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { inParallel, type SessionDataStage } from './session-data-stage.suite.ts';

/** Another secret for the same session. */
export function describeRotation(stage: SessionDataStage): void {
  describe('rotation', () => {
    let data: SessionData;
    beforeAll(() => {
      data = stage.open();
    });

    it('data, user and session stay; the token is another', async () => {
      const token = await stage.saved(data, { a: [1] });
      await data.identify(token, 'ada');
      const next = await data.rotate(token);
      expect(next).not.toBe(token);
      expect(sessionOf(next)).toBe(sessionOf(token));
      const loaded = (await data.load(next))!;
      expect(data.valuesOf(loaded)).toEqual({ a: [1] });
      expect(data.infoOf(loaded).userId).toBe('ada');
      expect(data.infoOf(loaded).byPreviousSecret).toBe(false);
    });

    it('the previous secret does nothing at all, and is known as replaced for a while', async () => {
      const token = await stage.saved(data, { a: 1 });
      const [slow, other] = [(await data.load(token))!, (await data.load(token))!];
      const next = await data.rotate(token);
      const kept = await stage.bytes(next);
      expect(await data.load(token)).toBeUndefined();
      expect(await data.find(token)).toBe('replaced');
      expect(await data.isCurrent(token)).toBe(false);
      await refusesAll(data, token, slow);
      await refusesAll(data, token, undefined);
      expect(await data.save(token, { a: 2 }, other)).toBeUndefined();
      expect(await data.sessionsOf('planted')).toEqual([]);
      expect(await stage.bytes(next)).toEqual(kept);
    });

    it('with a grace it reads what was there before, whatever happened since, and does nothing else', async () => {
      const token = await stage.saved(data, { a: 1 });
      const next = await data.rotate(token, { grace: true });
      await data.save(next, { a: 'since', secret: 1 }, await data.load(next));
      await data.increment(next, 'n');
      const kept = await stage.bytes(next);
      const found = (await data.find(token)) as LoadedSession;
      expect(data.infoOf(found).byPreviousSecret).toBe(true);
      expect(data.valuesOf(found)).toEqual({ a: 1 });
      expect(await data.load(token)).toBeUndefined();
      expect(await data.isCurrent(token)).toBe(false);
      await refusesAll(data, token, found);
      await refusesAll(data, token, undefined);
      expect(await stage.bytes(next)).toEqual(kept);
      expect(data.infoOf((await data.find(token)) as LoadedSession)).toMatchObject({ byPreviousSecret: true });
    });

    it('the grace is over in time, however much it was used', async () => {
      const graceful = stage.open({ graceMs: 200, touchEveryMs: 0 });
      const token = await stage.saved(graceful, { n: 0 });
      const before = await stage.serverNow();
      const next = await graceful.rotate(token, { grace: true });
      const after = await stage.serverNow();
      let lastThere = 0;
      let gone = 0;
      await waitUntil('the grace is over', async () => {
        const now = await stage.serverNow();
        const found = await graceful.find(token);
        if (typeof found !== 'object') {
          gone = await stage.serverNow();
          return true;
        }
        lastThere = now;
        await graceful.touch(token, {}, found);
        await graceful.save(token, { n: 'more' }, found);
        return false;
      });
      expect(lastThere).toBeGreaterThan(0);
      expect(lastThere).toBeLessThanOrEqual(after + 200);
      expect(gone).toBeGreaterThanOrEqual(before + 200);
      await waitUntil('it is a stranger', async () => (await graceful.find(token)) === undefined);
      expect(await stage.values(graceful, next)).toEqual({ n: 0 });
    });

    it.each<[string, (next: string) => Promise<unknown>]>([
      ['a login', (next) => data.identify(next, 'ada')],
      ['a rotation without it', (next) => data.rotate(next)],
      ['another one with it', (next) => data.rotate(next, { grace: true })],
      ['the end of the session', (next) => data.end(next)],
      ['the end by its user', async (next) => data.end({ session: sessionOf(next) })],
    ])('%s ends the grace', async (_, work) => {
      const token = await stage.saved(data, { a: 1 });
      const next = await data.rotate(token, { grace: true });
      expect(typeof (await data.find(token))).toBe('object');
      await work(next);
      expect(typeof (await data.find(token))).not.toBe('object');
    });

    it('nothing is left of a session that has ended within a grace', async () => {
      const token = await stage.saved(data, { a: 1 });
      const next = await data.rotate(token, { grace: true });
      const its = async () => (await stage.keys()).filter((key) => key.includes(sessionOf(token)));
      expect(await its()).toHaveLength(2);
      await data.end(next);
      // What keeps it ended, and its empty record.
      expect((await its()).sort()).toEqual([`${stage.key(token).slice(0, -1)}k`, stage.key(token)]);
    });

    it('with graceMs 0 the previous secret is a stranger at once', async () => {
      const strict = stage.open({ graceMs: 0 });
      for (const grace of [true, false]) {
        const token = await stage.saved(strict, { a: 1 });
        const next = await strict.rotate(token, { grace });
        expect(await strict.find(token)).toBeUndefined();
        expect(await strict.save(token, { a: 2 })).toBeUndefined();
        expect(await stage.values(strict, next)).toEqual({ a: 1 });
      }
    });

    it('after two rotations only the last secret but one is remembered', async () => {
      const first = await stage.saved(data, { a: 1 });
      const second = await data.rotate(first, { grace: true });
      const third = await data.rotate(second, { grace: true });
      expect(await data.find(first)).toBeUndefined();
      expect(data.infoOf((await data.find(second)) as LoadedSession)).toMatchObject({ byPreviousSecret: true });
      expect(data.infoOf((await data.load(third))!).byPreviousSecret).toBe(false);
    });

    it.each([false, true])(
      'a secret that was sent to nobody does not take the place of the one that requests come with (grace %s)',
      async (grace) => {
        const first = await stage.saved(data, { a: 1 });
        const second = await data.rotate(first, { grace });
        await data.increment(second, 'n');
        const third = await data.rotate(second, { grace, unsent: true });
        const found = await data.find(first);
        if (grace) expect(data.valuesOf(found as LoadedSession)).toEqual({ a: 1 });
        else expect(found).toBe('replaced');
        expect(await data.find(second)).toBeUndefined();
        expect(await stage.values(data, third)).toEqual({ a: 1, n: 1 });
        // Of the two the stricter counts.
        await data.rotate(third, { grace: !grace, unsent: true });
        expect(await data.find(first)).toBe('replaced');
        expect(await data.find(third)).toBeUndefined();
      },
    );

    it('20 rotations of one token at once: one gets a token', async () => {
      const token = await stage.saved(data, { a: 1 });
      const all = await inParallel(20, () => data.rotate(token).catch((error: Error) => error));
      const tokens = all.filter((next) => typeof next === 'string');
      expect(tokens).toHaveLength(1);
      expect(all.filter((error) => error instanceof SessionGoneError)).toHaveLength(19);
      expect(await stage.values(data, tokens[0]!)).toEqual({ a: 1 });
    });

    it("another framework's token becomes one of ours for the same session", async () => {
      const token = `foreign ${createToken()}`;
      await data.save(token, { a: 1 });
      const next = await data.rotate(token);
      expect(next).toMatch(/^[0-9a-z]{25}\.[A-Za-z0-9_-]{43}$/);
      expect(sessionOf(next)).toBe(sessionOf(token));
      expect(await stage.values(data, next)).toEqual({ a: 1 });
      expect(await data.find(token)).toBe('replaced');
    });

    it('rotation is no visit: the end stays', async () => {
      const visited = stage.open({ idleMs: 60_000, touchEveryMs: 0 });
      const token = await stage.saved(visited, {});
      const { expiresAt } = visited.infoOf((await visited.load(token))!);
      const next = await visited.rotate(token);
      expect(visited.infoOf((await visited.load(next))!).expiresAt).toBe(expiresAt);
    });
  });
}

/** Everything that a token can be used for, but reading. */
async function refusesAll(data: SessionData, token: string, loaded: LoadedSession | undefined): Promise<void> {
  expect(await data.save(token, { a: 'planted' }, loaded)).toBeUndefined();
  // Of a session that was renewed a moment ago nothing is asked.
  const info = loaded && data.infoOf(loaded);
  expect(await data.touch(token, {}, loaded)).toBe(info?.byPreviousSecret === false);
  expect(await data.end(token)).toBe(false);
  const version = info?.version ?? 1;
  for (const work of [
    () => data.increment(token, 'a', 1, loaded),
    () => data.append(token, 'list', [1], loaded),
    () => data.setIf(token, version, { a: 'planted' }, loaded),
    () => data.identify(token, 'planted', {}, loaded),
    () => data.rotate(token, {}, loaded),
    () => data.rotate(token, { grace: true }, loaded),
  ]) {
    await expect(work()).rejects.toThrow(SessionGoneError);
  }
}
