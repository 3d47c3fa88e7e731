import { expectTypeOf, it } from 'vitest';
import type { LifecycleEvent, NoticeEvent, SessionClient, SessionData } from '../../src/index.ts';

it('events of consumers are told apart by their name, which the compiler knows', () => {
  const ofSession = (event: LifecycleEvent): void => {
    if (event.event === 'gap') {
      expectTypeOf(event.until).toEqualTypeOf<number>();
      return;
    }
    expectTypeOf(event.session).toEqualTypeOf<string>();
    expectTypeOf(event.tries).toEqualTypeOf<number>();
    if (event.event === 'ended') {
      expectTypeOf(event.reason).toEqualTypeOf<'destroyed' | 'by-user' | 'limit' | 'cleared' | 'erased'>();
    } else expectTypeOf(event.event).toEqualTypeOf<'created' | 'identified' | 'rotated' | 'expired' | 'archived'>();
  };
  const ofNotice = (event: NoticeEvent): void => {
    if (event.event === 'published' && 'group' in event.to) expectTypeOf(event.to.group).toEqualTypeOf<string>();
    if (event.event === 'read') expectTypeOf(event.noticeIds).toEqualTypeOf<readonly string[]>();
    // @ts-expect-error: only a published notice says whom it is for.
    if (event.event === 'edited') expectTypeOf(event.to).toBeString();
  };
  expectTypeOf(ofSession).parameter(0).toEqualTypeOf<LifecycleEvent>();
  expectTypeOf(ofNotice).parameter(0).toEqualTypeOf<NoticeEvent>();
  expectTypeOf<SessionData['lifecycle']>().returns.toExtend<AsyncIterable<LifecycleEvent>>();
  expectTypeOf<SessionClient['notices']['events']>().returns.toExtend<AsyncIterable<NoticeEvent>>();
});
