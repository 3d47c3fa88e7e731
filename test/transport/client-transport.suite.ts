import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HEARTBEAT_TTL_MS } from '../../src/protocol/index.ts';
import type { Outcome } from '../../src/transport/transport.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { waitUntil } from '../support/wait-until.ts';
import { testOutages } from './outages.suite.ts';
import type { ServersUnderTest } from './servers-under-test.ts';
import { TransportStage } from './transport-stage.ts';
import type { OpenedTransport, TransportUnderTest } from './transports-under-test.ts';

/* What every way from the serving layer to the service promises. Slack for a loaded machine is a second; where nothing
 * may be waited for, the deadline is twenty, so that a wait would show. What is different by nature stands in the
 * transport's description. */

let lastNamespace = 0;
function newNamespace(): string {
  lastNamespace += 1;
  return `empty-${lastNamespace}`;
}

const SLACK_MS = 1_000;
const LONG_MS = 20_000;
const WHOLE_TEST_MS = 60_000;

/** The shared suite; `more` adds tests of one transport, with the same servers and service at hand. */
export function testClientTransport(
  underTest: TransportUnderTest,
  servers: ServersUnderTest,
  more?: (stage: TransportStage) => void,
): void {
  const { name, commands, isDurable, crossesRedis } = underTest;
  const silence = underTest.silence === 'by PUBLISH' && servers.isCluster ? 'by heartbeats' : underTest.silence;

  describe(`a client transport: ${name}, on ${servers.name}`, () => {
    const stage = new TransportStage(underTest.routes);
    let opened: OpenedTransport;
    let turn = 0;
    beforeAll(() => stage.start(servers));
    afterAll(() => stage.stop());
    beforeEach(async () => {
      await stage.reset();
      opened = underTest.open(stage);
      await opened.ready();
    });
    afterEach(() => opened.transport.close());

    const nextCommand = (): string => {
      turn += 1;
      return commands[turn % commands.length]!;
    };
    const request = (payload: string, deadlineMs = LONG_MS): Promise<Outcome> =>
      opened.transport.request(nextCommand(), 'abc', payload, deadlineMs);
    const heardPayloads = (): string[] => stage.heard.map(([, , payload]) => payload);

    it('brings the reply of the service', async () => {
      expect(await opened.transport.request(commands[0]!, 'abc', '/a', LONG_MS)).toEqual({
        answered: true,
        json: '"/a"',
      });
      expect(stage.heard).toEqual([[commands[0], 'abc', '/a']]);
      expect(opened.pending).toBe(0);
    });

    it('carries payloads and replies verbatim', async () => {
      const payloads = [
        ...['', ' ', '\n', '\r\n', '\u0000', '"', 'ä', '👋', 'a:b', '7 {"a":1}', '{"a":["b"]}'],
        'x'.repeat(60_000),
      ];
      for (const payload of payloads) {
        expect(await request(payload)).toEqual({ answered: true, json: JSON.stringify(payload) });
      }
      expect(heardPayloads()).toEqual(payloads);
    });

    it('gives each of a thousand parallel requests its own reply', async () => {
      const random = new SeededRandom(1);
      stage.dispatch = async (_, session, payload) => {
        for (let turns = random.below(5); turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
        return JSON.stringify([session, payload]);
      };
      const outcomes = await Promise.all(
        Array.from({ length: 1000 }, (_, i) => opened.transport.request(nextCommand(), `s${i % 7}`, `/p${i}`, LONG_MS)),
      );
      expect(outcomes).toEqual(
        Array.from({ length: 1000 }, (_, i) => ({ answered: true, json: JSON.stringify([`s${i % 7}`, `/p${i}`]) })),
      );
      expect(opened.pending).toBe(0);
      expect(stage.heard).toHaveLength(1000);
    });

    it('ignores a late reply and counts it; the next request gets its own', async () => {
      // What connects only when it is needed is connected now.
      for (const _ of commands) expect(await request('/first')).toMatchObject({ answered: true });
      let late: ((json: string) => void) | undefined;
      stage.dispatch = () =>
        new Promise((resolve) => {
          late = resolve;
        });
      expect(await request('/late', 50)).toMatchObject({ answered: false, reason: 'deadline' });
      await waitUntil('the service has it', () => late !== undefined);
      stage.dispatch = async () => '"in time"';
      late!('"late"');
      expect(await request('/next')).toEqual({ answered: true, json: '"in time"' });
      // By the client that hears it, or by the service that sees that nobody took it, or would.
      const counted = (): number => opened.lateReplies + stage.unclaimed;
      await waitUntil('it is counted', () => counted() === 1);
      expect(await request('/next')).toEqual({ answered: true, json: '"in time"' });
      expect(counted()).toBe(1);
    });

    it('publishes without a reply', async () => {
      expect(await opened.transport.publish(commands[0]!, 'abc', '/a')).toBe(true);
      await waitUntil('it is heard', () => stage.heard.length === 1);
      expect(await request('/b')).toEqual({ answered: true, json: '"/b"' });
      expect(heardPayloads()).toEqual(['/a', '/b']);
      expect(opened.lateReplies + stage.unclaimed).toBe(0);
    });

    it('leaves no key behind', async () => {
      stage.dispatch = (_, __, payload) => (payload === '/hangs' ? stage.hang() : Promise.resolve('1'));
      await Promise.all(Array.from({ length: 50 }, (_, i) => request(i % 2 === 0 ? '/hangs' : '/a', 50)));
      await opened.transport.publish(commands[0]!, 'abc', '/a');
      await stage.reset();
      await waitUntil('no key is left', async () => (await stage.keysLeft()).length === 0);
    });

    it('settles what waits when it is closed, and everything after', async () => {
      stage.dispatch = () => stage.hang();
      const waiting = Array.from({ length: 40 }, () => request('/a'));
      await waitUntil('the service has some', () => stage.heard.length > 0);
      const before = performance.now();
      await opened.transport.close();
      for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ answered: false });
      expect(opened.pending).toBe(0);
      expect(await request('/a')).toEqual({ answered: false, reason: 'disconnected' });
      expect(await opened.transport.publish(commands[0]!, 'abc', '/a')).toBe(false);
      expect(performance.now() - before).toBeLessThan(LONG_MS / 4);
      await opened.transport.close();
      await waitUntil('no connection is left', async () => (await stage.clientConnections()) === 0);
    });

    if (!servers.isBrief) {
      it('brings an error reply as it is', async () => {
        const json = '{"error":{"code":"bad-payload","message":"No."}}';
        stage.dispatch = async () => json;
        expect(await request('/a')).toEqual({ answered: true, json });
      });

      it('waits until the deadline and not much longer', async () => {
        stage.dispatch = () => stage.hang();
        const before = performance.now();
        expect(await request('/a', 80)).toMatchObject({ answered: false, reason: 'deadline' });
        const waitedMs = performance.now() - before;
        expect(waitedMs).toBeGreaterThan(78);
        expect(waitedMs).toBeLessThan(80 + SLACK_MS);
        expect(opened.pending).toBe(0);
      });
    }

    if (silence === 'never') {
      it('has its service where it is itself', async () => {
        expect(await opened.transport.ready(1)).toBe(true);
        expect(await opened.transport.publish('unknown', 'abc', '/a')).toBe(true);
        expect(heardPayloads()).toEqual(['/a']);
      });
    } else if (silence === 'by PUBLISH') {
      it('does not wait where nobody listens, and says so of what is published', async () => {
        const before = performance.now();
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, () => opened.transport.request('unknown', 'abc', '/a', LONG_MS)),
        );
        expect(outcomes).toEqual(outcomes.map(() => ({ answered: false, reason: 'nobody-listens' })));
        expect(performance.now() - before).toBeLessThan(LONG_MS / 4);
        expect(await opened.transport.publish('unknown', 'abc', '/a')).toBe(false);
      });
    } else {
      describe('where no service runs', () => {
        let empty: TransportStage;
        let alone: OpenedTransport;
        beforeEach(async () => {
          empty = new TransportStage([], newNamespace());
          await empty.start(servers);
          alone = underTest.open(empty);
          await alone.ready();
        });
        afterEach(async () => {
          await alone.transport.close();
          await empty.stop();
        });

        it('soon no longer waits, because it hears no heartbeats', async () => {
          const ask = (deadlineMs: number): Promise<Outcome> =>
            alone.transport.request(commands[0]!, 'abc', '/a', deadlineMs);
          expect(await ask(20)).toMatchObject({ answered: false });
          await waitUntil(
            'it knows',
            async () => {
              const outcome = await ask(200);
              return !outcome.answered && outcome.reason === 'nobody-listens';
            },
            HEARTBEAT_TTL_MS + LONG_MS,
          );
          // Longer than the test may take: one that waited would fail it.
          const outcomes = await Promise.all(Array.from({ length: 20 }, () => ask(WHOLE_TEST_MS)));
          expect(outcomes).toEqual(outcomes.map(() => ({ answered: false, reason: 'nobody-listens' })));
          expect(await alone.transport.publish(commands[0]!, 'abc', '/a')).toBe(isDurable);
        });

        it(isDurable ? 'keeps what it took, and the next service does it' : 'loses what nobody heard', async () => {
          for (const payload of ['/1', '/2']) await alone.transport.publish(commands[0]!, 'abc', payload);
          const late = new TransportStage(underTest.routes, empty.namespace);
          await late.reset();
          const served = await late.serve(empty.url);
          await waitUntil(
            'it answers',
            async () => (await alone.transport.request(commands[0]!, 'abc', '/3', SLACK_MS)).answered,
          );
          const heard = new Set(late.heard.map(([, , payload]) => payload));
          expect([...heard]).toEqual(isDurable ? ['/1', '/2', '/3'] : ['/3']);
          await served.stop();
        });
      });
    }

    if (crossesRedis && !servers.isBrief) {
      it('refuses at once what is more than may wait', async () => {
        const few = underTest.open(stage, { maxPending: 3 });
        await few.ready();
        stage.dispatch = () => stage.hang();
        const waiting = [1, 2, 3].map(() => few.transport.request(nextCommand(), 'abc', '', 200));
        expect(few.pending).toBe(3);
        expect(await few.transport.request(nextCommand(), 'abc', '', LONG_MS)).toEqual({
          answered: false,
          reason: 'overloaded',
        });
        const late = { answered: false, reason: 'deadline' };
        expect(await Promise.all(waiting)).toMatchObject([late, late, late]);
        await stage.reset();
        stage.dispatch = async () => '1';
        expect(await few.transport.request(nextCommand(), 'abc', '', LONG_MS)).toEqual({ answered: true, json: '1' });
        await few.transport.close();
      });
    }
    if (crossesRedis && servers.startOne) testOutages(underTest, stage, servers.startOne);

    more?.(stage);
  });
}
