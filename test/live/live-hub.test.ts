import { createHook } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer, get, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createToken, SessionClient, SessionData, sessionOf } from '../../src/index.ts';
import { LiveHub, type LiveOptions } from '../../src/live/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { EventListener } from '../support/event-listener.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Live streams through real HTTP, a real service over channels, and Redis. */

const SECRET = 'a secret of the tests, long enough';
const server = useRedis();
let service: Service;
let client: SessionClient;
beforeEach(async () => {
  service = await startService({ redis: server.url, secret: SECRET });
  client = new SessionClient({ redis: server.url, deadlineMs: 5_000 });
  await client.ready();
});
afterEach(async () => {
  await client.close();
  await service.stop(100);
});

const listenTo = (url: string, lastEventId?: string): Promise<EventListener> =>
  new EventListener().open(url, lastEventId === undefined ? {} : { 'last-event-id': lastEventId });

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

interface OpenedHub {
  readonly hub: LiveHub;
  readonly url: (visitor: string) => string;
}

async function openHub(
  options: LiveOptions = {},
  now: () => number = Date.now,
  onAnswer: (response: ServerResponse) => void = () => undefined,
): Promise<OpenedHub> {
  const hub = new LiveHub(client, server.redis, now, options);
  const http: Server = createServer((request, response) => {
    const [, subject = '', session] = request.url!.split('/');
    onAnswer(response);
    hub.open(
      { subject, session: session || undefined, groups: ['news'] },
      response,
      request.headers['last-event-id'] as string | undefined,
    );
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    await hub.close();
    http.closeAllConnections();
    http.close();
  });
  return { hub, url: (visitor) => `http://127.0.0.1:${(http.address() as AddressInfo).port}/${visitor}` };
}

const LONG = 'A text. '.repeat(500);

describe('a live stream', () => {
  it('begins with the counts, tells a notice at once, and counts it', async () => {
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'One' });
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    expect(page.of('unread')).toEqual([{ unseen: 1, unread: 1 }]);
    await client.notices.publish({ to: { group: 'news' }, id: 'n2', text: 'Two', severity: 'warning' });
    expect(await page.until('notice')).toMatchObject({ id: 'n2', text: 'Two', severity: 'warning', group: 'news' });
    expect(await page.until('unread', 2)).toEqual({ unseen: 2, unread: 2 });
    expect(page.of('notice')).toHaveLength(1);
  });

  it('tells all tabs of a visitor that one of them has read, and nobody else', async () => {
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'One' });
    const { url } = await openHub();
    const [one, two, other] = await Promise.all(['ada', 'ada', 'bob'].map((name) => listenTo(url(name))));
    await Promise.all([one!, two!, other!].map((page) => page.until('open')));
    await client.session('ada').notices.markRead(['n1']);
    expect(await one!.until('unread', 2)).toEqual({ unseen: 0, unread: 0 });
    expect(await two!.until('unread', 2)).toEqual({ unseen: 0, unread: 0 });
    await client.notices.publish({ to: { group: 'news' }, id: 'n2', text: 'Two' });
    expect(await other!.until('unread', 2)).toEqual({ unseen: 2, unread: 2 });
  });

  it('tells what is for one visitor to that one alone', async () => {
    const { url } = await openHub();
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((name) => listenTo(url(name))));
    await Promise.all([ada!, bob!].map((page) => page.until('open')));
    await client.notices.publish({ to: { session: 'ada' }, id: 'n1', text: 'For Ada' });
    await client.notices.publish({ to: { group: 'news' }, id: 'n2', text: 'For all' });
    await Promise.all([ada!.until('notice', 2), bob!.until('notice')]);
    expect(ada!.of('notice').map(({ id }) => id)).toEqual(['n1', 'n2']);
    expect(bob!.of('notice').map(({ id }) => id)).toEqual(['n2']);
  });

  it('tells no notice that the visitor has read in another of its lists', async () => {
    const { url } = await openHub();
    for (const group of ['other', 'news']) await client.notices.publish({ to: { group }, id: 'both', text: 'Both' });
    await client.session('ada', { groups: ['other', 'news'] }).notices.markRead(['both']);
    await client.notices.publish({ to: { group: 'other' }, id: 'n1', text: 'One' });
    await client.session('ada').notices.markRead(['n1']);
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((name) => listenTo(url(name))));
    await Promise.all([ada!, bob!].map((page) => page.until('open')));
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'One' });
    expect(await bob!.until('notice')).toMatchObject({ id: 'n1', group: 'news' });
    await client.notices.publish({ to: { group: 'news' }, id: 'n2', text: 'Two' });
    await ada!.until('notice');
    expect(ada!.of('notice').map(({ id }) => id)).toEqual(['n2']);
    // As behind a cut.
    const again = await listenTo(url('ada'), ada!.told.find(({ id }) => id !== undefined)!.id);
    await again.until('open');
    expect(again.of('notice').map(({ id }) => id)).toEqual(['n2']);
  });

  it('goes on where it was after a cut: nothing is missed, nothing told twice', async () => {
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'One' });
    await page.until('notice');
    page.close();
    await client.notices.publish({ to: { group: 'news' }, id: 'n2', text: 'Two' });
    await client.notices.publish({ to: { group: 'news' }, id: 'n3', text: 'Three' });
    const again = await listenTo(url('ada'), page.lastId);
    await again.until('open');
    expect(again.of('notice').map(({ id }) => id)).toEqual(['n2', 'n3']);
    expect(again.of('unread').at(-1)).toEqual({ unseen: 3, unread: 3 });
  });

  it('tells all that was missed, however much it is', async () => {
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    page.close();
    for (let i = 0; i < 30; i += 1) {
      await client.notices.publish({ to: { group: 'news' }, id: `n${i}`, text: LONG });
    }
    await client.notices.publish({ to: { group: 'news' }, id: 'soon', text: LONG, publishAt: Date.now() + 300 });
    await client.notices.publish({ to: { group: 'news' }, id: 'last', text: LONG });
    const unread = (): Promise<number | undefined> => client.session('bob').notices.unread({ groups: ['news'] });
    await waitUntil('all are shown', async () => (await unread()) === 32);
    const again = await listenTo(url('ada'), page.lastId);
    await again.until('open');
    expect(again.of('notice')).toHaveLength(32);
    expect(again.hasEnded).toBe(false);
  });

  it('tells many at once to who reads', async () => {
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    const { lists } = (await client.request('live', 'ada', { groups: ['news'] }))!;
    // In one answer of Redis to the process.
    const add = `for i = 1, 60 do
      local notice = cjson.encode({ id = 'n' .. i, text = ARGV[2], at = 1 })
      redis.call('XADD', KEYS[1], '*', 'event', 'published', 'to', ARGV[1], 'notice', notice, 'elsewhere', '0')
    end`;
    await server.redis.command('EVAL', add, '1', 'sw:{sw:lifecycle}:@live', lists[0]!.topic, LONG);
    await waitUntil('all are told', () => page.hasEnded || page.of('notice').length === 60);
    expect([page.of('notice').length, page.hasEnded]).toEqual([60, false]);
  });

  it('tells after a cut no notice that was withdrawn or has ended meanwhile', async () => {
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    page.close();
    const publish = (id: string, more: object = {}): Promise<unknown> =>
      client.notices.publish({ to: { group: 'news' }, id, text: id, ...more });
    await publish('ended', { expiresAt: Date.now() + 300 });
    for (const id of ['withdrawn', 'again', 'stays']) await publish(id);
    for (const id of ['withdrawn', 'again']) await client.notices.withdraw(id);
    await publish('again');
    const unread = (): Promise<number | undefined> => client.session('bob').notices.unread({ groups: ['news'] });
    await waitUntil('one has ended', async () => (await unread()) === 2);
    const again = await listenTo(url('ada'), page.lastId);
    await again.until('open');
    expect(again.of('notice').map(({ id }) => id)).toEqual(['stays', 'again']);
  });

  it('counts anew after minutes, because an event can be lost', async () => {
    let ahead = 0;
    const { url } = await openHub({ heartbeatMs: 50 }, () => Date.now() + ahead);
    const page = await listenTo(url('ada'));
    await page.until('open');
    await server.redis.command('ACL', 'SETUSER', 'default', '-xadd');
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'One' });
    await server.redis.command('ACL', 'SETUSER', 'default', '+xadd');
    ahead = 300_000;
    expect(await page.until('unread', 2)).toEqual({ unseen: 1, unread: 1 });
  });

  it.each(['null', '7', '{}'])('passes over an entry of the stream that is none: %s', async (notice) => {
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    const { lastId } = page;
    const { topic } = (await client.request('live', 'ada', ''))!;
    const entry = ['event', 'published', 'to', topic, 'notice', notice];
    await server.redis.command('XADD', 'sw:{sw:lifecycle}:@live', '*', ...entry);
    await client.notices.publish({ to: { session: 'ada' }, id: 'n1', text: 'One' });
    const again = await listenTo(url('ada'), lastId);
    for (const each of [page, again]) expect((await each.until('notice')).id).toBe('n1');
  });

  it('says "stale" where it was too long ago', async () => {
    const { url } = await openHub();
    const page = await listenTo(url('ada'), '1-1');
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'One' });
    const late = await listenTo(url('ada'), '1-1');
    await late.until('stale');
    expect(page.status).toBe(200);
  });

  it('tells what is shown from a time on at that time, and takes it from the count when it ends', async () => {
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    const at = Date.now() + 700;
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'Soon', publishAt: at, expiresAt: at + 900 });
    expect(page.of('notice')).toEqual([]);
    expect(await page.until('notice')).toMatchObject({ id: 'n1', at });
    expect(await page.until('unread', 2)).toEqual({ unseen: 1, unread: 1 });
    expect(await page.until('unread', 3)).toEqual({ unseen: 0, unread: 0 });
  });

  it('is live again by itself when the service was away', async () => {
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    await service.stop(0);
    const late = await listenTo(url('bob'));
    service = await startService({ redis: server.url, secret: SECRET });
    await waitUntil('the service answers', async () => (await client.session('x').figures()) !== undefined);
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'One' });
    await page.until('notice');
    await late.until('open');
    await waitUntil('it is counted', () => late.of('unread').at(-1)?.unread === 1);
  });

  it('ends with the session: "logged-out"', async () => {
    const { url } = await openHub();
    const data = new SessionData({ redis: server.url });
    onTestFinished(() => data.close());
    const [token, other] = [createToken(), createToken()];
    for (const each of [token, other]) await data.save(each, { cart: [] });
    const [page, stays] = [
      await listenTo(url(`ada/${sessionOf(token)}`)),
      await listenTo(url(`ada/${sessionOf(other)}`)),
    ];
    await Promise.all([page, stays].map((each) => each.until('open')));
    await data.end(token);
    await page.until('logged-out');
    await waitUntil('the stream has ended', () => page.hasEnded);
    expect([stays.of('logged-out'), stays.hasEnded]).toEqual([[], false]);
  });

  it('takes so many and no more, and none of a page that is gone is kept', async () => {
    const { hub, url } = await openHub({ maxStreams: 3, maxStreamsOfVisitor: 2 });
    const pages = await Promise.all([1, 2].map(() => listenTo(url('ada'))));
    expect((await listenTo(url('ada'))).status).toBe(503);
    await listenTo(url('bob'));
    expect((await listenTo(url('eve'))).status).toBe(503);
    for (const page of pages) page.close();
    await waitUntil('they are forgotten', () => hub.size === 1);
  });

  it('ends at its age, however seldom it gets a sign of life', async () => {
    const { url } = await openHub({ maxAgeMs: 300, heartbeatMs: 600_000 });
    const page = await listenTo(url('ada'));
    await waitUntil('it has ended', () => page.hasEnded);
  });

  it('takes times of any length', async () => {
    const warnings: string[] = [];
    const listener = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', listener);
    onTestFinished(() => void process.off('warning', listener));
    const { url } = await openHub({ maxAgeMs: Number.MAX_SAFE_INTEGER, heartbeatMs: Number.MAX_SAFE_INTEGER });
    await (await listenTo(url('ada'))).until('open');
    expect(warnings).toEqual([]);
  });

  it('keeps nothing of a page that went before its stream began', async () => {
    const { hub } = await openHub({ maxStreamsOfVisitor: 1 });
    const http = createServer((_, response) => {
      response.on('close', () => {
        hub.open({ subject: 'ada', session: undefined, groups: [] }, response);
        isAsked = true;
      });
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void http.close());
    let isAsked = false;
    await once(http, 'listening');
    const asking = get({ port: (http.address() as AddressInfo).port, host: '127.0.0.1' }).on('error', () => undefined);
    await once(http, 'request');
    asking.destroy();
    await waitUntil('it was asked', () => isAsked);
    expect([hub.size, hub.isFullFor('ada')]).toEqual([0, false]);
  });

  it('frees the memory of pages that are gone, also where a notice expires in days', async () => {
    const expiresAt = Date.now() + 3 * 86_400_000;
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'One', expiresAt });
    const answers: WeakRef<ServerResponse>[] = [];
    const { hub, url } = await openHub({}, Date.now, (response) => answers.push(new WeakRef(response)));
    for (let i = 0; i < 20; i += 1) {
      const page = await listenTo(url('ada'));
      await page.until('open');
      page.close();
    }
    await waitUntil('they are forgotten', () => hub.size === 0);
    await waitUntil('the answers are freed', () => {
      collectGarbage();
      // The last ones may be in the hands of Node.
      return answers.filter((answer) => answer.deref() !== undefined).length < 5;
    });
  });

  it('leaves no timer behind where a page goes before a notice ends', async () => {
    const timers = new Set<number>();
    const init = (id: number, _: string, __: number, resource: { _idleTimeout?: number }): void => {
      if ((resource._idleTimeout ?? 0) > 3_600_000) timers.add(id);
    };
    const hook = createHook({ init, destroy: (id) => timers.delete(id) }).enable();
    onTestFinished(() => void hook.disable());
    const expiresAt = Date.now() + 86_400_000;
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'Today', expiresAt });
    const { hub, url } = await openHub();
    const pages = await Promise.all([1, 2, 3].map(() => listenTo(url('ada'))));
    for (const page of pages) await page.until('open');
    expect(timers.size).toBe(3);
    for (const page of pages) page.close();
    await waitUntil('they are forgotten', () => hub.size === 0);
    await waitUntil('none is left', () => timers.size === 0);
  });

  it('is cut off behind its end where its page reads nothing', async () => {
    const answers: ServerResponse[] = [];
    const { hub, url } = await openHub({}, Date.now, (response) => answers.push(response));
    const { port, pathname } = new URL(url('ada'));
    const page = connect(Number(port), '127.0.0.1');
    onTestFinished(() => void page.destroy());
    page.write(`GET ${pathname} HTTP/1.1\r\nHost: site\r\n\r\n`);
    await once(page, 'data');
    page.pause();
    const { topic } = (await client.request('live', 'ada', ''))!;
    const notice = JSON.stringify({ id: 'n1', text: LONG.repeat(5), at: 1 });
    const published = ['event', 'published', 'to', topic, 'notice', notice, 'elsewhere', '0'];
    // More than the network keeps, and less than the stream may keep.
    const add = (): Promise<unknown> => server.redis.command('XADD', 'sw:{sw:lifecycle}:@live', '*', ...published);
    await waitUntil('it waits', async () => (await add()) !== '' && answers[0]!.writableLength > 0);
    expect(answers[0]!.destroyed).toBe(false);
    await hub.close();
    await waitUntil('it is forgotten', () => hub.size === 0);
  });

  it('tells a suggestion when it begins to hold, once, also when that was while the browser was away', async () => {
    await service.stop(0);
    const when = { all: [{ seen: '/charger' }, { seen: 'phone' }] };
    const suggestions = [{ name: 'cable', when, suggest: 'A cable', reason: 'Because.' }];
    service = await startService({ redis: server.url, secret: SECRET, suggestions });
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    const ada = client.session('ada');
    for (const path of ['/charger', '/other', '/charger']) await ada.request('pageview', path);
    expect(page.of('suggestion')).toEqual([]);
    await ada.markSeen(['phone']);
    expect(await page.until('suggestion')).toMatchObject({ rule: 'cable', suggest: 'A cable' });
    await ada.markSeen(['phone']);
    await ada.request('pageview', '/charger');
    await client.notices.publish({ to: { group: 'news' }, id: 'n1', text: 'One' });
    await page.until('notice');
    expect(page.of('suggestion')).toHaveLength(1);
  });

  it('begins with what was suggested a moment ago: a page counts before it listens', async () => {
    await service.stop(0);
    const suggestions = [{ name: 'cable', when: { seen: '/charger' }, suggest: 'A cable', reason: 'Because.' }];
    service = await startService({ redis: server.url, secret: SECRET, suggestions });
    const { url } = await openHub();
    const other = await listenTo(url('bob'));
    await other.until('open');
    await client.session('ada').request('pageview', '/charger');
    const told = (): Promise<number> => server.redis.command<number>('XLEN', 'sw:{sw:lifecycle}:@live');
    await waitUntil('it is told', async () => (await told()) === 1);
    const [page, again] = await Promise.all([listenTo(url('ada')), listenTo(url('ada'))]);
    for (const each of [page, again]) expect(await each.until('suggestion')).toMatchObject({ rule: 'cable' });
    expect(other.of('suggestion')).toEqual([]);
  });

  it('tells after a cut what began to be shown meanwhile by its time, once', async () => {
    const { url } = await openHub();
    const page = await listenTo(url('ada'));
    await page.until('open');
    const at = Date.now() + 1_000;
    await client.notices.publish({ to: { group: 'news' }, id: 'soon', text: 'Soon', publishAt: at });
    await client.notices.publish({ to: { group: 'news' }, id: 'now', text: 'Now' });
    await page.until('notice');
    page.close();
    const unread = (): Promise<number | undefined> => client.session('bob').notices.unread({ groups: ['news'] });
    await waitUntil('it is shown', async () => (await unread()) === 2);
    const again = await listenTo(url('ada'), page.lastId);
    await again.until('open');
    expect(again.of('notice').map(({ id }) => id)).toEqual(['soon']);
    again.close();
    const third = await listenTo(url('ada'), again.told.findLast(({ event }) => event === 'notice')!.id);
    await third.until('open');
    expect(third.of('notice')).toEqual([]);
  });
});
