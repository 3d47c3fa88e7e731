import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createToken, SessionClient, sessionOf } from '../../src/index.ts';
import { type Rules, startService } from '../../src/service/index.ts';
import { SessionData } from '../../src/sessions/index.ts';
import { startAclRedis } from '../support/acl-redis.ts';
import { useDashboard } from '../support/use-dashboard.ts';

const SECRET = 'a secret of the tests, long enough';
const USER = 'ann@example.org';
const RULES: Rules = {
  segments: { reader: { seen: '/r' } },
  suggestions: [{ name: 'cable', when: { segment: 'reader' }, suggest: 'A cable' }],
};
const open = useDashboard();

it('the views of a subject, notices and rules read and act with the rights of `sessionwise acl --dashboard`', async () => {
  const redis = await startAclRedis({ dashboard: true, store: true });
  const folder = mkdtempSync(join(tmpdir(), 'sw-rights-'));
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify(RULES));
  const service = await startService({ redis: redis.as('service'), secret: SECRET, ...RULES });
  const client = new SessionClient({ redis: redis.as('app') });
  const sessions = new SessionData({ redis: redis.as('store') });
  onTestFinished(async () => {
    await client.close();
    await sessions.close();
    await service.stop();
    await redis.stop();
    rmSync(folder, { recursive: true });
  });
  const token = createToken();
  await sessions.save(token, { cookie: {} });
  await sessions.identify(token, USER);
  const session = sessionOf(token);
  await client.ready();
  await client.request('pageview', session, '/r');
  const dashboard = await open({ redis: redis.as('dashboard'), secret: SECRET, config });
  await redis.refusals();
  const done: [string, number][] = [];
  const act = async (view: string, action: string, input: object): Promise<void> => {
    done.push([action, (await dashboard.act(view, action, input)).status]);
  };
  await act('subject', 'find', { user: USER });
  await act('subject', 'probe', { subject: session, item: '/r' });
  for (const to of [{ group: 'news' }, { segment: 'reader' }, { person: USER }]) {
    await act('notices', 'publish', { to, id: 'n', text: 'A text' });
  }
  await client.request('mark-notices', session, { ids: ['n'], as: 'read' });
  await act('notices', 'edit', { id: 'n', text: 'Another' });
  expect(await dashboard.data('notices', 'group=news&notice=n')).toMatchObject({ lists: [{ count: 1 }] });
  expect(await dashboard.data('notices')).toMatchObject({ lastLists: [{ segment: 'reader' }, { group: 'news' }] });
  expect(await dashboard.data('subject', `id=${session}&group=news`)).toMatchObject({ found: { views: 1 } });
  expect(await dashboard.data('rules')).toMatchObject({
    rules: [{ rule: 'cable' }],
    segments: [{ segment: 'reader' }],
  });
  await act('notices', 'withdraw', { id: 'n' });
  await act('subject', 'end-session', { subject: session, session });
  expect(done.filter(([, status]) => status !== 200)).toEqual([]);
  expect(await redis.refusals()).toEqual([]);
});
