import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { personOf, SessionClient } from '../../src/index.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Child, endChildren, startChild } from './child.ts';
import { SECRET } from './streams-stage.ts';

/* A service that ends between any two of its steps, while notices are published, changed and marked: a child that kills
 * itself before its n-th command about them, n from 1 on until all is done without an end. Another one goes on; what was
 * not answered is asked again. No notice is lost then, none is hidden, and each can be marked and withdrawn by its id. */

const IS_LONG = process.env.SESSIONWISE_SOAK_SECONDS !== undefined;
/** How many steps apart the tries are where there is little time. */
const STRIDE = 15;
const DEADLINE_MS = 20_000;
const FULL = 1_000;

const server = useRedis({ eachTest: 'kept' });
let last = 0;

afterEach(endChildren);

const start = (ends: number): Promise<Child<{ instance: string }>> =>
  startChild('notices/notices-service.js', [server.url, SECRET, 'channels', '?*', String(ends)]);

async function openClient(): Promise<SessionClient> {
  const client = new SessionClient({ redis: server.url, deadlineMs: DEADLINE_MS });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);
  return client;
}

type Command = Parameters<SessionClient['request']>;

/** All that is done with notices, by a visitor who becomes a person. */
function flowOf(run: number): { readonly visitor: string; readonly person: string; readonly flow: Command[] } {
  const [visitor, person] = [`visitor-${run}`, personOf(`user-${run}`)];
  const [a, b] = [`a-${run}`, `b-${run}`];
  const publish = (to: object, id: string): Command => ['publish-notice', 'any', { to, id, text: 'T' } as never];
  const mark = (as: string, what: object): Command => ['mark-notices', visitor, { ...what, as } as never];
  const id = (name: string): string => `${name}-${run}`;
  return {
    visitor,
    person,
    flow: [
      publish({ group: a }, id('both')),
      publish({ group: a }, id('edited')),
      publish({ group: b }, id('both')),
      publish({ group: 'full' }, id('newest')),
      mark('read', { ids: [id('both')] }),
      publish({ subject: visitor }, id('own')),
      ['edit-notice', 'any', { id: id('edited'), text: 'Edited' }],
      publish({ group: a }, id('again')),
      mark('read', { ids: [id('again')] }),
      mark('seen', { groups: [a, b] }),
      ['withdraw-notice', 'any', { id: id('again') }],
      publish({ group: b }, id('again')),
      ['identify', person, visitor],
      publish({ group: a }, id('last')),
    ],
  };
}

describe('a service that ends while it writes notices', () => {
  /** Does all of it, with a service that ends before its command number `ends`. Returns how many it has sent; 0 where it
   *  has ended. */
  async function run(client: SessionClient, ends: number): Promise<number> {
    last += 1;
    const number = last;
    const { person, flow } = flowOf(number);
    const first = await start(ends);
    let child = first;
    for (const [command, session, payload] of flow) {
      const request = client.request(command, session, payload);
      const answer = await Promise.race([request, child.exited.then(() => undefined)]);
      if (answer !== undefined) continue;
      expect(child.isAlive, `${command} was answered`).toBe(false);
      child = await start(0);
      await waitUntil(
        'the next one is heard',
        async () => (await client.request(command, session, payload)) !== undefined,
      );
    }
    const sent = first.isAlive ? await sentBy(first) : 0;
    await expectShown(client, person, number, ends);
    await child.kill('SIGTERM');
    return sent;
  }

  async function expectShown(client: SessionClient, person: string, run: number, ends: number): Promise<void> {
    const groups = [`a-${run}`, `b-${run}`];
    const shownTo = async (session: string, of: readonly string[]): Promise<Record<string, boolean>> => {
      const { notices } = (await client.session(session).notices.list({ groups: of, limit: 1_000 }))!;
      return Object.fromEntries(notices.map(({ id, text, read }) => [`${id} ${text}`, read]));
    };
    const texts = ['both T', 'edited Edited', 'again T', 'last T'].map((name) => name.replace(' ', `-${run} `));
    const unread = Object.fromEntries(texts.map((text) => [text, false]));
    expect(await shownTo('stranger', groups), `${ends}: to a stranger`).toEqual(unread);
    expect(await shownTo(person, groups), `${ends}: to the person`).toEqual({
      ...unread,
      [`both-${run} T`]: true,
      [`own-${run} T`]: false,
    });
    const full = await shownTo('stranger', ['full']);
    expect(full[`newest-${run} T`], `${ends}: the newest of a full list`).toBe(false);
    expect(Object.keys(full)).toHaveLength(FULL);
    // Each is found by its id.
    const ids = ['both', 'edited', 'again', 'last', 'newest', 'own'].map((name) => `${name}-${run}`);
    await client.session(person).notices.markRead(ids);
    const read = await shownTo(person, [...groups, 'full']);
    expect(
      ids.filter((id) => !read[`${id} ${id.startsWith('edited') ? 'Edited' : 'T'}`]),
      `${ends}: not read`,
    ).toEqual([]);
    const lists = { both: 2, edited: 1, again: 1, last: 1 };
    for (const [name, count] of Object.entries(lists)) {
      expect(await client.notices.withdraw(`${name}-${run}`), `${ends}: lists of ${name}`).toBe(count);
    }
    expect(await shownTo('stranger', groups)).toEqual({});
  }

  it('loses no notice and hides none, wherever it ends', { timeout: 600_000 }, async () => {
    const client = await openClient();
    const filling = await start(0);
    await Promise.all(
      Array.from({ length: FULL }, (_, i) =>
        client.notices.publish({ to: { group: 'full' }, id: `old-${i}`, text: 'T' }),
      ),
    );
    await filling.kill('SIGTERM');
    const steps = await run(client, 0);
    expect(steps).toBeGreaterThan(40);
    const ended: number[] = [];
    for (let ends = 1; ends <= steps; ends += IS_LONG ? 1 : STRIDE) {
      if ((await run(client, ends)) === 0) ended.push(ends);
    }
    console.log(`The service sends ${steps} commands; it has ended before ${ended.join(', ')}.`);
    expect(ended.length).toBeGreaterThan(IS_LONG ? steps - 5 : 3);
  });
});

async function sentBy({ process: child }: Child<unknown>): Promise<number> {
  const answer = new Promise<number>((resolve) => {
    child.once('message', ({ sent }: { sent: number }) => resolve(sent));
  });
  child.send('how many?');
  return answer;
}
