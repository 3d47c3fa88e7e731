import { describe, expect, it } from 'vitest';
import type { AdapterStage } from '../session-store.suite.ts';
import { fieldsOf, type Pages } from './adapter-site.ts';

const CANNOT_BE_STORED: Readonly<Record<string, () => unknown>> = {
  bigint: () => 1n,
  within: () => ({ deep: [1n] }),
  circle: () => {
    const one: { self?: object } = {};
    one.self = one;
    return one;
  },
  throwing: () => ({
    toJSON() {
      throw new Error('no JSON of me');
    },
  }),
};

const pages: Pages = {
  set: ({ session }, name, value) => {
    session[name!] = value;
  },
  fields: ({ session }) => fieldsOf(session),
};

/** What is kept of the fields that an application sets. */
export function testFields(stage: AdapterStage): void {
  describe('fields', () => {
    it('are set, changed within and removed over requests, and in one that saves twice', async () => {
      const site = await stage.open({
        pages: {
          ...pages,
          begin: ({ session }) =>
            void Object.assign(session, { list: [1, { a: 'b' }], nothing: null, text: 'ü', gone: 1 }),
          change: ({ session }) => {
            (session.list as unknown[]).push(2);
            delete session.gone;
          },
          twice: async ({ session, save }) => {
            session.first = 1;
            await save();
            session.second = 2;
            delete session.text;
          },
        },
      });
      const visitor = stage.visitor(site);
      await visitor.page('/begin');
      await visitor.page('/change');
      expect(await visitor.page('/fields')).toEqual({ list: [1, { a: 'b' }, 2], nothing: null, text: 'ü' });
      await visitor.page('/twice');
      expect(await visitor.page('/fields')).toEqual({ list: [1, { a: 'b' }, 2], nothing: null, first: 1, second: 2 });
    });

    it.each(Object.keys(CANNOT_BE_STORED))(
      'that cannot be stored end in 500, and the rest is saved: %s',
      async (kind) => {
        const site = await stage.open({
          pages: {
            ...pages,
            bad: async ({ session }) => {
              session.good = 'kept';
              await Promise.resolve();
              session.culprit = CANNOT_BE_STORED[kind]!();
            },
            spoil: ({ session }) => {
              session.name = CANNOT_BE_STORED[kind]!();
            },
          },
        });
        const [known, stranger] = [stage.visitor(site), stage.visitor(site)];
        await known.page('/set/name/ada');
        for (const [visitor, path, field] of [
          [stranger, '/bad', 'culprit'],
          [known, '/bad', 'culprit'],
          [known, '/spoil', 'name'],
        ] as const) {
          expect(await visitor.get(path)).toMatchObject({
            status: 500,
            body: { code: 'SESSION_NOT_SERIALISABLE', message: expect.stringContaining(`"${field}"`) },
          });
        }
        expect(await known.page('/fields')).toEqual({ name: 'ada', good: 'kept' });
        expect(await stranger.page('/fields')).toEqual({ good: 'kept' });
        expect(site.errors).toEqual(Array.from({ length: 3 }, () => 'SESSION_NOT_SERIALISABLE'));
      },
    );

    it('500 requests that only read: at most 2 writes', async () => {
      const visitor = stage.visitor(await stage.open({ pages }));
      await visitor.page('/set/name/ada');
      await visitor.page('/fields');
      const before = await callsOf(stage);
      for (let round = 0; round < 25; round += 1) {
        const read = await Promise.all(Array.from({ length: 20 }, () => visitor.twin().page('/fields')));
        expect(read).toEqual(Array.from({ length: 20 }, () => ({ name: 'ada' })));
      }
      const after = await callsOf(stage);
      expect(after.reads - before.reads).toBe(500);
      expect(after.writes - before.writes).toBeLessThanOrEqual(2);
    });

    it('a change is one write', async () => {
      const visitor = stage.visitor(await stage.open({ pages }));
      await visitor.page('/set/name/ada');
      const before = await callsOf(stage);
      await visitor.page('/set/name/grace');
      expect((await callsOf(stage)).writes - before.writes).toBe(1);
    });
  });
}

/** How often session records were read and written, by INFO commandstats; what a script calls counts too. */
async function callsOf({ redis }: AdapterStage): Promise<{ reads: number; writes: number }> {
  const stats = await redis.command<string>('INFO', 'commandstats');
  const calls = new Map(
    [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name, count]) => [name, Number(count)]),
  );
  const sum = (...names: string[]): number => names.reduce((total, name) => total + (calls.get(name) ?? 0), 0);
  return { reads: sum('get'), writes: sum('set', 'setrange', 'del', 'unlink') };
}
