import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedisProxy } from '../support/redis-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';
import { testClientTransport } from './client-transport.suite.ts';
import { PLAIN_REDIS } from './servers-under-test.ts';
import { CHANNELS_INBOX, CHANNELS_LIST, LANES, openRedisTransport } from './transports-under-test.ts';

// `unix://<path>`
function socketPathOf(url: string): string {
  return url.slice('unix://'.length);
}

testClientTransport(CHANNELS_INBOX, PLAIN_REDIS, (stage) => {
  it('subscribes again after the subscription alone was cut', async () => {
    const proxy = await startRedisProxy(socketPathOf(stage.url));
    const { requester } = openRedisTransport(proxy.url);
    onTestFinished(async () => {
      await requester.close();
      await proxy.close();
    });
    for (let round = 0; round < 5; round += 1) {
      expect(await requester.ready(10_000)).toBe(true);
      await waitUntil('it is answered', async () => (await requester.request('pageview', 'a', '', 1_000)).answered);
      proxy.reset();
      expect(proxy.cut('sessionwise-inbox')).toBe(1);
      await waitUntil(
        'it has subscribed to both channels again',
        () =>
          proxy
            .commands('sessionwise-inbox')
            .filter(([name]) => name === 'SUBSCRIBE')
            .flat().length >= 3,
      );
    }
    expect(requester.pending).toBe(0);
  });

  it('does not wait for a reply that it could not hear', async () => {
    const { requester } = openRedisTransport(stage.url);
    onTestFinished(() => requester.close());
    expect(await requester.ready(10_000)).toBe(true);
    const clients = await stage.admin.command<string>('CLIENT', 'LIST');
    const inboxes = clients.split('\n').filter((line) => line.includes(' name=sessionwise-inbox'));
    // No connection more: the inbox cannot come back, while the requests could still be sent.
    await stage.admin.command('CONFIG', 'SET', 'maxclients', '1');
    try {
      for (const line of inboxes) await stage.admin.command('CLIENT', 'KILL', 'ID', /id=(\d+)/.exec(line)![1]!);
      await waitUntil('it knows', () => !requester.isReady);
      const before = performance.now();
      for (let i = 0; i < 10; i += 1) {
        expect(await requester.request('pageview', 'a', '', 20_000)).toMatchObject({ reason: 'disconnected' });
      }
      expect(performance.now() - before).toBeLessThan(5_000);
      expect(await requester.publish('pageview', 'a', '')).toBe(true);
    } finally {
      await stage.admin.command('CONFIG', 'SET', 'maxclients', '1000');
    }
    expect(await requester.ready(10_000)).toBe(true);
    expect(await requester.request('pageview', 'a', '', 20_000)).toMatchObject({ answered: true });
  });

  it('holds one connection for all that wait, and none for BLPOP', async () => {
    const { requester } = openRedisTransport(stage.url);
    onTestFinished(() => requester.close());
    await requester.ready(10_000);
    stage.dispatch = () => stage.hang();
    const waiting = Array.from({ length: 200 }, () => requester.request('pageview', 'a', '', 100));
    expect(requester.pending).toBe(200);
    await Promise.all(waiting);
    expect(requester.blockingConnections).toBe(0);
    expect(await stage.clientConnections('blpop')).toBe(0);
  });
});

testClientTransport(CHANNELS_LIST, PLAIN_REDIS, (stage) => {
  describe('its connections for BLPOP', () => {
    const open = (url = stage.url) => {
      const opened = openRedisTransport(url, { replies: 'list' });
      onTestFinished(() => opened.requester.close());
      return opened.requester;
    };
    const blocked = async () =>
      Number(/blocked_clients:(\d+)/.exec(await stage.admin.command<string>('INFO', 'clients'))![1]);

    it('are as many as are needed, and never more than allowed', async () => {
      const requester = open();
      expect(requester.blockingConnections).toBe(0);
      await requester.ready(10_000);
      await requester.request('pageview', 'a', '', 20_000);
      await requester.request('pageview', 'a', '', 20_000);
      expect(requester.blockingConnections).toBe(1);
      let most = 0;
      let running = true;
      const watching = (async () => {
        while (running) most = Math.max(most, await stage.clientConnections('blpop'));
      })();
      const outcomes = await Promise.all(
        Array.from({ length: 300 }, () => requester.request('pageview', 'a', '', 20_000)),
      );
      running = false;
      await watching;
      expect(outcomes.every(({ answered }) => answered)).toBe(true);
      expect(requester.blockingConnections).toBe(LANES);
      // Those of the test before may still be going.
      await waitUntil('the server sees no more', async () => (await stage.clientConnections('blpop')) === LANES);
      expect(most).toBeGreaterThan(1);
    });

    it('come back after CLIENT UNBLOCK, and none stays blocked', async () => {
      const requester = open();
      await requester.ready(10_000);
      stage.dispatch = () => stage.hang();
      for (let round = 0; round < 5; round += 1) {
        const outcomes = await Promise.all(
          Array.from({ length: 2 * LANES }, () => requester.request('pageview', 'a', '', 60)),
        );
        expect(outcomes.every((outcome) => !outcome.answered && outcome.reason === 'deadline')).toBe(true);
      }
      await waitUntil('none is blocked', async () => (await blocked()) === 0);
      stage.dispatch = async () => '1';
      const outcomes = await Promise.all(
        Array.from({ length: LANES }, () => requester.request('pageview', 'a', '', 20_000)),
      );
      expect(outcomes).toEqual(outcomes.map(() => ({ answered: true, json: '1' })));
      expect(requester.blockingConnections).toBe(LANES);
    });

    it('that are all taken keep no view from being counted, and no question is asked in vain', async () => {
      const requester = open();
      await requester.ready(10_000);
      stage.dispatch = () => stage.hang();
      const waiting = Array.from({ length: LANES }, () => requester.request('pageview', 'a', '/waits', 1_000));
      await waitUntil('all wait', async () => (await blocked()) >= LANES);
      expect(await requester.request('surface', 'a', '/asked', 50)).toMatchObject({ reason: 'deadline' });
      expect(await requester.request('pageview', 'a', '/viewed', 50)).toMatchObject({ reason: 'deadline' });
      await waitUntil('the view came', () => stage.heard.length === LANES + 1);
      await Promise.all(waiting);
      expect(stage.heard.map(([, , payload]) => payload).at(-1)).toBe('/viewed');
    });

    it('are not held by a request that nobody hears', async () => {
      const requester = open();
      await requester.ready(10_000);
      for (let i = 0; i < 300; i += 1) {
        expect(await requester.request('unknown', 'a', '', 5_000)).toEqual({
          answered: false,
          reason: 'nobody-listens',
        });
      }
      await waitUntil('none is blocked', async () => (await blocked()) === 0);
    });

    it('never give a reply to a stranger, when replies and deadlines race', async () => {
      const requester = open();
      await requester.ready(10_000);
      let answered = 0;
      stage.dispatch = (_, __, payload) =>
        new Promise((resolve) => setTimeout(resolve, 4 + (Number(payload) % 5), JSON.stringify(payload)));
      const workers = Array.from({ length: LANES }, async (_, worker) => {
        for (let i = 0; i < 100; i += 1) {
          const payload = String(1000 * worker + i);
          const outcome = await requester.request('pageview', 'a', payload, 10);
          if (!outcome.answered) continue;
          answered += 1;
          expect(outcome.json).toBe(JSON.stringify(payload));
        }
      });
      await Promise.all(workers);
      // How many were in time depends on the machine; that the race took place does not.
      expect(answered).toBeGreaterThan(0);
      stage.dispatch = async () => '"end"';
      for (let i = 0; i < 2 * LANES; i += 1) {
        expect(await requester.request('pageview', 'a', '', 20_000)).toEqual({ answered: true, json: '"end"' });
      }
    });

    it('come back when they were lost, waiting or not', async () => {
      const requester = open();
      await requester.ready(10_000);
      const kill = async () => {
        const clients = await stage.admin.command<string>('CLIENT', 'LIST');
        const ids = clients.split('\n').filter((line) => line.includes('name=sessionwise-blpop'));
        for (const line of ids) await stage.admin.command('CLIENT', 'KILL', 'ID', /id=(\d+)/.exec(line)![1]!);
        return ids.length;
      };
      for (let round = 0; round < 3; round += 1) {
        stage.dispatch = () => stage.hang();
        const waiting = Array.from({ length: LANES }, () => requester.request('pageview', 'a', '', 20_000));
        await waitUntil('all wait', async () => (await blocked()) >= LANES);
        expect(await kill()).toBeGreaterThanOrEqual(LANES);
        expect(await Promise.all(waiting)).toEqual(waiting.map(() => ({ answered: false, reason: 'disconnected' })));
        stage.dispatch = async () => '1';
        const again = await Promise.all(waiting.map(() => requester.request('pageview', 'a', '', 20_000)));
        expect(again).toEqual(again.map(() => ({ answered: true, json: '1' })));
        // Now none of them waits.
        await kill();
        await waitUntil('all are back', async () => (await stage.clientConnections('blpop')) === LANES);
        expect(await requester.request('pageview', 'a', '', 20_000)).toMatchObject({ answered: true });
        expect(requester.blockingConnections).toBe(LANES);
      }
    });

    it('are handed to those that queued while all of them were lost', async () => {
      const proxy = await startRedisProxy(socketPathOf(stage.url));
      onTestFinished(() => proxy.close());
      const requester = open(proxy.url);
      await requester.ready(10_000);
      for (let round = 0; round < 10; round += 1) {
        const warm = Array.from({ length: LANES }, () => requester.request('pageview', 'a', '', 20_000));
        expect(new Set((await Promise.all(warm)).map(({ answered }) => answered))).toEqual(new Set([true]));
        proxy.cut('sessionwise-blpop');
        // A few turns, so that the loss is known and the way back is not over.
        for (let turn = 0; turn < 4 + round; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        // One that caught a connection in its last moment is told so; none may wait in vain.
        const outcome = await requester.request('pageview', 'a', '', 4_000);
        if (!outcome.answered) expect(outcome.reason).toBe('disconnected');
        await waitUntil('all are back', async () => (await requester.request('pageview', 'a', '', 4_000)).answered);
      }
    });

    it('are not given on before UNBLOCK was answered, which would end the wait of a stranger', async () => {
      const proxy = await startRedisProxy(socketPathOf(stage.url));
      const { requester } = openRedisTransport(proxy.url, { replies: 'list', lanes: 1 });
      onTestFinished(async () => {
        await requester.close();
        await proxy.close();
      });
      await requester.ready(10_000);
      let reply: ((json: string) => void) | undefined;
      stage.dispatch = () =>
        new Promise((resolve) => {
          reply = resolve;
        });
      // Long enough for the service to have it by then, on any machine.
      const late = requester.request('pageview', 'a', '', 1_500);
      await waitUntil('the service has it', () => reply !== undefined);
      const release = proxy.hold('sessionwise-client');
      expect(await late).toMatchObject({ answered: false, reason: 'deadline' });
      // UNBLOCK is under way. The reply comes before it, so the BLPOP is over, and another request wants the lane.
      reply!('"late"');
      await waitUntil('the late reply came', () => requester.lateReplies === 1);
      stage.dispatch = async () => '"next"';
      const next = requester.request('pageview', 'a', '', 20_000);
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      release();
      expect(await next).toEqual({ answered: true, json: '"next"' });
    });

    it('come back where the server heard UNBLOCK before BLPOP', async () => {
      const proxy = await startRedisProxy(socketPathOf(stage.url));
      onTestFinished(() => proxy.close());
      const requester = open(proxy.url);
      await requester.ready(10_000);
      expect(await requester.request('pageview', 'a', '', 20_000)).toMatchObject({ answered: true });
      stage.dispatch = () => stage.hang();
      const release = proxy.hold('sessionwise-blpop');
      expect(await requester.request('pageview', 'a', '', 50)).toMatchObject({ answered: false, reason: 'deadline' });
      await waitUntil('UNBLOCK was sent', () =>
        proxy.commands('sessionwise-client').some(([, what]) => what === 'UNBLOCK'),
      );
      release();
      stage.dispatch = async () => '1';
      const outcomes = await Promise.all(
        Array.from({ length: LANES }, () => requester.request('pageview', 'a', '', 20_000)),
      );
      expect(outcomes).toEqual(outcomes.map(() => ({ answered: true, json: '1' })));
      await waitUntil('none is blocked', async () => (await blocked()) === 0);
    });
  });
});
