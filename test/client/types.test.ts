import { describe, expectTypeOf, it } from 'vitest';
import type {
  AnalyticsReply,
  CommandMap,
  CommandName,
  Degraded,
  GroupQuery,
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
      | 'pageview'
      | 'session-analytics'
      | 'combo'
      | 'featuredpages'
      | 'identify'
      | 'surface'
      | 'notifications'
      | 'mark-notification-seen'
      | 'mark-item-seen'
      | 'together'
    >();
    expectTypeOf<keyof CommandMap[CommandName]>().toEqualTypeOf<'payload' | 'reply'>();
  });

  it('tie a reply to its command, and every reply may be missing', () => {
    neverRuns(() => {
      expectTypeOf(client.request('pageview', 's', '/a')).resolves.toEqualTypeOf<PageviewReply | undefined>();
      expectTypeOf(client.request('session-analytics', 's', '')).resolves.toEqualTypeOf<AnalyticsReply | undefined>();
      expectTypeOf(client.request('combo', 's', '')).resolves.toEqualTypeOf<Suggestion[] | undefined>();
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
      // @ts-expect-error: session-analytics takes nothing.
      void client.request('session-analytics', 's', 'x');
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
    expectTypeOf<SessionHandle['pageview']>().returns.resolves.toEqualTypeOf<PageviewReply | undefined>();
    expectTypeOf<SessionHandle['analytics']>().returns.resolves.toEqualTypeOf<AnalyticsReply | undefined>();
    expectTypeOf<SessionHandle['surface']>().returns.resolves.toEqualTypeOf<string[] | undefined>();
    expectTypeOf<SessionHandle['suggestions']>().returns.resolves.toEqualTypeOf<Suggestion[] | undefined>();
    expectTypeOf<SessionHandle['notifications']>().returns.resolves.toEqualTypeOf<Notification[] | undefined>();
    expectTypeOf<SessionHandle['view']>().resolves.toEqualTypeOf<PageviewReply | undefined>();
    expectTypeOf<SessionHandle['publishPageview']>().returns.resolves.toEqualTypeOf<boolean>();
    expectTypeOf<Parameters<SessionHandle['notifications']>[0]>().toExtend<GroupQuery | readonly unknown[]>();
    neverRuns(() => {
      void handle.notifications({ groups: ['a'], limit: 3 });
      void handle.notifications([1, 'a', { id: 2, text: 'x' }] as const);
      // @ts-expect-error: the id is the session's, and stays.
      handle.id = 'other';
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
