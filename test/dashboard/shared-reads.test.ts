import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { Access } from '../../src/dashboard/access/access.ts';
import { ApplicationAccess } from '../../src/dashboard/access/application-access.ts';
import type { DashboardStore } from '../../src/dashboard/dashboard-store.ts';
import { DashboardHandler } from '../../src/dashboard/http/dashboard-handler.ts';
import { RequestRefusedError } from '../../src/dashboard/request-refused-error.ts';
import type { DashboardView } from '../../src/dashboard/view.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What open pages cost and are told, with a view that reads nothing of Redis. */

const DEADLINE_MS = 30_000;
const OPERATOR = { name: 'tester', role: 'operator', id: 'tester' } as const;

interface Stream {
  /** The data that came, and troubles as their sentence. */
  readonly told: unknown[];
  readonly hasEnded: () => boolean;
  close(): void;
}

async function serve(
  view: Partial<DashboardView>,
  access: Access = { check: async () => OPERATOR },
  before: (request: IncomingMessage) => unknown = () => undefined,
) {
  const log = new RecordingLog();
  const handler = new DashboardHandler({
    views: [{ name: 'test', title: 'Test', everyMs: 5, read: async () => 0, ...view }],
    ...{ access, log, namespace: () => 'sw', open: async () => ({}) as DashboardStore, heartbeatMs: 20 },
  });
  const server = createServer((request, response) => {
    before(request);
    void handler.handle(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    handler.close();
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const follow = (query = ''): Promise<Stream> => followStream(`${url}test/events${query}`);
  return { url, log, follow };
}

function followStream(url: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const sent = request(url, (response: IncomingMessage) => {
      if (response.statusCode !== 200) return reject(new Error(String(response.statusCode)));
      const told: unknown[] = [];
      let [text, hasEnded] = ['', false];
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
          if (data !== undefined) told.push(JSON.parse(data));
          text = text.slice(end + 2);
        }
      });
      response.on('close', () => {
        hasEnded = true;
      });
      response.on('error', () => undefined);
      resolve({ told, hasEnded: () => hasEnded, close: () => sent.destroy() });
    });
    sent.on('error', reject).end();
  });
}

it('dashboard: three pages that follow the same cost one read, another query one more, and nobody none', async () => {
  const reads: string[] = [];
  let [running, most] = [0, 0];
  const site = await serve({
    read: async (_, query) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return reads.push(String(query));
    },
  });
  const streams = await Promise.all([site.follow('?a=1&b=2'), site.follow('?b=2&a=1'), site.follow('?a=1&b=2')]);
  await waitUntil('all are told', () => streams.every(({ told }) => told.length > 5), DEADLINE_MS);
  expect(most).toBe(1);
  const [one, two, three] = streams.map(({ told }) => told.slice(-3));
  // Each was told each read once, and none was read for one of them alone.
  expect(streams.every(({ told }) => new Set(told).size === told.length)).toBe(true);
  expect([one, two, three].flat().every((number) => (number as number) <= reads.length)).toBe(true);
  for (const stream of streams) stream.close();
  const other = await site.follow('?c=3');
  await waitUntil('the other query is read', () => reads.includes('c=3'), DEADLINE_MS);
  await waitUntil('the first is read no more', () => reads.slice(-10).every((query) => query === 'c=3'), DEADLINE_MS);
  other.close();
});

it('dashboard: tells what differs only', async () => {
  let value = 'one';
  let reads = 0;
  const site = await serve({
    read: async () => {
      reads += 1;
      return { value };
    },
  });
  const stream = await site.follow();
  await waitUntil('it is read again and again', () => reads > 5, DEADLINE_MS);
  expect(stream.told).toEqual([{ value: 'one' }]);
  value = 'two';
  await waitUntil('it is told', () => stream.told.length === 2, DEADLINE_MS);
  expect(stream.told[1]).toEqual({ value: 'two' });
});

it('dashboard: a read that fails is a sentence on the page, and the next one data again', async () => {
  let failure: Error | undefined = new Error("NOPERM this user has no permissions to run the 'get' command");
  const site = await serve({
    read: async () => {
      if (failure) throw failure;
      return 'data';
    },
  });
  const stream = await site.follow();
  await waitUntil('the trouble is told', () => stream.told.length === 1, DEADLINE_MS);
  expect(stream.told[0]).toEqual({ message: expect.stringContaining('may not do that in Redis: NOPERM') });
  failure = undefined;
  await waitUntil('the data are told', () => stream.told.includes('data'), DEADLINE_MS);
});

it('dashboard: a second page is told at once what was read last, and a page that goes ends nothing', async () => {
  const site = await serve({ everyMs: 3_600_000, read: async () => 'read once' });
  const first = await site.follow();
  await waitUntil('the first is told', () => first.told.length === 1, DEADLINE_MS);
  const second = await site.follow();
  await waitUntil('the second is told', () => second.told.length === 1, DEADLINE_MS);
  first.close();
  expect(second.told).toEqual(['read once']);
  expect(site.log.entries).toEqual([]);
});

it.each([
  [
    'may not see it any more',
    () => {
      throw new RequestRefusedError(403, 'No more.');
    },
  ],
  ['is somebody else by now', () => ({ ...OPERATOR, id: 'another' })],
])('dashboard: a stream ends when who opened it %s', async (_, later) => {
  let isLater = false;
  const site = await serve({}, { check: async () => (isLater ? later() : OPERATOR) });
  const stream = await site.follow();
  await waitUntil('it is told', () => stream.told.length === 1, DEADLINE_MS);
  expect(stream.hasEnded()).toBe(false);
  isLater = true;
  await waitUntil('it ends', () => stream.hasEnded(), DEADLINE_MS);
});

it('dashboard: a stream that the application let in asks for another request, and who has logged out gets none', async () => {
  let isLoggedIn = true;
  // As a session: what is known of the user was read when the request came.
  const users = new WeakMap<IncomingMessage, boolean>();
  const access = new ApplicationAccess((request) => users.get(request) === true, new RecordingLog());
  const site = await serve({}, access, (request) => users.set(request, isLoggedIn));
  const [first, second] = [await site.follow(), await site.follow()];
  await waitUntil('both end', () => [first, second].every(({ hasEnded }) => hasEnded()), DEADLINE_MS);
  // The last that each is told; before it, the data.
  expect([first.told, second.told]).toEqual([
    [0, {}],
    [0, {}],
  ]);
  const third = await site.follow();
  isLoggedIn = false;
  await waitUntil('the third ends', () => third.hasEnded(), DEADLINE_MS);
  await expect(site.follow()).rejects.toThrow('403');
});

it('dashboard: an action is read back at once, and logged with who and what', async () => {
  let value = 1;
  const site = await serve({
    everyMs: 3_600_000,
    read: async () => value,
    actions: {
      set: {
        role: 'editor',
        parse: (input) => (input as { to: number }).to,
        describe: (to) => ({ to }),
        run: async (_, to, by) => {
          if (to === 13) throw new RangeError('13 cannot be set.');
          value = to as number;
          return { by };
        },
      },
    },
  });
  const stream = await site.follow();
  const { csrf } = (await (await fetch(`${site.url}session`)).json()) as { csrf: string };
  const set = (to: number) =>
    fetch(`${site.url}test/set`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-sessionwise-csrf': csrf },
      body: JSON.stringify({ to }),
    });
  const done = await set(2);
  expect([done.status, await done.json()]).toEqual([200, { done: { by: 'tester' } }]);
  await waitUntil('the page is told', () => stream.told.includes(2), DEADLINE_MS);
  const failed = await set(13);
  expect([failed.status, await failed.json()]).toEqual([409, { error: { message: '13 cannot be set.' } }]);
  const what = { who: 'tester', role: 'operator', view: 'test', action: 'set' };
  expect(site.log.entries.map(({ level, message, fields }) => [level, message, fields])).toEqual([
    ['info', 'Dashboard: done.', { ...what, to: 2 }],
    ['warn', 'Dashboard: failed.', { ...what, to: 13, reason: '13 cannot be set.' }],
  ]);
});
