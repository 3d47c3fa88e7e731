import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../dist/service/index.js';
import { openService, openShop, type Page, publishNotice, type Shop, Visitor } from '../support/shop-stage.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* The shop's notices, without a browser's scripts: links and forms do all of it. */

const OWN_NOTICES = ['free-delivery', 'repair-cafe', 'new-lamps'];
// As shop.js says.
const MOST_WRITTEN = 20;

type Fields = [string, string][];

/** The notices of a page, by their ids, and whether each was read. */
function readOf(page: Page): Record<string, string> {
  const read = page.all('data-read');
  return Object.fromEntries(page.all('data-notification').map((id, i) => [id, read[i]!]));
}

describe('the shop’s notices', () => {
  const redis = useRedis({ eachTest: 'kept' });
  let service: Service;
  let shop: Shop;

  beforeAll(async () => {
    service = await openService(redis.url);
    shop = await openShop({ redis: redis.url, deadlineMs: 5_000, demo: true });
  });
  afterAll(async () => {
    await shop?.close();
    await service?.stop();
  });
  const arrive = (): Visitor => new Visitor(shop);
  const list = (visitor: Visitor, query = ''): Promise<Page> => visitor.get(`/notifications${query}`);
  const change = (visitor: Visitor, action: string, ...ids: string[]): Promise<Response> =>
    visitor.post('/notifications', [['do', action], ...ids.map((id): [string, string] => ['id', id])]);
  const write = (visitor: Visitor, fields: Fields, headers = {}): Promise<Response> =>
    visitor.post('/write-a-notice', fields, headers);
  const written = async (visitor: Visitor): Promise<string> =>
    /name="id" value="(written-[\w-]{16})"/.exec((await visitor.get('/write-a-notice')).body)![1]!;

  it('are on the bell of each page until somebody looks at them, and unread until they are read', async () => {
    const visitor = arrive();
    expect((await visitor.get('/')).all('data-unseen')).toEqual(['3']);
    expect((await visitor.get('/nope')).all('data-unseen')).toEqual(['3']);
    const page = await list(visitor);
    expect(page.all('data-notification')).toEqual(OWN_NOTICES);
    expect(readOf(page)).toEqual({ 'free-delivery': 'false', 'repair-cafe': 'false', 'new-lamps': 'false' });
    expect(page.all('data-unseen')).toEqual(['0']);
    expect((await visitor.get('/')).all('data-unseen')).toEqual(['0']);
    expect(readOf(await list(visitor, '?show=unread'))).toEqual(readOf(page));
  });

  it('a link marks one as read; forms mark one, or all, and mark them as unread', async () => {
    const visitor = arrive();
    expect(readOf(await list(visitor, '?seen=repair-cafe'))).toMatchObject({ 'repair-cafe': 'true' });
    const form = await change(visitor, 'read', 'new-lamps');
    expect([form.status, form.headers.get('location')]).toEqual([303, '/notifications']);
    const some = { 'free-delivery': 'false', 'repair-cafe': 'true', 'new-lamps': 'true' };
    expect(readOf(await list(visitor))).toEqual(some);
    expect(Object.keys(readOf(await list(visitor, '?show=unread')))).toEqual(['free-delivery']);
    await change(visitor, 'unread', 'repair-cafe');
    expect(readOf(await list(visitor))).toEqual({ ...some, 'repair-cafe': 'false' });
    await change(visitor, 'all-read');
    const page = await list(visitor);
    expect(new Set(Object.values(readOf(page)))).toEqual(new Set(['true']));
    expect((await list(visitor, '?show=unread')).all('data-notification')).toEqual([]);
  });

  it('one that is removed is not shown any more, and a form leads back to the list that it came from', async () => {
    const visitor = arrive();
    const form = await visitor.post('/notifications', [
      ['do', 'dismiss'],
      ['id', 'repair-cafe'],
      ['show', 'unread'],
    ]);
    expect(form.headers.get('location')).toBe('/notifications?show=unread');
    expect((await list(visitor)).all('data-notification')).toEqual(['free-delivery', 'new-lamps']);
    expect((await list(arrive())).all('data-notification')).toEqual(OWN_NOTICES);
  });

  it('those to all customers can be muted, and shown again', async () => {
    const visitor = arrive();
    await visitor.get('/');
    await change(visitor, 'mute');
    expect((await visitor.get('/')).all('data-unseen')).toEqual(['0']);
    const page = await list(visitor);
    expect(page.all('data-notification')).toEqual([]);
    expect(page.body).toMatch(/data-mute hidden>[\s\S]*data-unmute>/);
    await change(visitor, 'unmute');
    expect((await list(visitor)).all('data-notification')).toEqual(OWN_NOTICES);
  });

  it('are told as JSON to the list that is open, which marks nothing', async () => {
    const visitor = arrive();
    await visitor.get('/');
    const answer = await visitor.fetch('/notifications.json?show=unread&seen=new-lamps');
    expect(await answer.json()).toMatchObject({ known: true, unread: 3, isMuted: false, older: null });
    expect((await visitor.get('/')).all('data-unseen')).toEqual(['3']);
    const changed = await visitor.post('/notifications.json', [
      ['do', 'read'],
      ['id', 'new-lamps'],
    ]);
    expect(changed.status).toBe(204);
    expect(readOf(await list(visitor))).toMatchObject({ 'new-lamps': 'true' });
  });

  it.each([
    ['nothing', ''],
    ['an empty id', '?seen='],
    ['half an array', '?seen=[1'],
    ['an object', '?seen[a]=b'],
    ['a long id', `?seen=${'x'.repeat(5_000)}`],
    ['no place in the list', '?before=yesterday'],
    ['two places', '?before=1%20a&before=1%20b'],
    ['another filter', '?show=all'],
  ])('%s in the address marks nothing and breaks nothing', async (_what, query) => {
    const visitor = arrive();
    expect((await list(visitor, query)).status).toBe(200);
    for (const fields of [[['nothing', '1']], [['do', 'constructor']], [['do', 'read']]] as Fields[]) {
      expect((await visitor.post('/notifications', fields)).status).toBe(303);
    }
    expect(new Set(Object.values(readOf(await list(visitor))))).toEqual(new Set(['false']));
  });

  it('from the command line are shown as text, with how much they matter', async () => {
    const id = 'sale "<1>"';
    await publishNotice(redis.url, 'customers', id, 'Ten per cent off <all> lamps.');
    const visitor = arrive();
    const page = await list(visitor);
    expect(page.all('data-notification')).toEqual(['sale &quot;&lt;1&gt;&quot;', ...OWN_NOTICES]);
    expect(page.all('data-severity')).toEqual(['info', 'success', 'info', 'info']);
    expect(page.body).toContain('Ten per cent off &lt;all&gt; lamps.');
    await change(visitor, 'dismiss', id);
    expect((await list(visitor)).all('data-notification')).toEqual(OWN_NOTICES);
  });

  it('written for oneself are shown to nobody else: in this browser, and to a person on each device', async () => {
    const [ann, phone, other] = [arrive(), arrive(), arrive()];
    const fields: Fields = [
      ['to', 'me'],
      ['severity', 'warning'],
      ['title', ' A <b>title</b> '],
      ['text', 'One line\r\nand another'],
    ];
    const first = await written(ann);
    const form = await write(ann, [['id', first], ...fields]);
    expect([form.status, form.headers.get('location')]).toEqual([303, '/write-a-notice?done=yes']);
    const page = await list(ann, '?show=unread');
    expect(page.all('data-notification')[0]).toBe(first);
    expect(page.body).toContain('<span data-title>A &lt;b&gt;title&lt;/b&gt;</span>');
    expect(page.body).toContain('<span data-own>For you alone</span>');
    for (const visitor of [ann, phone]) await visitor.logIn('Ann of the notices');
    const second = await written(ann);
    await write(ann, [['id', second], ...fields]);
    const known = (visitor: Visitor) => list(visitor).then((each) => each.all('data-notification').slice(0, 2));
    expect(await known(ann)).toEqual([second, first]);
    expect(await known(phone)).toEqual([second, first]);
    expect((await list(other)).all('data-notification')).not.toContain(first);
    await change(ann, 'read', second);
    expect(readOf(await list(phone))).toMatchObject({ [second]: 'true', [first]: 'false' });
  });

  it('a form that is sent twice is one notice, and ids of other notices cannot be taken', async () => {
    const visitor = arrive();
    const fields: Fields = [
      ['to', 'me'],
      ['title', 'Twice'],
      ['text', 'Twice'],
    ];
    const id = await written(visitor);
    for (let i = 0; i < 2; i += 1) expect((await write(visitor, [['id', id], ...fields])).status).toBe(303);
    await write(visitor, [['id', 'repair-cafe'], ...fields]);
    const page = await list(visitor);
    expect(page.all('data-notification').filter((each) => each.startsWith('written-'))).toHaveLength(2);
    expect(page.body.split('<span data-title>Twice</span>')).toHaveLength(3);
  });

  it('what is wrong with one that is written is said, and what was written stays in the form', async () => {
    const visitor = arrive();
    for (const [title, text, words] of [
      ['', 'T', 'a title and a text'],
      ['x'.repeat(81), 'T', 'at most 80 characters'],
      ['T', 'x'.repeat(501), 'at most 500 characters'],
      ['T', 'a\u0000b', 'nobody can see'],
    ] as const) {
      const answer = await write(visitor, [['title', title], ['text', text]]); // biome-ignore format: short
      const body = await answer.text();
      expect([answer.status, /role="alert">([^<]*)/.exec(body)?.[1]]).toEqual([422, expect.stringContaining(words)]);
      expect(body).toContain(`\n${text}</textarea>`);
    }
    const foreign = await write(visitor, [], { origin: 'https://other.example', 'sec-fetch-site': 'cross-site' });
    expect(foreign.status).toBe(403);
    expect((await write(visitor, [['text', 'x'.repeat(100_000)]])).status).toBe(413);
  });

  it('more than twenty a page, and the older ones behind', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `many-${i}`);
    const notices = (await import('../../dist/index.js')).SessionClient;
    const client = new notices({ redis: redis.url });
    expect(await client.ready()).toBe(true);
    for (const id of ids) await client.notices.publish({ to: { group: 'customers' }, id, text: id });
    const visitor = arrive();
    const page = await list(visitor);
    expect(page.all('data-notification')).toEqual(ids.toReversed());
    const older = /href="(\/notifications\?before=[^"]*)" data-older>/.exec(page.body)![1]!.replaceAll('&amp;', '&');
    const last = await visitor.get(older);
    expect(last.all('data-notification')).toEqual(expect.arrayContaining(OWN_NOTICES));
    expect(last.body).toContain('data-older hidden>');
    for (const id of ids) await client.notices.withdraw(id);
    await client.close();
  });
});

describe('the shop’s form for notices', () => {
  const redis = useRedis({ eachTest: 'kept' });

  it('is there only in a demonstration', async () => {
    const shop = await openShop({ redis: redis.url, deadlineMs: 5_000 });
    const visitor = new Visitor(shop);
    expect((await visitor.get('/write-a-notice')).status).toBe(404);
    expect((await visitor.post('/write-a-notice', [['text', 'T']])).status).toBe(404);
    expect((await visitor.get('/notifications')).body).not.toContain('write-a-notice');
    await shop.close();
  });

  it('keeps what was written where the service is away, and takes so many a minute', async () => {
    const shop = await openShop({ redis: redis.url, deadlineMs: 5_000, demo: true });
    const visitor = new Visitor(shop);
    const fields: Fields = [
      ['title', 'Soon'],
      ['text', 'It will be out soon'],
    ];
    const answer = await visitor.post('/write-a-notice', fields);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('It will be out soon</textarea>');
    const service = await openService(redis.url);
    await waitUntil('the shop’s own notices', async () => (await visitor.get('/')).all('data-unseen')[0] === '3');
    expect((await visitor.post('/write-a-notice', fields)).status).toBe(303);
    expect((await visitor.get('/')).all('data-unseen')).toEqual(['4']);
    const statuses = new Set<number>();
    for (let i = 2; i < MOST_WRITTEN; i += 1) statuses.add((await visitor.post('/write-a-notice', [])).status);
    expect(statuses).toEqual(new Set([422]));
    const refused = await visitor.post('/write-a-notice', fields);
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    await shop.close();
    await service.stop();
  });
});
