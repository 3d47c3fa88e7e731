import { describe, expect, it } from 'vitest';
import { MARKS } from '../../../src/knowledge/index.ts';
import { personOf } from '../../../src/protocol/index.ts';
import { groupList, shownBy } from '../../support/use-notices.ts';
import { useTestData } from '../../support/use-test-data.ts';

/* What is known of a session becomes a person's. */

describe('identify', () => {
  const stage = useTestData();
  const view = (subject: string, page: string) => stage.knowledge.recordView(subject, stage.pages(page)[0]!);
  const names = new Map<string, string>();
  const nameOf = (user: string): string => {
    const name = stage.knowledge.read(personOf(user)).subject;
    names.set(name, personOf(user));
    return name;
  };
  const read = (subject: string) => stage.knowledge.read(names.get(subject) ?? subject);
  const seen = async (subject: string, ...pages: string[]): Promise<boolean[]> =>
    read(subject).hasSeen('page', stage.pages(...pages));
  const viewsOf = async (subject: string): Promise<number> => (await read(subject).visit(stage.clock.now)).totalPages;

  it('makes what was seen the person’s, and counts each view once, however often it is asked', async () => {
    const ada = nameOf('ada');
    await view(ada, '/before');
    await view('phone', '/a');
    await view('phone', '/b');
    for (let i = 0; i < 3; i += 1) await stage.knowledge.people.identify(ada, 'phone');
    expect(await seen(ada, '/before', '/a', '/b', '/c')).toEqual([true, true, true, false]);
    expect(await viewsOf(ada)).toBe(3);
  });

  it('takes over items and notices', async () => {
    const ada = nameOf('reader');
    const { notices } = stage.knowledge;
    stage.clock.now = Date.now() + 60_000;
    const ids = Array.from({ length: 700 }, (_, i) => `n${i}`);
    for (const id of ids) await notices.lists.publish(groupList('news'), { id, text: id });
    await stage.knowledge.markItems('tablet', stage.knowledge.items.ofAll('item', ['lamp']));
    await notices.markIds(stage.knowledge.read('tablet'), ['n5', 'n699', 'foreign'], MARKS.read);
    await stage.knowledge.people.identify(ada, 'tablet');
    const reading = read(ada);
    expect(await reading.hasSeen('item', stage.knowledge.items.ofAll('item', ['lamp', 'tv']))).toEqual([true, false]);
    const shown = await shownBy(stage.knowledge, personOf('reader'), ['news']);
    expect(shown).toHaveLength(700);
    expect(shown.filter(({ read }) => read).map(({ id }) => id)).toEqual(['n699', 'n5']);
    expect(await notices.states.hasForeign(reading, ['foreign', 'other'])).toEqual([true, false]);
  });

  it('a late write of the session is the person’s before it is answered', async () => {
    const ada = nameOf('late');
    await view('laptop', '/a');
    await stage.knowledge.people.identify(ada, 'laptop');
    await view('laptop', '/b');
    expect(await seen(ada, '/a', '/b')).toEqual([true, true]);
    expect(await viewsOf(ada)).toBe(2);
    await stage.knowledge.markItems('laptop', stage.knowledge.items.ofAll('item', ['lamp']));
    expect(await read(ada).hasSeen('item', stage.knowledge.items.ofAll('item', ['lamp']))).toEqual([true]);
  });

  it('a session that is another person’s stays theirs, and begins anew', async () => {
    const [ada, bob] = [nameOf('ada-2'), nameOf('bob-2')];
    await view('shared', '/of-ada');
    await stage.knowledge.people.identify(ada, 'shared');
    await view('shared', '/late-of-ada');
    await stage.knowledge.people.identify(bob, 'shared');
    await view('shared', '/of-bob');
    expect(await seen(ada, '/of-ada', '/late-of-ada', '/of-bob')).toEqual([true, true, false]);
    expect(await seen(bob, '/of-ada', '/late-of-ada', '/of-bob')).toEqual([false, false, true]);
    expect([await viewsOf(ada), await viewsOf(bob)]).toEqual([2, 1]);
  });

  it('the session knows nothing of the person', async () => {
    const ada = nameOf('private');
    await view(ada, '/secret');
    await view('kiosk', '/a');
    await stage.knowledge.people.identify(ada, 'kiosk');
    await view(ada, '/later');
    expect(await seen('kiosk', '/a', '/secret', '/later')).toEqual([true, false, false]);
  });

  it('when it has retired, the id is a new visitor’s', async () => {
    const ada = nameOf('leaves');
    await view('cafe', '/a');
    await stage.knowledge.people.identify(ada, 'cafe');
    await stage.with({ retireMs: 0 }).people.lookAt('cafe');
    expect(await seen('cafe', '/a')).toEqual([false]);
    await view('cafe', '/b');
    expect(await seen(ada, '/a', '/b')).toEqual([true, false]);
  });

  it('remembers nothing of visitors of whom nothing was known: a browser can make them up', async () => {
    const ada = nameOf('guest');
    for (let i = 0; i < 20; i += 1) await stage.knowledge.people.identify(ada, `made-up-${i}`);
    expect(await stage.redis.command('HLEN', stage.keys.merged(ada))).toBe(0);
    await view('made-up-3', '/late');
    for (let i = 0; i < 2; i += 1) await stage.knowledge.people.identify(ada, 'made-up-3');
    expect([await viewsOf(ada), await stage.redis.command('HLEN', stage.keys.merged(ada))]).toEqual([1, 1]);
  });

  it('forgets what was taken of sources that are merged no more, also of a person who has new ones all the time', async () => {
    const [ada, merged] = [nameOf('kiosk-user'), stage.keys.merged(nameOf('kiosk-user'))];
    const today = Math.floor(Date.now() / 86_400_000);
    const sources = (name: string, count: number, day: number): string[] =>
      Array.from({ length: count }, (_, i) => [`${name}${i}`, `1 ${day}`]).flat();
    await stage.redis.command('HSET', merged, ...sources('old', 200, today - 34), ...sources('recent', 20, today - 31));
    for (let i = 0; i < 150; i += 1) {
      await view(`kiosk-${i}`, '/a');
      await stage.knowledge.people.identify(ada, `kiosk-${i}`);
    }
    const left = await stage.redis.command<string[]>('HKEYS', merged);
    expect(left.filter((each) => each.startsWith('recent'))).toHaveLength(20);
    // 4 at random with each new one: 3 on the average, and never so few.
    expect(left.filter((each) => each.startsWith('old')).length).toBeLessThan(60);
    expect([await viewsOf(ada), left.filter((each) => !/^(?:old|recent)/.test(each)).length]).toEqual([150, 150]);
  });

  it('takes over the filter of a session that has lost its count', async () => {
    const ada = nameOf('collector');
    const pages = Array.from({ length: 600 }, (_, i) => `/p${i}`);
    for (const page of pages) await view('desktop', page);
    await stage.redis.command('DEL', stage.keys.uniqueCount('desktop', 'page'));
    await stage.knowledge.people.identify(ada, 'desktop');
    expect((await seen(ada, ...pages)).includes(false)).toBe(false);
  });
});
