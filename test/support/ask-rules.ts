import { expect } from 'vitest';
import type { SessionClient } from '../../src/index.ts';

/** Asks each command about rules once, as a page of `page`, and checks what is answered where no rule concerns it. */
export async function askRules(client: SessionClient, session: string, page = '/of-rules'): Promise<void> {
  const handle = client.session(session, { deadlineMs: 20_000, page });
  expect(await handle.track('added-to-cart', { count: 2, items: [page] })).toBe(2);
  expect(await handle.is('no-such-segment', { groups: ['g'] })).toBe(false);
  expect(await handle.suggestions({ name: 'no-such-rule', explain: true, groups: ['g'] })).toEqual({
    suggestions: [],
    rules: [],
    segments: {},
  });
  expect(await handle.suggestions('no-such-rule')).toEqual([]);
  expect(await handle.shown(['no-such-rule'])).toBe(true);
  expect(await handle.taken('no-such-rule')).toBe(true);
  expect(await handle.dismiss('no-such-rule')).toBe(true);
}
