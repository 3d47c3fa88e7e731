import { describe, expectTypeOf, it } from 'vitest';
import type {
  AnalyticsReply,
  CommandMap,
  CommandName,
  Degraded,
  ExplainedSuggestions,
  Notice,
  NoticeStats,
  NoticesReply,
  Notification,
  PageviewReply,
  SessionClient,
  SessionHandle,
  Suggestion,
} from '../../src/index.ts';

// Checked by `npm run typecheck`: nothing here runs.
declare const client: SessionClient;
declare const handle: SessionHandle;

function neverRuns(_: () => unknown): void {}

describe('the types of the command map', () => {
  it('name every command of protocol v1', () => {
    expectTypeOf<CommandName>().toEqualTypeOf<
      | 'active'
      | 'pageview'
      | 'session-analytics'
      | 'combo'
      | 'segments'
      | 'track'
      | 'mark-suggestions'
      | 'featuredpages'
      | 'identify'
      | 'surface'
      | 'notifications'
      | 'notices'
      | 'notice-counts'
      | 'mark-notices'
      | 'mute-groups'
      | 'publish-notice'
      | 'edit-notice'
      | 'withdraw-notice'
      | 'list-notices'
      | 'notice-stats'
      | 'set-group'
      | 'live'
      | 'mark-notification-seen'
      | 'mark-suggestions'
      | 'track'
      | 'mark-item-seen'
      | 'robots'
      | 'together'
    >();
    expectTypeOf<keyof CommandMap[CommandName]>().toEqualTypeOf<'payload' | 'reply'>();
  });

  it('tie a reply to its command, and every reply may be missing', () => {
    neverRuns(() => {
      expectTypeOf(client.request('pageview', 's', '/a')).resolves.toEqualTypeOf<PageviewReply | undefined>();
      expectTypeOf(client.request('session-analytics', 's', '')).resolves.toEqualTypeOf<AnalyticsReply | undefined>();
      expectTypeOf(client.request('combo', 's', '')).resolves.toEqualTypeOf<
        Suggestion[] | ExplainedSuggestions | undefined
      >();
      expectTypeOf(client.request('surface', 's', ['/a'])).resolves.toEqualTypeOf<string[] | undefined>();
      expectTypeOf(client.request('notifications', 's', [1])).resolves.toEqualTypeOf<Notification[] | undefined>();
      expectTypeOf(client.request('mark-notification-seen', 's', [1, 'a'])).resolves.toEqualTypeOf<
        (string | number)[] | undefined
      >();
      expectTypeOf(client.publish('pageview', 's', '/a')).resolves.toEqualTypeOf<boolean>();
    });
  });

  it('refuse a wrong command, payload or option', () => {
    neverRuns(() => {
      // @ts-expect-error: there is no such command.
      void client.request('pageviews', 's', '/a');
      // @ts-expect-error: a page is a string or { path }.
      void client.request('pageview', 's', 7);
      // @ts-expect-error: `at` is a number.
      void client.request('pageview', 's', { path: '/a', at: 'now' });
      // @ts-expect-error: session-analytics takes nothing, or a page as `here`.
      void client.request('session-analytics', 's', 'x');
      void client.request('session-analytics', 's', { here: '/a' });
      // @ts-expect-error: surface takes a list.
      void client.request('surface', 's', '/a');
      // @ts-expect-error: items have no numbers.
      void client.publish('mark-item-seen', 's', [7]);
      // @ts-expect-error: an id is needed.
      void client.request('notifications', 's', [{ text: 'x' }]);
      // @ts-expect-error: the deadline of a page is an option, and so is its path.
      void client.session('s', 100);
      // @ts-expect-error: the option is deadlineMs.
      void client.request('pageview', 's', '/a', { timeout: 5 });
      // @ts-expect-error: what the client says of itself is read-only.
      client.counters.requests = 0;
    });
  });

  it('are those of the handle', () => {
    expectTypeOf<SessionHandle['visit']>().returns.resolves.toEqualTypeOf<PageviewReply | undefined>();
    expectTypeOf<SessionHandle['figures']>().returns.resolves.toEqualTypeOf<AnalyticsReply | undefined>();
    expectTypeOf<SessionHandle['is']>().returns.resolves.toEqualTypeOf<boolean | undefined>();
    expectTypeOf<SessionHandle['id']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<SessionHandle['session']>().toEqualTypeOf<SessionHandle>();
    neverRuns(() => {
      expectTypeOf(client.withoutVisitor({ page: '/a' })).toEqualTypeOf<SessionHandle>();
      expectTypeOf(handle.suggestions()).resolves.toEqualTypeOf<Suggestion[] | undefined>();
      expectTypeOf(handle.suggestions('cable')).resolves.toEqualTypeOf<Suggestion[] | undefined>();
      expectTypeOf(handle.suggestions({ explain: true })).resolves.toEqualTypeOf<ExplainedSuggestions | undefined>();
      expectTypeOf(handle.request('pageview', '/a')).resolves.toEqualTypeOf<PageviewReply | undefined>();
      // @ts-expect-error: the id is the visitor's, and stays.
      handle.id = 'other';
    });
  });

  it('give back what was asked about: texts as texts, objects as themselves', () => {
    interface Article {
      readonly url: string;
      readonly title: string;
    }
    neverRuns(() => {
      const articles: readonly Article[] = [];
      const items = ['/a', '/b'] as const;
      expectTypeOf(handle.unseen(items)).resolves.toEqualTypeOf<string[] | undefined>();
      expectTypeOf(handle.unseen(['/a'], { limit: 3 })).resolves.toEqualTypeOf<string[] | undefined>();
      expectTypeOf(handle.unseen(articles, ({ url }) => url)).resolves.toEqualTypeOf<Article[] | undefined>();
      expectTypeOf(handle.unseen(articles, (each) => each.url, { limit: 3 })).resolves.toEqualTypeOf<
        Article[] | undefined
      >();
      expectTypeOf(handle.unseen([1, 2], (id) => `/${id}`)).resolves.toEqualTypeOf<number[] | undefined>();
      expectTypeOf(handle.seen(items)).resolves.toEqualTypeOf<string[] | undefined>();
      expectTypeOf(handle.markSeen(items)).resolves.toEqualTypeOf<string[] | undefined>();
      // @ts-expect-error: one item is an array of one.
      void handle.unseen('/a');
      // @ts-expect-error: objects need a function that names them.
      void handle.unseen(articles);
      // @ts-expect-error: and not their options in its place.
      void handle.unseen(articles, { limit: 3 });
      // @ts-expect-error: an item is a text.
      void handle.unseen(articles, ({ title }) => title.length);
      // @ts-expect-error: the option is limit.
      void handle.unseen(['/a'], { most: 3 });
      // @ts-expect-error: a limit is a number.
      void handle.unseen(['/a'], { limit: '3' });
      // @ts-expect-error: one item is an array of one.
      void handle.seen('/a');
      // @ts-expect-error: one item is an array of one.
      void handle.markSeen('a');
      // @ts-expect-error: items are no numbers.
      void handle.markSeen([7]);
    });
  });

  it('give notices back as they are, with whether they were read', () => {
    neverRuns(() => {
      const notices: readonly { readonly id: number; readonly title: string }[] = [];
      expectTypeOf(handle.notices.annotate(['n1', 7])).resolves.toEqualTypeOf<Notification[] | undefined>();
      void handle.notices.annotate([1, 'a', { id: 2, text: 'x' }] as const);
      void handle.notices.annotate(notices).then((list) => list?.map(({ title, seen }) => (seen ? '' : title)));
      // @ts-expect-error: an id is needed.
      void handle.notices.annotate([{ title: 'x' }]);
      // @ts-expect-error: lists that the store keeps are asked of with `list`.
      void handle.notices.annotate({ groups: ['a'] });
    });
  });

  it('list notices that the store keeps, and mark them', () => {
    neverRuns(() => {
      expectTypeOf(handle.notices.list({ groups: ['a'], limit: 3 })).resolves.toEqualTypeOf<NoticesReply | undefined>();
      expectTypeOf(handle.notices.unread()).resolves.toEqualTypeOf<number | undefined>();
      expectTypeOf(handle.notices.markRead([1, 'a'])).resolves.toEqualTypeOf<number | undefined>();
      expectTypeOf(handle.notices.markAllRead({ groups: ['a'] })).resolves.toEqualTypeOf<number | undefined>();
      expectTypeOf(handle.notices.mute(['a'])).resolves.toEqualTypeOf<boolean>();
      expectTypeOf(client.notices.list({ group: 'a' })).resolves.toEqualTypeOf<Notice[]>();
      expectTypeOf(client.notices.stats(['n'])).resolves.toEqualTypeOf<NoticeStats[]>();
      void client.notices.publish({ to: { person: 'ada' }, id: 7, text: 'T', publishAt: new Date(), expiresAt: 5 });
      void client.notices.edit(7, { title: null, expiresAt: null }, { to: { session: 's' } });
      // @ts-expect-error: it is for somebody.
      void client.notices.publish({ id: 'n', text: 'T' });
      // @ts-expect-error: there is no such severity.
      void client.notices.publish({ to: { group: 'a' }, id: 'n', text: 'T', severity: 'fatal' });
      // @ts-expect-error: a text cannot be taken away.
      void client.notices.edit('n', { text: null });
      // @ts-expect-error: a notice is changed in all lists at once.
      void client.notices.withdraw('n', { to: { group: 'a' } });
      // @ts-expect-error: one id is an array of one.
      void handle.notices.markRead('n1');
      // @ts-expect-error: the groups are an array.
      void handle.notices.list({ groups: 'a' });
      // @ts-expect-error: ids are no query.
      void handle.notices.list(['n1']);
    });
  });

  it('tell why a value is missing', () => {
    expectTypeOf<Degraded['reason']>().toEqualTypeOf<
      | 'deadline'
      | 'nobody-listens'
      | 'disconnected'
      | 'overloaded'
      | 'backlog-full'
      | 'breaker-open'
      | 'malformed-reply'
      | 'bad-payload'
      | 'too-large'
      | 'wrong-key'
      | 'unavailable'
      | 'internal'
    >();
  });
});
