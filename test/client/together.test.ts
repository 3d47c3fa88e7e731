import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import express from 'express';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Degraded, SessionClient, type SessionClientOptions, type SessionHandle } from '../../src/index.ts';
import { createToken, sessionOf } from '../../src/protocol/index.ts';
import { type Service, startService } from '../../src/service/index.ts';
import { metricOf } from '../support/metric-of.ts';
import { type RedisProxy, startRedisProxy } from '../support/redis-proxy.ts';
import { untilTogether } from '../support/until-together.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What a page asks at once travels as one message: counted on the wire between the client and a real server. */

const SECRET = 'a secret of the tests, long enough';
const SUGGESTIONS = [
  {
    name: 'cable',
    when: { all: [{ seen: '/tv' }, { seen: '/mount' }] },
    suggest: '/cable',
    reason: 'It is too short.',
  },
];
const LONG_MS = 20_000;

const server = useRedis({ eachTest: 'kept' });
const { redis } = server;
let proxy: RedisProxy;
let service: Service;

beforeAll(async () => {
  proxy = await startRedisProxy(server.socketPath);
  service = await startService({ redis: server.url, secret: SECRET, suggestions: SUGGESTIONS, transport: 'both' });
});
afterAll(async () => {
  await service?.stop();
  await proxy?.close();
});

function newSession(): string {
  return sessionOf(createToken());
}

/** Opens a client that has heard the service's heartbeats. */
async function open(options: Partial<SessionClientOptions> = {}): Promise<SessionClient> {
  const client = new SessionClient({ redis: proxy.url, deadlineMs: LONG_MS, ...options });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  await untilTogether(client);
  return client;
}

interface Sent {
  readonly command: string;
  readonly payload: string;
}

/** What the client sends to the service, by whichever way, while `page` runs. */
async function sentBy(page: () => Promise<unknown>): Promise<Sent[]> {
  proxy.reset();
  await page();
  return proxy.commands('sessionwise-client').flatMap(([name, ...args]): Sent[] => {
    if (name === 'PUBLISH') return [{ command: args[0]!.split(':')[1]!, payload: args[1]! }];
    const at = args.indexOf('c');
    return at < 0 ? [] : [{ command: args[at + 1]!, payload: args[args.indexOf('p') + 1]! }];
  });
}

const namesOf = (sent: readonly Sent[]): string[] => sent.map(({ command }) => command);

/** Asks four questions at once. */
function askFour(page: SessionHandle): Promise<unknown[]> {
  return Promise.all([
    page.unseen(['/tv?secret=1', '/radio']),
    page.suggestions(),
    page.figures(),
    page.notices.annotate([{ id: 'n1', text: 'T' }]),
  ]);
}

describe('the questions of a page', () => {
  it('travel as one message, and are answered each as if it were asked alone', async () => {
    const client = await open();
    const page = client.session(newSession());
    await page.request('pageview', '/tv');
    let answers: unknown[] = [];
    const before = client.counters;
    const sent = await sentBy(async () => {
      answers = await askFour(page);
    });
    expect(namesOf(sent)).toEqual(['together']);
    // Nothing is encoded twice, and no query leaves the process.
    expect(sent[0]!.payload).toBe(
      '[["surface",["/tv","/radio"]],["combo",""],["session-analytics",""],["notifications",["n1"]]]',
    );
    expect(answers).toEqual([
      ['/radio'],
      [],
      expect.objectContaining({ totalPages: 1 }),
      [{ id: 'n1', text: 'T', seen: false }],
    ]);
    const { requests, messages, replies } = client.counters;
    expect([requests - before.requests, messages - before.messages, replies - before.replies]).toEqual([4, 1, 4]);
  });

  it('are the single command where one stands alone in its turn', async () => {
    const page = (await open()).session(newSession());
    expect(namesOf(await sentBy(() => page.unseen(['/a'])))).toEqual(['surface']);
  });

  it('meet although something that is already there is awaited between them', async () => {
    const page = (await open()).session(newSession());
    const cached = async (): Promise<number> => 1;
    const sent = await sentBy(async () => {
      const first = page.unseen(['/a']);
      for (let i = 0; i < 10; i += 1) await cached();
      const second = page.suggestions();
      await Promise.all([first, second]);
    });
    expect(namesOf(sent)).toEqual(['together']);
  });

  it('of two turns are two messages', async () => {
    const page = (await open()).session(newSession());
    const sent = await sentBy(async () => {
      const first = [page.unseen(['/a']), page.suggestions()];
      await nextTurn();
      await Promise.all([...first, page.figures(), page.suggestions()]);
    });
    expect(namesOf(sent)).toEqual(['together', 'together']);
  });

  it('of two sessions in one turn are two messages', async () => {
    const client = await open();
    const [one, other] = [client.session(newSession()), client.session(newSession())];
    await one.request('pageview', '/tv');
    let answers: unknown[] = [];
    const sent = await sentBy(async () => {
      answers = await Promise.all([one.unseen(['/tv']), other.unseen(['/tv']), one.suggestions(), other.figures()]);
    });
    expect(namesOf(sent)).toEqual(['together', 'together']);
    expect(answers).toEqual([[], ['/tv'], [], expect.objectContaining({ totalPages: 0 })]);
  });

  it('that are asked by the client itself travel alone', async () => {
    const client = await open();
    const session = newSession();
    const sent = await sentBy(() =>
      Promise.all([client.request('combo', session, ''), client.request('surface', session, ['/a'])]),
    );
    expect(namesOf(sent)).toEqual(['combo', 'surface']);
  });

  it.each([
    [16, ['together']],
    [17, ['together', 'combo']],
    [33, ['together', 'together', 'combo']],
  ])('are split where there are %i', async (count, expected) => {
    const page = (await open()).session(newSession());
    const sent = await sentBy(() => Promise.all(Array.from({ length: count }, () => page.suggestions())));
    expect(namesOf(sent)).toEqual(expected);
  });

  it('are split above 1,000 items in all', async () => {
    const page = (await open()).session(newSession());
    const ask = (count: number): Promise<unknown> => page.unseen(Array.from({ length: count }, (_, i) => `i${i}`));
    expect(namesOf(await sentBy(() => Promise.all([ask(600), ask(399), page.notices.annotate(['n'])])))).toEqual([
      'together',
    ]);
    const sent = await sentBy(() =>
      Promise.all([ask(600), ask(400), page.notices.annotate(['n']), page.suggestions()]),
    );
    expect(namesOf(sent)).toEqual(['together', 'together']);
  });

  it('are split above 64 KiB, and what fits only alone is sent alone', async () => {
    const client = await open();
    const page = client.session(newSession());
    const large = (bytes: number): string[] => {
      const count = Math.ceil(bytes / 2_000);
      const around = JSON.stringify(Array.from({ length: count }, () => '')).length;
      const each = Math.floor((bytes - around) / count);
      const items = Array.from({ length: count }, () => 'x'.repeat(each));
      items[0] += 'x'.repeat(bytes - around - each * count);
      return items;
    };
    expect(JSON.stringify(large(65_536))).toHaveLength(65_536);
    const [around] = ['[["surface",],["combo",""]]'.length];
    expect(namesOf(await sentBy(() => Promise.all([page.unseen(large(65_536 - around)), page.suggestions()])))).toEqual(
      ['together'],
    );
    for (const bytes of [65_537 - around, 65_536]) {
      const sent = await sentBy(() => Promise.all([page.unseen(large(bytes)), page.suggestions(), page.figures()]));
      expect(namesOf(sent)).toEqual(['surface', 'together']);
    }
    expect(client.counters.degraded).toEqual({});
  });

  it('that cannot be sent fail alone and leave the others', async () => {
    const client = await open();
    const degraded: Degraded[] = [];
    client.on('degraded', (event) => degraded.push(event));
    const page = client.session('abc');
    const [wrong, right, other] = await Promise.all([
      page.unseen(['http://[']),
      page.suggestions(),
      page.request('publish-notice', { to: { group: 'g' }, id: 'late', text: 'T', expiresAt: 1 }),
    ]);
    expect([wrong, right, other]).toEqual([undefined, [], undefined]);
    expect(degraded).toEqual([
      { command: 'surface', session: 'abc', reason: 'bad-payload', message: expect.stringContaining('valid URL') },
      // Judged by the service, as a part.
      {
        command: 'publish-notice',
        session: 'abc',
        reason: 'bad-payload',
        message: expect.stringContaining('"expiresAt" is not after'),
      },
    ]);
  });
});

describe('what changes something', () => {
  it('is sent alone, behind what was asked before it', async () => {
    const page = (await open()).session(newSession());
    let answers: unknown[] = [];
    const sent = await sentBy(async () => {
      answers = await Promise.all([
        page.unseen(['book']),
        page.suggestions(),
        page.markSeen(['book']),
        page.unseen(['book']),
        page.figures(),
      ]);
    });
    expect(namesOf(sent)).toEqual(['together', 'mark-item-seen', 'together']);
    expect(answers[0]).toEqual(['book']);
  });

  it.each(['request', 'publish'] as const)('leads the message where it is a page view (%s)', async (how) => {
    const client = await open();
    const page = client.session(newSession());
    let [view, fresh]: unknown[] = [];
    const sent = await sentBy(async () => {
      const counted = how === 'request' ? page.request('pageview', '/tv?x=1') : page.publish('pageview', '/tv?x=1');
      [view, fresh] = await Promise.all([counted, page.unseen(['/tv', '/radio'])]);
    });
    expect(sent).toEqual([{ command: 'together', payload: '[["pageview","/tv"],["surface",["/tv","/radio"]]]' }]);
    expect(view).toEqual(how === 'request' ? expect.objectContaining({ totalPages: 1 }) : true);
    expect(fresh).toEqual(['/radio']);
    expect(client.counters).toMatchObject({ publishes: how === 'publish' ? 1 : 0, unheard: 0, degraded: {} });
  });

  it('is sent alone where it is a page view behind a question, or nothing is asked', async () => {
    const page = (await open()).session(newSession());
    const sent = await sentBy(() => Promise.all([page.suggestions(), page.request('pageview', '/tv'), page.figures()]));
    expect(namesOf(sent)).toEqual(['combo', 'together']);
    expect(namesOf(await sentBy(() => page.publish('pageview', '/tv')))).toEqual(['pageview']);
    expect((await page.figures())?.totalPages).toBe(2);
  });
});

describe('the page of a handle', () => {
  it('counts as seen for `surface`, by its path', async () => {
    const page = (await open()).session(newSession(), { page: '/here?token=x#top' });
    let fresh: unknown;
    const sent = await sentBy(async () => {
      fresh = await page.unseen(['/here?a', '/radio']);
    });
    // It does not travel: a service of another version need not know it.
    expect(sent).toEqual([{ command: 'surface', payload: '["/here","/radio"]' }]);
    expect(fresh).toEqual(['/radio']);
    const both = await sentBy(() => Promise.all([page.unseen(['/radio']), page.suggestions()]));
    expect(both[0]!.payload).toBe('[["surface",["/radio"]],["combo",{"here":"/here"}]]');
  });

  it('counts as viewed for rules, unless its view was sent', async () => {
    const client = await open();
    const page = client.session(newSession(), { page: '/here?token=x#top' });
    const asked = await sentBy(() => Promise.all([page.suggestions({ name: 'cable', groups: ['g'] }), page.is('s')]));
    expect(asked[0]!.payload).toBe(
      '[["combo",{"name":"cable","here":"/here","groups":["g"]}],["segments",{"names":["s"],"here":"/here"}]]',
    );
    const viewed = client.session(newSession(), { page: '/here' });
    const sent = await sentBy(() =>
      Promise.all([viewed.request('pageview', '/here'), viewed.suggestions(), viewed.is('s')]),
    );
    expect(sent[0]!.payload).toBe('[["pageview","/here"],["combo",""],["segments",{"names":["s"]}]]');
  });

  it('tells its groups to rules, unless others are given', async () => {
    const page = (await open()).session(newSession(), { groups: ['vip', 'staff'] });
    const sent = await sentBy(() =>
      Promise.all([
        ...[page.suggestions(), page.suggestions({ groups: [] }), page.suggestions({ groups: undefined as never })],
        ...[page.is('s'), page.is('s', { groups: ['guest'] })],
      ]),
    );
    expect(JSON.parse(sent[0]!.payload)).toEqual([
      ['combo', { groups: ['vip', 'staff'] }],
      ['combo', { groups: [] }],
      ['combo', { groups: ['vip', 'staff'] }],
      ['segments', { names: ['s'], groups: ['vip', 'staff'] }],
      ['segments', { names: ['s'], groups: ['guest'] }],
    ]);
  });

  it('is asked about with its other questions, and only its path travels; where its view leads them, not at all', async () => {
    const client = await open();
    const session = newSession();
    const ask = (how: 'counted' | 'asked') => async (): Promise<void> => {
      const page = client.session(session, { page: '/here?token=x#top' });
      const view = how === 'counted' ? page.request('pageview', '/here') : undefined;
      const [visit] = await Promise.all([page.visit(), page.unseen(['/radio']), view]);
      expect(visit).toMatchObject({ totalPages: 1, previouslyVisited: false });
    };
    const [asked] = await sentBy(ask('asked'));
    expect(asked!.payload).toBe('[["session-analytics",{"here":"/here"}],["surface",["/radio"]]]');
    const counted = await sentBy(ask('counted'));
    expect(counted).toEqual([{ command: 'together', payload: '[["pageview","/here"],["surface",["/radio"]]]' }]);
  });

  it.each(['', 'http://[', `/${'x'.repeat(3_000)}`])('that is none is left out (%#)', async (wrong) => {
    const page = (await open()).session(newSession(), { page: wrong });
    expect(await page.unseen(['/radio'])).toEqual(['/radio']);
  });

  it('is an option, and others are refused', async () => {
    const client = await open();
    expect(client.session('abc', { deadlineMs: 7, page: '/a' }).leftMs).toBe(7);
    expect(() => client.session('abc', 7 as never)).toThrow(/takes its options as an object/);
    expect(() => client.session('abc', { deadline: 7 } as never)).toThrow(/did you mean "deadlineMs"/);
    expect(() => client.session('abc', { page: 7 } as never)).toThrow(RangeError);
  });
});

describe('a message with several questions', () => {
  /** A service of a namespace that hears everything, answers what `answer` gives, and says what it serves. */
  async function openWith(
    answer: (command: string, payload: string, reply: (json: string) => void) => string | undefined,
    commands: readonly string[][],
    options: Partial<SessionClientOptions> = {},
  ): Promise<{ client: SessionClient; heard: string[] }> {
    const namespace = `staged-${newSession().slice(0, 8)}`;
    const heard: string[] = [];
    const ears = await redis.duplicate().connect();
    onTestFinished(() => ears.close());
    await ears.subscribePatterns([`${namespace}:ss:*`], (payload, channel) => {
      const [, , command, , request] = channel.split(':');
      heard.push(command!);
      const [inbox, number] = request!.split('.');
      const reply = (text: string): void => {
        void redis.command('PUBLISH', `${namespace}:async:${inbox}`, `${number} ${text}`);
      };
      const json = payload === WARM ? '[]' : answer(command!, payload, reply);
      if (json !== undefined) reply(json);
    });
    const client = new SessionClient({ redis: server.url, namespace, deadlineMs: LONG_MS, ...options });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    for (const [i, served] of commands.entries()) {
      const beat = { instance: `instance-${i}`, glob: '?*', commands: served, leaving: false };
      await redis.command('PUBLISH', `${namespace}:async:_instances`, JSON.stringify(beat));
    }
    // Its reply comes behind the heartbeats, on the same connection.
    expect(await client.request('combo', 'abc', WARM, { deadlineMs: LONG_MS })).toEqual([]);
    heard.length = 0;
    return { client, heard };
  }
  const WARM = 'warm';
  const ASKING = ['surface', 'combo', 'session-analytics', 'notifications'];
  const NEW = [...ASKING, 'together'];

  it('is one miss for the breaker, however many it has', async () => {
    const { client, heard } = await openWith(() => undefined, [NEW], { deadlineMs: 30 });
    const degraded: Degraded[] = [];
    client.on('degraded', (event) => degraded.push(event));
    for (let i = 0; i < 4; i += 1) await askFour(client.session('abc'));
    expect(client.counters).toMatchObject({ requests: 17, messages: 5, degraded: { deadline: 16 } });
    expect(new Set(degraded.map(({ command }) => command))).toEqual(new Set(ASKING));
    // Four misses; a fifth opens it.
    expect(client.counters.degraded['breaker-open']).toBeUndefined();
    await askFour(client.session('abc'));
    await askFour(client.session('abc'));
    expect(client.counters.degraded).toEqual({ deadline: 20, 'breaker-open': 4 });
    expect(heard.filter((command) => command === 'together')).toHaveLength(5);
  });

  it('waits no longer than one of them would', async () => {
    const { client } = await openWith(() => undefined, [NEW], { deadlineMs: 60 });
    const page = client.session('abc');
    await askFour(page);
    expect(page.leftMs).toBe(0);
    await askFour(page);
    expect(client.counters).toMatchObject({ messages: 2, degraded: { deadline: 8 } });
  });

  it('costs the page nothing once it is answered', async () => {
    const page = (await open()).session(newSession());
    await askFour(page);
    const { leftMs } = page;
    await nextTurn();
    expect(page.leftMs).toBe(leftMs);
  });

  it('is sent only while all instances that serve the session list the command', async () => {
    const answer = (command: string, payload: string): string => {
      return command === 'together' ? JSON.stringify(JSON.parse(payload).map(() => [])) : '[]';
    };
    const ask = (client: SessionClient): Promise<unknown> =>
      Promise.all([client.session('abc').suggestions(), client.session('abc').unseen(['/a'])]);
    const askOnce = async (client: SessionClient): Promise<void> => {
      const page = client.session('abc');
      await Promise.all([page.suggestions(), page.unseen(['/a'])]);
    };
    const none = await openWith(answer, []);
    await askOnce(none.client);
    expect(none.heard).toEqual(['combo', 'surface']);
    const mixed = await openWith(answer, [NEW, ASKING]);
    await askOnce(mixed.client);
    expect(mixed.heard).toEqual(['combo', 'surface']);
    const all = await openWith(answer, [NEW, NEW]);
    await askOnce(all.client);
    expect(all.heard).toEqual(['together']);
    // Two handles of a session are two pages.
    all.heard.length = 0;
    await ask(all.client);
    expect(all.heard).toEqual(['combo', 'surface']);
  });

  it('has a part that an older service does not know: the others are answered', async () => {
    const older = (name: string): unknown =>
      ASKING.includes(name) ? [] : { error: { code: 'bad-payload', message: 'This version has no such command.' } };
    const { client, heard } = await openWith(
      (command, payload) => {
        const parts = JSON.parse(payload) as [string, unknown][];
        return command === 'together' ? JSON.stringify(parts.map(([name]) => older(name))) : undefined;
      },
      [NEW],
    );
    const degraded: Degraded[] = [];
    client.on('degraded', (event) => degraded.push(event));
    const page = client.session('abc', { page: '/a' });
    expect(await Promise.all([page.suggestions(), page.is('buyer'), page.unseen(['/b'])])).toEqual([[], undefined, []]);
    expect(heard).toEqual(['together']);
    expect(degraded).toMatchObject([{ command: 'segments', reason: 'bad-payload' }]);
    expect(page.leftMs).toBeGreaterThan(0);
  });

  it('fails as a whole where its reply does', async () => {
    const replies = ['{"error":{"code":"unavailable","message":"No."}}', '[[]]', '{}', '7', '{not JSON'];
    const { client } = await openWith((command) => (command === 'together' ? replies.shift() : '[]'), [NEW]);
    const degraded: Degraded[] = [];
    client.on('degraded', (event) => degraded.push(event));
    const reasons = ['unavailable', 'malformed-reply', 'malformed-reply', 'malformed-reply', 'malformed-reply'];
    for (const reason of reasons) {
      const page = client.session('abc');
      degraded.length = 0;
      expect(await Promise.all([page.suggestions(), page.unseen(['/a'])])).toEqual([undefined, undefined]);
      expect(degraded.map((each) => [each.command, each.reason])).toEqual([
        ['combo', reason],
        ['surface', reason],
      ]);
    }
  });

  it('has parts that fail alone where their replies are of another form', async () => {
    const { client } = await openWith(() => '[{"rule":1},["/a"]]', [NEW]);
    const degraded: Degraded[] = [];
    client.on('degraded', (event) => degraded.push(event));
    const page = client.session('abc');
    expect(await Promise.all([page.suggestions(), page.unseen(['/a'])])).toEqual([undefined, ['/a']]);
    expect(degraded).toMatchObject([{ command: 'combo', reason: 'malformed-reply' }]);
  });

  it('counts one late reply, and ignores it', async () => {
    let sendLate: (() => void) | undefined;
    const { client } = await openWith(
      (command, _, reply) => {
        if (command === 'together') sendLate = () => reply('[[],["/a"]]');
        return undefined;
      },
      [NEW],
      { deadlineMs: 30 },
    );
    const page = client.session('abc');
    expect(await Promise.all([page.suggestions(), page.unseen(['/a'])])).toEqual([undefined, undefined]);
    await waitUntil('the service has it', () => sendLate !== undefined);
    sendLate!();
    await waitUntil('it came', () => client.counters.lateReplies === 1);
    expect(client.counters).toMatchObject({ replies: 1, degraded: { deadline: 2 } });
  });
});

describe('closing a client', () => {
  it('sends what was asked in the turn, and settles it', async () => {
    const client = await open();
    const session = newSession();
    const page = client.session(session);
    const answers = Promise.all([page.publish('pageview', '/tv'), page.unseen(['/a']), page.suggestions()]);
    const sent = await sentBy(() => client.close());
    expect(namesOf(sent)).toEqual(['together']);
    expect((await answers).slice(1)).toEqual([undefined, undefined]);
    expect(client.counters.degraded).toEqual({ disconnected: 2 });
    const other = await open();
    await waitUntil('the view counts', async () => (await other.session(session).figures())?.totalPages === 1);
    expect(await Promise.all([page.suggestions(), page.figures()])).toEqual([undefined, undefined]);
  });
});

describe.each<[string, Partial<SessionClientOptions>, string[], string[]]>([
  ['list replies', { replies: 'list' }, ['together'], ['together']],
  ['streams', { transport: 'streams' }, ['together'], ['pageview', 'together']],
  ['mixed', { transport: 'mixed' }, ['together'], ['pageview', 'together']],
  ['a route for views alone', { transport: { pageview: 'streams' } }, ['together'], ['pageview', 'together']],
])('the questions of a page: %s', (_name, options, four, withView) => {
  it('travel as one message, and a view before them', async () => {
    const client = await open(options);
    const page = client.session(newSession());
    expect(namesOf(await sentBy(() => askFour(page)))).toEqual(four);
    const sent = await sentBy(() => Promise.all([page.request('pageview', '/tv'), page.figures(), page.suggestions()]));
    expect(namesOf(sent)).toEqual(withView);
    expect((await page.figures())?.totalPages).toBe(1);
    expect(client.counters.degraded).toEqual({});
  });
});

describe('the questions of a page', () => {
  it('are one message for each way', async () => {
    const page = (await open({ transport: { surface: 'streams' } })).session(newSession());
    expect(namesOf(await sentBy(() => askFour(page)))).toEqual(['surface', 'together']);
  });

  it('inline are one call of the service', async () => {
    const client = new SessionClient({ transport: service.inline, deadlineMs: LONG_MS });
    onTestFinished(() => client.close());
    const before = await metricOf(service.metrics.requests, { command: 'together' });
    const page = client.session(newSession(), { page: '/here' });
    const [view, fresh] = await Promise.all([page.request('pageview', '/tv'), page.unseen(['/tv', '/here', '/radio'])]);
    expect(view).toMatchObject({ totalPages: 1 });
    expect(fresh).toEqual(['/radio']);
    expect(await metricOf(service.metrics.requests, { command: 'together' })).toBe(before + 1);
    expect(client.counters).toMatchObject({ requests: 2, messages: 1, replies: 2, degraded: {} });
  });
});

describe('the questions of a page of a web framework', () => {
  const cached = async (): Promise<number> => 1;

  async function openExpress(client: SessionClient): Promise<string> {
    const app = express();
    app.use(async (_, response, next) => {
      response.locals.page = client.session('framework');
      response.locals.first = response.locals.page.unseen(['/a']);
      await cached();
      next();
    });
    app.get('/', async (_, response) => {
      const { page, first } = response.locals;
      await cached();
      response.json(await Promise.all([first, page.suggestions(), page.figures()]));
    });
    const running = app.listen(0);
    await once(running, 'listening');
    onTestFinished(() => void running.close());
    return `http://127.0.0.1:${(running.address() as AddressInfo).port}/`;
  }

  async function openFastify(client: SessionClient): Promise<string> {
    const app = Fastify();
    onTestFinished(() => app.close());
    const page = client.session('framework');
    let first: Promise<unknown>;
    app.addHook('onRequest', async () => {
      first = page.unseen(['/a']);
    });
    app.addHook('preHandler', (_request, _reply, done) => done());
    app.get('/', async () => {
      await cached();
      return Promise.all([first, page.suggestions(), page.figures()]);
    });
    return app.listen({ port: 0 });
  }

  it.each([
    ['Express', openExpress],
    ['Fastify', openFastify],
  ])('meet in one message: middleware or hook, and handler (%s)', async (_name, openSite) => {
    const url = await openSite(await open());
    let body: unknown;
    const sent = await sentBy(async () => {
      body = await (await fetch(url)).json();
    });
    expect(body).toEqual([['/a'], [], expect.objectContaining({ totalPages: 0 })]);
    expect(namesOf(sent)).toEqual(['together']);
  });
});
