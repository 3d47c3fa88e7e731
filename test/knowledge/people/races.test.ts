import { describe, expect, it } from 'vitest';
import { Knowledge, MARKS, SEEN_ITEMS_DEFAULTS } from '../../../src/knowledge/index.ts';
import { personOf } from '../../../src/protocol/index.ts';
import { interruptedConnection } from '../../support/interrupted-connection.ts';
import { TEST_SECRET, useTestData } from '../../support/use-test-data.ts';

/* What happens between two steps of a merge. */

describe('between two steps of a merge', () => {
  const stage = useTestData();

  /** Opens the knowledge over a connection that does `work` once, before a script or command of this name is sent. */
  function openWith(script: string, work: (send: () => Promise<unknown>) => Promise<unknown>): Knowledge {
    return new Knowledge(
      interruptedConnection(stage.redis, script, work),
      stage.keys,
      TEST_SECRET,
      () => stage.clock.now,
      {
        seen: SEEN_ITEMS_DEFAULTS,
        retireMs: 0,
      },
    );
  }

  const view = (subject: string, page: string) => stage.knowledge.recordView(subject, stage.pages(page)[0]!);
  const seenBy = (user: string, ...pages: string[]) =>
    stage.knowledge.read(personOf(user)).hasSeen('page', stage.pages(...pages));

  it('a session into which something came does not retire without it', async () => {
    const ada = stage.knowledge.read(personOf('ada')).subject;
    await view('browser', '/a');
    await stage.knowledge.people.identify(ada, 'browser');
    // A process that ends when it has noted the view, and has not merged it.
    const dying = openWith('claim-session', () => Promise.reject(new Error('The process ended.')));
    const knowledge = openWith('settle-claim', () => dying.recordView('browser', stage.pages('/late')[0]!));
    for (let i = 0; i < 2; i += 1) await knowledge.people.lookAt('browser');
    expect(await seenBy('ada', '/a', '/late')).toEqual([true, true]);
  });

  it('a push that arrives after the person was erased brings nothing back, also where they are there again', async () => {
    const bob = stage.knowledge.read(personOf('bob')).subject;
    await view('phone', '/a');
    let late: (() => Promise<unknown>) | undefined;
    const knowledge = openWith('push-knowledge', async (send) => {
      late = send;
      throw new Error('The process ended.');
    });
    await expect(knowledge.people.identify(bob, 'phone')).rejects.toThrow('The process ended.');
    await stage.knowledge.people.erase(bob);
    // An hour later.
    await stage.redis.command('DEL', stage.keys.subject(bob));
    await late!();
    expect(await stage.redis.command('EXISTS', stage.keys.subject(bob))).toBe(0);
    await view(bob, '/new');
    expect(await seenBy('bob', '/a', '/new')).toEqual([false, true]);
  });

  it('a merge that stood still gives a person nothing of another one who has logged in at the browser since', async () => {
    const [kim, lea] = ['kim', 'lea'].map((user) => stage.knowledge.read(personOf(user)).subject) as [string, string];
    const { notices } = stage.knowledge;
    const mark = (session: string, id: string): Promise<number> =>
      notices.markIds(stage.knowledge.read(session), [id], MARKS.read);
    await view('kiosk', '/a');
    await mark('kiosk', 'of kim');
    // It has read the session's record, and is to read what lies beside.
    const paused = openWith('read-claimed-notices', async () => {
      await stage.knowledge.people.identify(lea, 'kiosk');
      await mark('kiosk', 'of lea');
      await view('kiosk', '/of-lea');
    });
    await paused.people.identify(kim, 'kiosk');
    const readBy = (user: string): Promise<boolean[]> =>
      notices.states.hasForeign(stage.knowledge.read(personOf(user)), ['of kim', 'of lea']);
    expect(await readBy('kim')).toEqual([true, false]);
    expect(await readBy('lea')).toEqual([false, true]);
    expect(await seenBy('kim', '/a', '/of-lea')).toEqual([true, false]);
    expect(await seenBy('lea', '/a', '/of-lea')).toEqual([false, true]);
  });

  it('a push that was prepared for another record of the person is prepared anew', async () => {
    const eve = stage.knowledge.read(personOf('eve')).subject;
    await view('tablet', '/a');
    const knowledge = openWith('push-knowledge', () => view(eve, '/meanwhile'));
    await knowledge.people.identify(eve, 'tablet');
    expect(await seenBy('eve', '/a', '/meanwhile')).toEqual([true, true]);
    expect((await stage.knowledge.read(personOf('eve')).visit(stage.clock.now)).totalPages).toBe(2);
  });

  it('an event counts once, also where a push that was read before comes behind a newer one', async () => {
    const { items, people } = stage.knowledge;
    const bought = items.of('event', 'bought');
    const happens = (knowledge: Knowledge, session: string, event: string) =>
      knowledge.track(session, [{ name: items.of('event', event), count: 1 }]);
    const joe = stage.knowledge.read(personOf('joe')).subject;
    const countOf = async (event: number) => (await stage.knowledge.read(personOf('joe')).facts()).get(event)?.count;
    for (let i = 0; i < 3; i += 1) await happens(stage.knowledge, 'watch', 'bought');
    await people.identify(joe, 'watch');
    // A sweep has read the session; then more comes, and is merged at once.
    const sweeping = openWith('read-person', async () => {
      await happens(stage.knowledge, 'watch', 'bought');
      await happens(stage.knowledge, 'watch', 'called');
    });
    await sweeping.people.lookAt('watch');
    expect(await countOf(bought)).toBe(4);
    for (const event of ['bought', 'called']) await happens(stage.knowledge, 'watch', event);
    expect([await countOf(bought), await countOf(items.of('event', 'called'))]).toEqual([5, 2]);
  });

  it('what a person did with a notice stays, also where a push that was read before comes behind a newer one', async () => {
    const { notices, people } = stage.knowledge;
    const mark = (subject: string, id: string, state: (typeof MARKS)[keyof typeof MARKS]): Promise<number> =>
      notices.markIds(stage.knowledge.read(subject), [id], state);
    const ann = stage.knowledge.read(personOf('ann')).subject;
    await mark('laptop', 'first', MARKS.read);
    await people.identify(ann, 'laptop');
    // A sweep has read the session; then more comes, and is merged at once.
    const sweeping = openWith('read-person', async () => {
      await mark('laptop', 'second', MARKS.read);
      await people.mergeLate('laptop');
      await mark(personOf('ann'), 'first', MARKS.unread);
    });
    await sweeping.people.lookAt('laptop');
    const read = notices.states.hasForeign(stage.knowledge.read(personOf('ann')), ['first', 'second']);
    expect(await read).toEqual([false, true]);
    expect(await people.identify(ann, 'laptop')).toBe(false);
  });
});
