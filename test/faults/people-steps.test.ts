import { once } from 'node:events';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { personOf, SessionClient } from '../../src/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Child, endChildren, startChild } from './child.ts';

/* A service that ends between any two of its steps, while a visitor becomes a person: a child that kills itself before its
 * n-th command about them, n from 1 on until all is done without an end. Another one goes on. */

const SECRET = 'a secret of the tests, long enough';
const IS_LONG = process.env.SESSIONWISE_SOAK_SECONDS !== undefined;
/** How many steps apart the tries are where there is little time. */
const STRIDE = 5;
const DEADLINE_MS = 20_000;

const server = useRedis({ eachTest: 'kept' });
let last = 0;

afterEach(endChildren);

const start = (session: string, user: string, ends: number): Promise<Child<{ instance: string }>> =>
  startChild('merging-service.js', [server.url, SECRET, session, user, String(ends)]);

/** What a visitor does who becomes a person. Views and marks that are not answered were done or not. */
const FLOW = [
  ['pageview', 'visitor', '/a'],
  ['mark-item-seen', 'visitor', 'lamp'],
  ['mark-notification-seen', 'visitor', 'n1'],
  ['pageview', 'visitor', '/b'],
  ['identify', 'person', 'visitor'],
  ['pageview', 'visitor', '/late'],
  ['mark-item-seen', 'visitor', 'late-lamp'],
  ['pageview', 'person', '/c'],
  ['identify', 'person', 'visitor'],
] as const;

describe.each(['channels', 'streams'] as const)('a service that ends while it merges, asked over %s', (transport) => {
  async function openClient(): Promise<SessionClient> {
    const client = new SessionClient({ redis: server.url, transport, deadlineMs: DEADLINE_MS });
    onTestFinished(() => client.close());
    expect(await client.ready()).toBe(true);
    return client;
  }

  /** Does all of it, with a service that ends before its command number `ends`. Returns how many it has sent; 0 where it
   *  has ended. */
  async function runFlow(ends: number): Promise<number> {
    last += 1;
    const [visitor, user] = [`visitor-${last}`, `user-${last}`];
    const ids = { visitor, person: personOf(user) };
    let child = await start(visitor, user, ends);
    const first = child;
    const client = await openClient();
    const [answered, asked] = [new Set<string>(), new Set<string>()];
    for (const [command, as, payload] of FLOW) {
      const request = client.request(command, ids[as], payload === 'visitor' ? visitor : payload);
      asked.add(`${command} ${payload}`);
      const answer = await Promise.race([request, child.exited.then(() => undefined)]);
      if (answer !== undefined) answered.add(`${command} ${payload}`);
      if (child.isAlive) continue;
      child = await start(visitor, user, 0);
      await waitUntil('the next one is heard', async () => (await client.request('combo', 'any', '')) !== undefined);
    }
    const sent = first.isAlive ? await sentBy(first) : 0;
    await waitUntil(
      'the visitor is the person',
      async () => (await client.request('identify', ids.person, visitor)) !== undefined,
    );
    await expectKnown(client, ids, { answered, asked }, ends);
    await child.kill('SIGTERM');
    await client.close();
    return sent;
  }

  async function expectKnown(
    client: SessionClient,
    { visitor, person }: { readonly visitor: string; readonly person: string },
    { answered, asked }: { readonly answered: ReadonlySet<string>; readonly asked: ReadonlySet<string> },
    ends: number,
  ): Promise<void> {
    const items = ['/a', '/b', '/c', '/late', 'lamp', 'late-lamp'];
    const commandOf = (item: string): string => (item.startsWith('/') ? 'pageview' : 'mark-item-seen');
    const isDone = (set: ReadonlySet<string>, item: string): boolean => set.has(`${commandOf(item)} ${item}`);
    // Over streams a request is done, be it by the next one, and only once.
    const done = transport === 'streams' ? asked : answered;
    const pages = items.filter((item) => item.startsWith('/'));
    const counted = async (): Promise<number> =>
      (await client.request('session-analytics', person, ''))?.totalPages ?? Number.NaN;
    const leastViews = pages.filter((page) => isDone(done, page)).length;
    await waitUntil(`${ends}: all views are counted`, async () => (await counted()) >= leastViews);
    expect(await counted(), `${ends}: views`).toBeLessThanOrEqual(
      transport === 'streams' ? leastViews : leastViews + (pages.length - leastViews),
    );
    const freshOnes = async (): Promise<string[]> =>
      ((await client.request('surface', person, items)) ?? items).filter((item) => isDone(done, item));
    // The mark stands in another stream than the last views, whose owner has ended too: it is taken over by itself.
    if (transport === 'streams')
      await waitUntil(`${ends}: all marks are done`, async () => (await freshOnes()).length === 0);
    expect(await freshOnes(), `${ends}: nothing that was done is fresh`).toEqual([]);
    if (done.has('mark-notification-seen n1')) {
      expect(await client.request('notifications', person, ['n1'])).toEqual([{ id: 'n1', seen: true }]);
    }
    const ofVisitor = await client.request('surface', visitor, items);
    expect(ofVisitor, `${ends}: what the person saw`).toContain('/c');
  }

  it('loses nothing and counts nothing twice, wherever it ends', { timeout: 600_000 }, async () => {
    const steps = await runFlow(0);
    expect(steps).toBeGreaterThan(15);
    const ended: number[] = [];
    for (let ends = 1; ends <= steps; ends += IS_LONG ? 1 : STRIDE) {
      if ((await runFlow(ends)) === 0) ended.push(ends);
    }
    console.log(`The service sends ${steps} commands; it has ended before ${ended.join(', ')}.`);
    expect(ended.length).toBeGreaterThan(IS_LONG ? steps - 3 : 2);
  });
});

async function sentBy({ process: child }: Child<unknown>): Promise<number> {
  const answer = once(child, 'message');
  child.send('how many?');
  const [{ sent }] = (await answer) as [{ sent: number }];
  return sent;
}
