import { describe, expect, it } from 'vitest';
import { createToken, type PageviewReply, personOf, sessionOf } from '../../../src/index.ts';
import type { AdapterStage } from '../session-store.suite.ts';
import type { Page, PageContext, Pages, Visitor } from './adapter-site.ts';
import { ViewsStage } from './views-stage.ts';

const ITEMS = ['lamp', 'tv', 'cable'];

/** What a page was told as whom it asks, as the browser and as the person. */
interface Told {
  readonly ids: readonly (string | null)[];
  readonly seen: readonly (readonly string[] | null)[];
}

const askBoth = async ({ handle }: Pick<PageContext, 'handle'>): Promise<Told> => {
  const handles = [handle!, handle!.session, handle!.person];
  const seen = await Promise.all(handles.map((each) => each.seen(ITEMS)));
  return { ids: handles.map(({ id }) => id ?? null), seen: seen.map((items) => items ?? null) };
};
const visitTwice: Page = async (context, user) => {
  const before = await context.handle!.visit();
  await context.session.identify(user!);
  const visit = await context.handle!.visit();
  return { before, visit, again: await context.handle!.visit(), unseen: await context.handle!.unseen(['/a', '/b']) };
};
const pages: Pages = {
  a: ({ handle }) => handle?.id,
  mark: ({ handle }, item) => handle!.markSeen([item!]),
  both: askBoth,
  login: async (context, user) => {
    await context.session.identify(user!);
    return askBoth(context);
  },
  logout: ({ destroy }) => destroy(),
  'visit-twice': visitTwice,
};

/** The handle as the browser and as the person, beside each other. */
export function testBothHandles(stage: AdapterStage): void {
  describe('a handle of each of both', () => {
    const views = new ViewsStage(stage, pages);
    testIds(stage, views);
    testCountedAtStart(views);
  });
}

function testIds(stage: AdapterStage, views: ViewsStage): void {
  const told = async (visitor: Visitor, path: string): Promise<Told> => (await visitor.page(path)) as Told;

  it('is the visitor’s as the browser, and has no person, while nobody is logged in', async () => {
    const visitor = await views.begun(await views.open());
    await visitor.page('/mark/tv');
    const { visitorId } = visitor;
    expect(await told(visitor, '/both')).toEqual({
      ids: [visitorId, visitorId, null],
      seen: [['tv'], ['tv'], null],
    });
  });

  it('asks as the browser in the page of the login, and is never answered from the person’s knowledge', async () => {
    const user = `both-${createToken()}`;
    const person = personOf(user);
    await views.client.request('mark-item-seen', person, ['lamp']);
    const visitor = await views.begun(await views.open());
    await visitor.page('/mark/tv');
    const { visitorId } = visitor;
    // Whichever of the three is answered first.
    const login = await told(visitor, `/login/${user}`);
    expect(login.ids).toEqual([person, visitorId, person]);
    expect([login.seen[0], login.seen[1], login.seen[2]]).toEqual([['lamp', 'tv'], ['tv'], ['lamp', 'tv']]);
    // From then on the browser is nobody beside the person.
    expect(await told(visitor, '/both')).toEqual({
      ids: [person, null, person],
      seen: [['lamp', 'tv'], null, ['lamp', 'tv']],
    });
    await visitor.page('/logout');
    const after = await told(visitor, '/both');
    expect(after).toEqual({ ids: [visitor.visitorId, visitor.visitorId, null], seen: [[], [], null] });
    expect(visitor.visitorId).not.toBe(visitorId);
  });

  it('is the token’s session as the browser, beside the person whose token it is', async () => {
    const [user, token] = [`bearer-${createToken()}`, createToken()];
    const site = await views.open();
    await site.store.data.save(token, { cart: ['lamp'] });
    await site.store.data.identify(token, user, { device: 'A phone' });
    await views.client.request('mark-item-seen', personOf(user), ['lamp']);
    await views.client.request('mark-item-seen', sessionOf(token), ['cable']);
    const { body } = await stage.visitor(site).get('/both', { authorization: `Bearer ${token}` });
    expect(body).toEqual({
      ids: [personOf(user), sessionOf(token), personOf(user)],
      seen: [['lamp'], ['cable'], ['lamp']],
    });
  });
}

/** What a page was told whose view was counted at the start. */
interface Visits {
  readonly before: PageviewReply;
  readonly visit: PageviewReply;
  readonly again: PageviewReply;
  readonly unseen: readonly string[];
}

function testCountedAtStart(views: ViewsStage): void {
  it('counts no page in once more that was counted at the start, behind a login within it', async () => {
    const site = await views.open({ countWhen: 'start' });
    for (const viewsBefore of [0, 3]) {
      const user = `start-${createToken()}`;
      for (let i = 0; i < viewsBefore; i += 1) {
        await views.client.request('pageview', personOf(user), `/elsewhere-${i}`);
      }
      const visitor = await views.begun(site);
      await visitor.page('/a');
      const { before, visit, again, unseen } = (await visitor.page(`/visit-twice/${user}`)) as Visits;
      expect(before).toMatchObject({ totalPages: 2, uniquePages: 2, previouslyVisited: false, newToSite: false });
      const total = viewsBefore + 2;
      expect(visit).toMatchObject({ totalPages: total, uniquePages: total, previouslyVisited: false });
      expect(again).toEqual(visit);
      expect(unseen).toEqual(['/b']);
      // What was told is what was counted.
      expect(await views.totalOf(personOf(user))).toBe(total);
    }
  });

  it('is new to the site on the first page at all, also where the login is within it', async () => {
    const site = await views.open({ countWhen: 'start' });
    const user = `new-${createToken()}`;
    const { before, visit } = (await (await views.begun(site)).page(`/visit-twice/${user}`)) as Visits;
    expect(visit).toEqual(before);
    expect(visit).toMatchObject({ totalPages: 1, uniquePages: 1, newToSite: true, inactive: false });
    expect(await views.totalOf(personOf(user))).toBe(1);
  });

  it('counts the page in for another person than the one for whom it was counted', async () => {
    const site = await views.open({ countWhen: 'start' });
    const [ada, bob] = [`ada-${createToken()}`, `bob-${createToken()}`];
    const visitor = await views.begun(site);
    await visitor.page(`/login/${ada}`);
    const before = await views.totalOf(personOf(ada));
    const { visit } = (await visitor.page(`/visit-twice/${bob}`)) as Visits;
    expect(visit).toMatchObject({ totalPages: 1, newToSite: true });
    expect(await views.totalOf(personOf(ada))).toBe(before + 1);
    expect(await views.totalOf(personOf(bob))).toBe(0);
  });
}
