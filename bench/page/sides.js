/* sides.js: how each side serves the page. `open(url)` resolves with { store, answers(request), middleware, close }:
 * `answers` returns what the page shows of the service, or undefined where it shows nothing. */
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { SessionClient, sessionOf } from 'sessionwise';
import { SessionStore, sessionwise } from 'sessionwise/express';
import { startService } from 'sessionwise/service';
import { openDriver, socketOf } from '../support/redis.js';
import { DEADLINE_MS, FEATURED, GROUP, SECRET, SUGGESTIONS } from './namespace.js';

export const SIDES = {
  ours: (url) => openOurs(url, { namespace: 'ours' }),
  streams: (url) => openOurs(url, { namespace: 'streams', transport: 'streams', secret: SECRET }),
  async inline(url) {
    const service = await startService({
      redis: url,
      namespace: 'inline',
      secret: SECRET,
      suggestions: SUGGESTIONS,
      transport: 'inline',
      sessions: { sweep: false },
    });
    const ours = await openOurs(url, { namespace: 'inline', transport: service.inline });
    return { ...ours, close: () => ours.close().then(() => service.stop()) };
  },
  connectRedis: (url) => openConnectRedis(url),
  tuned: (url) => openConnectRedis(url, { commandOptions: { timeout: undefined } }),
  floor: openFloor,
  paper: openPaper,
};

async function openOurs(url, clientOptions) {
  const { namespace } = clientOptions;
  const client = new SessionClient({ redis: url, deadlineMs: DEADLINE_MS, ...clientOptions });
  const store = new SessionStore({ redis: url, namespace, deadlineMs: DEADLINE_MS, sweep: false });
  await client.ready();
  // What is known stands with the session that the page brings, and no visitor's cookie is needed.
  const options = { client, store, token: (request) => request.sessionID };
  const publishes = sessionwise(options);
  return {
    client,
    store,
    middleware: { whole: publishes, publishes, waits: sessionwise({ ...options, pageview: 'off' }) },
    async answers({ sessionwise: handle }) {
      const [figures, fresh, suggestions, notices] = await Promise.all([
        handle.figures(),
        handle.unseen(FEATURED),
        handle.suggestions(),
        handle.notices.list({ groups: [GROUP], limit: 20 }),
      ]);
      return { figures, fresh, suggestions, notices: notices.notices };
    },
    totalPages: (token) => client.request('session-analytics', sessionOf(token), '').then((reply) => reply.totalPages),
    async close() {
      await client.close();
      await store.close();
    },
  };
}

/** As the documentation of connect-redis sets both up; `options` are further ones of the driver. */
async function openConnectRedis(url, options = {}) {
  const client = createClient({ ...options, socket: socketOf(url) });
  client.on('error', (error) => console.error(error));
  await client.connect();
  return {
    store: new RedisStore({ client, prefix: `myapp-${Object.keys(options).length}:` }),
    close: async () => client.destroy(),
  };
}

/** What a page must pay at least that asks another process through Redis: connect-redis' page, and one message to a
 *  process that answers all alike. */
async function openFloor(url) {
  const connectRedis = await openConnectRedis(url);
  const [driver, subscriber] = await Promise.all([openDriver(url), openDriver(url)]);
  const pending = {};
  let last = 0;
  await subscriber.subscribe('floor:replies', (message) => {
    const number = Number(message.slice(0, message.indexOf(' ')));
    pending[number]();
    delete pending[number];
  });
  return {
    ...connectRedis,
    answers: () =>
      new Promise((resolve, reject) => {
        last += 1;
        pending[last] = resolve;
        driver.sendCommand(['PUBLISH', 'floor:requests', `${last} what is to be known`]).catch(reject);
      }),
    async close() {
      driver.destroy();
      subscriber.destroy();
      await connectRedis.close();
    },
  };
}

/** As the white paper's sample does it: a connection of its own for each page, PUBLISH for each question, BLPOP for each
 *  reply. Its service is ours. */
async function openPaper(url) {
  const connectRedis = await openConnectRedis(url);
  const client = new SessionClient({ redis: url, namespace: 'ours', deadlineMs: DEADLINE_MS });
  await client.ready();
  let last = 0;
  return {
    ...connectRedis,
    async answers({ sessionID, originalUrl }) {
      const session = sessionOf(sessionID);
      last += 1;
      const questions = [
        ['session-analytics', ''],
        ['surface', JSON.stringify(FEATURED)],
        ['combo', ''],
        ['notices', JSON.stringify({ groups: [GROUP], limit: 20 })],
      ];
      const driver = createClient({ socket: socketOf(url) });
      driver.on('error', (error) => console.error(error));
      await driver.connect();
      const [, ...replies] = await Promise.all([
        driver.publish(`ours:ss:pageview:${session}:_`, originalUrl),
        ...questions.map(async ([command, payload]) => {
          await driver.publish(`ours:ss:${command}:${session}:q${last}`, payload);
        }),
        ...questions.map(([command]) => driver.blPop(`ours:async:${command}:${session}:q${last}`, 10)),
      ]);
      driver.destroy();
      const [figures, fresh, suggestions, notices] = replies.slice(4).map(({ element }) => JSON.parse(element));
      return { figures, fresh, suggestions, notices: notices.notices };
    },
    totalPages: (token) => client.request('session-analytics', sessionOf(token), '').then((reply) => reply.totalPages),
    async close() {
      await client.close();
      await connectRedis.close();
    },
  };
}
