import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { personOf, SessionClient } from '../../src/index.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { useRedis } from '../support/use-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* Services that end while they merge: what was viewed is the person's, each view once. */

const SECRET = 'a secret of the tests, long enough';
const PEOPLE = 20;
const DEVICES = 3;
const VIEWS = 8;
const KILLS = 4;
const BETWEEN_KILLS_MS = 400;
const BETWEEN_VIEWS_MS = 200;
const server = useRedis();

it('a service is killed while sessions become persons', { timeout: 120_000 }, async () => {
  const start = (): Promise<ServiceProcess> => startServiceProcess(server.url, SECRET, '--transport', 'both');
  const running = [await start(), await start()];
  onTestFinished(async () => {
    await Promise.all(running.map((service) => service.stop()));
  });
  const client = new SessionClient({ redis: server.url, transport: 'mixed', deadlineMs: 1_000 });
  onTestFinished(() => client.close());
  expect(await client.ready()).toBe(true);

  const devices = Array.from({ length: PEOPLE }, (_, user) =>
    Array.from({ length: DEVICES }, (_, device) => ({
      person: personOf(`user-${user}`),
      session: `device-${user}-${device}`,
    })),
  ).flat();
  let isOver = false;
  const kills = (async () => {
    for (let i = 0; i < KILLS; i += 1) {
      await sleep(BETWEEN_KILLS_MS);
      await running.shift()!.kill('SIGKILL');
      running.push(await start());
    }
    isOver = true;
  })();
  await Promise.all(
    devices.map(async ({ person, session }, i) => {
      for (let view = 0; view < VIEWS; view += 1) {
        expect(await client.publish('pageview', session, `/page-${i}-${view}`)).toBe(true);
        void client.request('identify', person, session);
        await sleep(BETWEEN_VIEWS_MS);
      }
    }),
  );
  await kills;
  expect(isOver).toBe(true);
  for (const { person, session } of devices) {
    await waitUntil(
      `${session} is merged`,
      async () => (await client.request('identify', person, session))?.merged === true,
    );
  }
  const totals = async (): Promise<(number | undefined)[]> => {
    const found: (number | undefined)[] = [];
    for (const { person } of devices) found.push((await client.request('session-analytics', person, ''))?.totalPages);
    return found;
  };
  const expected = devices.map(() => DEVICES * VIEWS);
  await waitUntil('all views are the persons’', async () =>
    (await totals()).every((total) => total === DEVICES * VIEWS),
  ).catch(async () => expect(await totals()).toEqual(expected));
  const seen = await Promise.all(
    devices.map(({ person }, i) =>
      client.request(
        'surface',
        person,
        Array.from({ length: VIEWS }, (_, view) => `/page-${i}-${view}`),
      ),
    ),
  );
  expect(seen).toEqual(devices.map(() => []));
});
