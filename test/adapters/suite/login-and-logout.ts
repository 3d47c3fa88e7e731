import { expect } from 'vitest';
import { personOf } from '../../../src/index.ts';
import type { StagedService } from '../../support/staged-service.ts';
import type { Visitor } from './adapter-site.ts';

/** Logs a visitor in, out, and in as somebody else, on a site with `/login`, `/logout` and `/me`, which tells the handle's
 *  id. The visitor becomes the person at the login, and is a new one behind the logout, at once. */
export async function expectPersons(visitor: Visitor, service: StagedService): Promise<void> {
  await visitor.page('/me');
  const { visitorId } = visitor;
  expect((await visitor.get('/login?username=ada&password=wrong')).status).toBe(401);
  expect(await visitor.page('/me')).toEqual({ id: visitorId });
  await visitor.page('/login?username=ada&password=right');
  for (let i = 0; i < 2; i += 1) expect(await visitor.page('/me')).toEqual({ id: personOf('ada') });
  expect(visitor.visitorCookie).toBeUndefined();
  await visitor.page('/logout');
  const { id } = (await visitor.page('/me')) as { id: string };
  expect([id === visitor.visitorId, id === visitorId]).toEqual([true, false]);
  await visitor.page('/login?username=bob&password=right');
  expect(await visitor.page('/me')).toEqual({ id: personOf('bob') });
  // Where its answer comes behind the head of the login's page, the next page sends it again.
  const merged = service.heard.filter(({ command }) => command === 'identify');
  const pairs = new Set(merged.map(({ session: person, payload }) => `${payload} into ${person}`));
  expect([...pairs]).toEqual([`${visitorId} into ${personOf('ada')}`, `${id} into ${personOf('bob')}`]);
}
