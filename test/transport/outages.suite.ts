import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestRedis } from '../support/test-redis.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { TransportStage } from './transport-stage.ts';
import type { TransportUnderTest } from './transports-under-test.ts';

const SLACK_MS = 1_000;
const LONG_MS = 20_000;

/** What a transport over Redis promises where Redis is away or silent. */
export function testOutages(
  { open, commands }: TransportUnderTest,
  stage: TransportStage,
  startOne: () => Promise<TestRedis>,
): void {
  describe('where Redis', () => {
    let own: TestRedis;
    beforeAll(async () => {
      own = await startOne();
    });
    afterAll(() => own?.stop());

    it('is away, settles at once, and works again when it is back', async () => {
      own.kill('SIGKILL');
      const away = open(stage, { url: own.url });
      const before = performance.now();
      for (const command of commands) {
        for (let i = 0; i < 20; i += 1) {
          expect(await away.transport.request(command, 'abc', '/a', LONG_MS)).toEqual({
            answered: false,
            reason: 'disconnected',
          });
          expect(await away.transport.publish(command, 'abc', '/a')).toBe(false);
        }
      }
      expect(performance.now() - before).toBeLessThan(LONG_MS / 4);
      await own.restart();
      const there = await stage.serve(own.url);
      await away.ready();
      for (const command of commands) {
        expect(await away.transport.request(command, 'abc', '/a', LONG_MS)).toEqual({ answered: true, json: '"/a"' });
      }

      // Lost while requests wait: each settles, and not at its deadline of twenty seconds alone.
      stage.dispatch = () => stage.hang();
      const heard = stage.heard.length;
      const waiting = Array.from({ length: 10 }, (_, i) =>
        away.transport.request(commands[i % commands.length]!, 'abc', '/a', 500),
      );
      await waitUntil('the service has some', () => stage.heard.length > heard);
      own.kill('SIGKILL');
      for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject({ answered: false });
      await own.restart();
      await stage.reset();
      await away.ready();
      for (const command of commands) {
        await waitUntil(
          'both are back',
          async () => (await away.transport.request(command, 'abc', '/a', SLACK_MS)).answered,
        );
      }
      await there.stop();
      await away.transport.close();
    });

    it('has frozen, settles within the deadline', async () => {
      const frozen = open(stage, { url: own.url });
      await frozen.ready();
      own.kill('SIGSTOP');
      const before = performance.now();
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          frozen.transport.request(commands[i % commands.length]!, 'abc', '/a', 100),
        ),
      );
      expect(performance.now() - before).toBeLessThan(100 + SLACK_MS);
      expect(outcomes).toEqual(outcomes.map(() => ({ answered: false, reason: 'deadline' })));
      own.kill('SIGCONT');
      const there = await stage.serve(own.url);
      for (const command of commands) {
        await waitUntil(
          'it answers again',
          async () => (await frozen.transport.request(command, 'abc', '/a', SLACK_MS)).answered,
        );
      }
      await there.stop();
      await frozen.transport.close();
    });
  });
}
