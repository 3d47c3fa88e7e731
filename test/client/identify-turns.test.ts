import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { personOf, type SessionHandle } from '../../src/index.ts';
import { StagedService } from '../support/staged-service.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* A page asks as a person before what it merges is the person's: so `identify` goes with each of its messages until it was
 * answered. */

const PERSON = personOf('ada');
const VISITOR = 'the-visitor-of-before';
const server = useRedis({ eachTest: 'kept' });

/** Opens a page as a person; `isAnswered`: whether `identify` is. */
async function open(isAnswered: () => boolean): Promise<{ page: SessionHandle; messages: () => string[] }> {
  const service = new StagedService(server.redis, ({ command, payload }) => {
    if (command !== 'identify') return [];
    return isAnswered() ? { from: payload, merged: true } : { error: { code: 'internal', message: 'of the test' } };
  });
  const client = await service.open({ redis: server.url });
  const namesOf = ({ command, payload }: { command: string; payload: string }): string =>
    command === 'together' ? (JSON.parse(payload) as [string][]).map(([name]) => name).join(' ') : command;
  return { page: client.session(PERSON, { page: '/a' }), messages: () => service.messages.map(namesOf) };
}

it('leads the questions of its turn, and goes with no later one once it was answered', async () => {
  const { page, messages } = await open(() => true);
  const identified = page.request('identify', VISITOR);
  await page.request('combo', '');
  expect(await identified).toEqual({ from: VISITOR, merged: true });
  await page.request('combo', '');
  expect(messages()).toEqual(['identify combo', 'combo']);
});

it('is sent alone where the page asks nothing', async () => {
  const { page, messages } = await open(() => true);
  expect(await page.request('identify', VISITOR)).toEqual({ from: VISITOR, merged: true });
  expect(messages()).toEqual(['identify']);
});

it('goes with each message until it was answered, in front of the questions and behind a page view', async () => {
  let isAnswered = false;
  const { page, messages } = await open(() => isAnswered);
  expect(await page.request('identify', VISITOR)).toBeUndefined();
  await page.request('combo', '');
  await nextTurn();
  void page.publish('pageview', '/a');
  isAnswered = true;
  await page.request('combo', '');
  await page.request('combo', '');
  await waitUntil('all are sent', () => messages().length === 4);
  expect(messages()).toEqual(['identify', 'identify combo', 'pageview identify combo', 'combo']);
});
