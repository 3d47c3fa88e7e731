import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseSessionGlob } from '../../src/protocol/index.ts';
import { createConnection, type RedisConnection } from '../../src/redis/index.ts';
import { ChannelReceiver } from '../../src/transport/channels/channel-receiver.ts';
import type { ClientTransport, Outcome } from '../../src/transport/transport.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { startTestRedis, type TestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';

/* What every way from the serving layer to the service promises. Slack for a loaded machine is a second; where nothing
 * may be waited for, the deadline is twenty, so that a wait would show. */

const SLACK_MS = 1_000;
const LONG_MS = 20_000;

/** A transport under test. */
export interface OpenedTransport {
  readonly transport: ClientTransport;
  /** Waits until requests would be sent. */
  ready(): Promise<void>;
  readonly lateReplies: number;
  readonly pending: number;
}

export interface TransportUnderTest {
  readonly name: string;
  /** Opens one to a server, which need not be there. `maxPending`: requests that may wait at once. */
  open(url: string, maxPending?: number): OpenedTransport;
}

/** The shared suite; `more` adds tests of one transport, with the same server and service at hand. */
export function testClientTransport({ name, open }: TransportUnderTest, more?: (stage: Stage) => void): void {
  describe(`a client transport: ${name}`, () => {
    const stage = new Stage();
    let opened: OpenedTransport;
    beforeAll(() => stage.start());
    afterAll(() => stage.stop());
    beforeEach(async () => {
      stage.reset();
      opened = open(stage.server.url);
      await opened.ready();
    });
    afterEach(() => opened.transport.close());

    const request = (payload: string, deadlineMs = LONG_MS): Promise<Outcome> =>
      opened.transport.request('pageview', 'abc', payload, deadlineMs);

    it('brings the reply of the service', async () => {
      expect(await request('/a')).toEqual({ answered: true, json: '"/a"' });
      expect(stage.heard).toEqual([['pageview', 'abc', '/a']]);
      expect(opened.pending).toBe(0);
    });

    it('brings an error reply as it is', async () => {
      const json = '{"error":{"code":"bad-payload","message":"No."}}';
      stage.dispatch = async () => json;
      expect(await request('/a')).toEqual({ answered: true, json });
    });

    it('carries payloads and replies verbatim', async () => {
      const payloads = [
        '',
        ' ',
        '\n',
        '\r\n',
        '\u0000',
        '"',
        'ä',
        '👋',
        'a:b',
        '7 {"a":1}',
        '{"a":["b"]}',
        'x'.repeat(60_000),
      ];
      for (const payload of payloads) {
        expect(await request(payload)).toEqual({ answered: true, json: JSON.stringify(payload) });
      }
      expect(stage.heard.map(([, , payload]) => payload)).toEqual(payloads);
    });

    it('gives each of a thousand parallel requests its own reply', async () => {
      const random = new SeededRandom(1);
      stage.dispatch = async (_, session, payload) => {
        for (let turns = random.below(5); turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
        return JSON.stringify([session, payload]);
      };
      const outcomes = await Promise.all(
        Array.from({ length: 1000 }, (_, i) => opened.transport.request('pageview', `s${i % 7}`, `/p${i}`, LONG_MS)),
      );
      expect(outcomes).toEqual(
        Array.from({ length: 1000 }, (_, i) => ({ answered: true, json: JSON.stringify([`s${i % 7}`, `/p${i}`]) })),
      );
      expect(opened.pending).toBe(0);
    });

    it('waits until the deadline and not much longer', async () => {
      stage.dispatch = () => new Promise(() => {});
      const before = performance.now();
      expect(await request('/a', 80)).toEqual({ answered: false, reason: 'deadline' });
      const waitedMs = performance.now() - before;
      expect(waitedMs).toBeGreaterThan(78);
      expect(waitedMs).toBeLessThan(80 + SLACK_MS);
      expect(opened.pending).toBe(0);
    });

    it('does not wait where nobody listens', async () => {
      const before = performance.now();
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => opened.transport.request('unknown', 'abc', '/a', LONG_MS)),
      );
      expect(outcomes).toEqual(outcomes.map(() => ({ answered: false, reason: 'nobody-listens' })));
      expect(performance.now() - before).toBeLessThan(LONG_MS / 4);
    });

    it('ignores a late reply and counts it; the next request gets its own', async () => {
      let late: ((json: string) => void) | undefined;
      stage.dispatch = () =>
        new Promise((resolve) => {
          late = resolve;
        });
      expect(await request('/late', 50)).toEqual({ answered: false, reason: 'deadline' });
      await waitUntil('the service has it', () => late !== undefined);
      stage.dispatch = async () => '"in time"';
      late!('"late"');
      expect(await request('/next')).toEqual({ answered: true, json: '"in time"' });
      // By the client that hears it, or by the service that sees that nobody took it.
      const counted = () => opened.lateReplies + stage.untaken;
      await waitUntil('it is counted', () => counted() === 1);
      expect(await request('/next')).toEqual({ answered: true, json: '"in time"' });
      expect(counted()).toBe(1);
    });

    it('publishes without a reply, and says whether anybody took it', async () => {
      expect(await opened.transport.publish('pageview', 'abc', '/a')).toBe(true);
      await waitUntil('it is heard', () => stage.heard.length === 1);
      expect(await opened.transport.publish('unknown', 'abc', '/a')).toBe(false);
      expect(await request('/b')).toEqual({ answered: true, json: '"/b"' });
      expect(stage.heard.map(([, , payload]) => payload)).toEqual(['/a', '/b']);
      expect(opened.lateReplies).toBe(0);
    });

    it('leaves no key behind', async () => {
      stage.dispatch = (_, __, payload) => (payload === '/hangs' ? new Promise(() => {}) : Promise.resolve('1'));
      await Promise.all(Array.from({ length: 50 }, (_, i) => request(i % 2 === 0 ? '/hangs' : '/a', 50)));
      await opened.transport.publish('pageview', 'abc', '/a');
      await waitUntil('no key is left', async () => (await stage.admin.command<number>('DBSIZE')) === 0);
    });

    it('refuses at once what is more than may wait', async () => {
      const few = open(stage.server.url, 3);
      await few.ready();
      stage.dispatch = () => new Promise(() => {});
      const waiting = [1, 2, 3].map(() => few.transport.request('pageview', 'abc', '', 200));
      expect(few.pending).toBe(3);
      expect(await few.transport.request('pageview', 'abc', '', LONG_MS)).toEqual({
        answered: false,
        reason: 'overloaded',
      });
      expect(new Set((await Promise.all(waiting)).map((outcome) => JSON.stringify(outcome)))).toEqual(
        new Set(['{"answered":false,"reason":"deadline"}']),
      );
      stage.dispatch = async () => '1';
      expect(await few.transport.request('pageview', 'abc', '', LONG_MS)).toEqual({ answered: true, json: '1' });
      await few.transport.close();
    });

    it('settles what waits when it is closed, and everything after', async () => {
      stage.dispatch = () => new Promise(() => {});
      const waiting = Array.from({ length: 40 }, () => request('/a'));
      await waitUntil('the service has some', () => stage.heard.length > 0);
      const before = performance.now();
      await opened.transport.close();
      for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ answered: false });
      expect(await request('/a')).toEqual({ answered: false, reason: 'disconnected' });
      expect(await opened.transport.publish('pageview', 'abc', '/a')).toBe(false);
      expect(performance.now() - before).toBeLessThan(LONG_MS / 4);
      await opened.transport.close();
      await waitUntil('no connection is left', async () => (await stage.clientConnections()) === 0);
    });

    describe('where Redis', () => {
      let own: TestRedis;
      beforeAll(async () => {
        own = await startTestRedis();
      });
      afterAll(() => own?.stop());

      it('is away, settles at once, and works again when it is back', async () => {
        own.kill('SIGKILL');
        const away = open(own.url);
        const before = performance.now();
        for (let i = 0; i < 20; i += 1) {
          expect(await away.transport.request('pageview', 'abc', '/a', LONG_MS)).toEqual({
            answered: false,
            reason: 'disconnected',
          });
          expect(await away.transport.publish('pageview', 'abc', '/a')).toBe(false);
        }
        expect(performance.now() - before).toBeLessThan(LONG_MS / 4);
        await own.restart();
        const there = await stage.serve(own.url);
        await away.ready();
        expect(await away.transport.request('pageview', 'abc', '/a', LONG_MS)).toEqual({
          answered: true,
          json: '"/a"',
        });

        // Lost while requests wait: each settles, and not at its deadline of twenty seconds alone.
        stage.dispatch = () => new Promise(() => {});
        const waiting = Array.from({ length: 10 }, () => away.transport.request('pageview', 'abc', '/a', 500));
        await waitUntil('the service has some', () => stage.heard.length > 1);
        own.kill('SIGKILL');
        for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ answered: false });
        await own.restart();
        stage.dispatch = async () => '2';
        await away.ready();
        await waitUntil(
          'both are back',
          async () => (await away.transport.request('pageview', 'abc', '/a', SLACK_MS)).answered,
        );
        await there.stop();
        await away.transport.close();
      });

      it('has frozen, settles within the deadline', async () => {
        const frozen = open(own.url);
        await frozen.ready();
        own.kill('SIGSTOP');
        const before = performance.now();
        const outcomes = await Promise.all(
          Array.from({ length: 100 }, () => frozen.transport.request('pageview', 'abc', '/a', 100)),
        );
        expect(performance.now() - before).toBeLessThan(100 + SLACK_MS);
        expect(outcomes).toEqual(outcomes.map(() => ({ answered: false, reason: 'deadline' })));
        own.kill('SIGCONT');
        const there = await stage.serve(own.url);
        stage.dispatch = async () => '3';
        await waitUntil(
          'it answers again',
          async () => (await frozen.transport.request('pageview', 'abc', '/a', SLACK_MS)).answered,
        );
        await there.stop();
        await frozen.transport.close();
      });
    });

    more?.(stage);
  });
}

/** A server, and a service whose only command is what a test makes of it. */
export class Stage {
  server!: TestRedis;
  admin!: RedisConnection;
  dispatch!: (command: string, session: string, payload: string) => Promise<string>;
  heard: [command: string, session: string, payload: string][] = [];
  untaken = 0;
  #served: { stop(): Promise<void> } | undefined;

  async start(): Promise<void> {
    this.server = await startTestRedis();
    this.admin = await createConnection(this.server.url, 'admin').connect();
    this.#served = await this.serve(this.server.url);
  }

  async stop(): Promise<void> {
    await this.#served?.stop();
    await this.admin?.close();
    await this.server?.stop();
  }

  reset(): void {
    this.heard = [];
    this.untaken = 0;
    this.dispatch = async (_, __, payload) => JSON.stringify(payload);
  }

  /** Serves `pageview` on a server. */
  async serve(url: string): Promise<{ stop(): Promise<void> }> {
    const redis = await createConnection(url, 'service').connect();
    const subscriber = await redis.duplicate('service').connect();
    const receiver = new ChannelReceiver(subscriber, redis, {
      namespace: 'sw',
      glob: parseSessionGlob('?*'),
      commands: ['pageview'],
      dispatch: async (command, session, payload) => {
        this.heard.push([command, session, payload]);
        return { json: await this.dispatch(command, session, payload) };
      },
      events: {
        refused: () => {},
        untaken: (count) => {
          this.untaken += count;
        },
        replyFailed: () => {},
      },
    });
    await receiver.start();
    return {
      async stop() {
        await receiver.stop(10);
        await Promise.all([redis.close(), subscriber.close()]);
      },
    };
  }

  /** How many connections of a client the server has; `name`: how those it means begin. */
  async clientConnections(name = 'sessionwise'): Promise<number> {
    const clients = await this.admin.command<string>('CLIENT', 'LIST');
    return clients.split('\n').filter((line) => line.includes(` name=${name}`)).length;
  }
}
