import { describe, expect, it } from 'vitest';
import { personOf } from '../../../src/protocol/index.ts';
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
    const group = stage.knowledge.items.of('group', 'news');
    await stage.knowledge.markItems('tablet', stage.knowledge.items.ofAll('item', ['lamp']));
    await stage.knowledge.markNotices(
      'tablet',
      [
        { group, sequence: 5 },
        { group, sequence: 700 },
      ],
      ['foreign'],
    );
    await stage.knowledge.people.identify(ada, 'tablet');
    const reading = read(ada);
    expect(await reading.hasSeen('item', stage.knowledge.items.ofAll('item', ['lamp', 'tv']))).toEqual([true, false]);
    const isRead = await stage.knowledge.readNotices.readOf(reading, [group]);
    expect([4, 5, 6, 700].map((sequence) => isRead({ group, sequence }))).toEqual([false, true, false, true]);
    expect(await stage.knowledge.readNotices.hasForeign(reading, ['foreign', 'other'])).toEqual([true, false]);
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

  it('takes over the filter of a session that has lost its count', async () => {
    const ada = nameOf('collector');
    const pages = Array.from({ length: 600 }, (_, i) => `/p${i}`);
    for (const page of pages) await view('desktop', page);
    await stage.redis.command('DEL', stage.keys.uniqueCount('desktop', 'page'));
    await stage.knowledge.people.identify(ada, 'desktop');
    expect((await seen(ada, ...pages)).includes(false)).toBe(false);
  });
});
