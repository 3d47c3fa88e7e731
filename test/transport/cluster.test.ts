import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ForeignClient } from '../support/foreign-client.ts';
import { hasRedis7 } from '../support/test-server.ts';
import { useCluster } from '../support/use-cluster.ts';
import { waitUntil } from '../support/wait-until.ts';
import { startedAt } from './servers-under-test.ts';
import { TransportStage } from './transport-stage.ts';
import { LANES, openRedisTransport } from './transports-under-test.ts';

/* Channels in a Cluster: where replies go, and where connections for BLPOP wait. What holds everywhere is in the suite. */

const LONG_MS = 20_000;

const cluster = useCluster({ replicas: 1, eachTest: 'kept' });
const stage = new TransportStage(['channels', 'streams']);
beforeAll(async () => {
  await stage.start(startedAt(cluster.url, true));
});
afterAll(async () => {
  await stage.stop();
});
beforeEach(() => stage.reset());
afterEach(() => cluster.untilWell());

const open = async (options: Parameters<typeof openRedisTransport>[1] = {}) => {
  const opened = openRedisTransport(cluster.url, options);
  onTestFinished(() => opened.requester.close());
  await opened.ready();
  return opened.requester;
};

/** How often each master did a command since the last CONFIG RESETSTAT. */
async function calls(command: string): Promise<number[]> {
  const infos = await stage.onMasters<string>('INFO', 'commandstats');
  return infos.map((info) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0));
}

const sum = (numbers: number[]): number => numbers.reduce((one, other) => one + other, 0);

describe('inbox replies in a Cluster', () => {
  it.skipIf(!hasRedis7)('go to the one shard of the inbox, and through no other node', async () => {
    const requester = await open();
    expect(await requester.request('pageview', 'abc', '/a', LONG_MS)).toMatchObject({ answered: true });
    await stage.onMasters('CONFIG', 'RESETSTAT');
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, i) => requester.request('pageview', `s${i}`, '/a', LONG_MS)),
    );
    expect(outcomes.every(({ answered }) => answered)).toBe(true);
    const messages = (await calls('spublish')).sort((one, other) => one - other);
    expect(messages.slice(0, 2)).toEqual([0, 0]);
    // Those that are ready at once travel as one.
    expect(messages[2]).toBeGreaterThan(0);
    expect(messages[2]).toBeLessThanOrEqual(100);
    // The requests and some heartbeats; no reply.
    expect(sum(await calls('publish'))).toBeLessThan(150);
  });

  it('reach a client that knows nothing of shards, whatever node it has subscribed at', async () => {
    for (const node of cluster.nodes) {
      const foreign = await ForeignClient.connect(node.url);
      for (let i = 0; i < 10; i += 1) {
        expect(await foreign.askByInbox('pageview', `s${i}`, `/${i}`)).toBe(`"/${i}"`);
      }
      await foreign.close();
    }
    expect(stage.unclaimed).toBe(0);
  });
});

describe('list replies in a Cluster', () => {
  const blocked = async (): Promise<number> => {
    // The readers of streams are blocked too.
    const clients = await stage.onMasters<string>('CLIENT', 'LIST');
    expect(clients).toHaveLength(3);
    return clients
      .flatMap((list) => list.split('\n'))
      .filter((line) => line.includes(' name=sessionwise-blpop') && / flags=b/.test(line)).length;
  };

  it('are waited for where they lie: on each master, over no more connections than allowed', async () => {
    const requester = await open({ replies: 'list' });
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, (_, i) => requester.request('pageview', `s${i}`, `/${i}`, LONG_MS)),
    );
    expect(outcomes).toEqual(outcomes.map((_, i) => ({ answered: true, json: `"/${i}"` })));
    expect(requester.blockingConnections).toBe(3 * LANES);
    const clients = await stage.onMasters<string>('CLIENT', 'LIST');
    expect(clients.map((list) => list.split(' name=sessionwise-blpop').length - 1)).toEqual([LANES, LANES, LANES]);
  });

  it('that do not come block nobody: CLIENT UNBLOCK goes to the same master', async () => {
    const requester = await open({ replies: 'list' });
    await Promise.all(Array.from({ length: 60 }, (_, i) => requester.request('pageview', `s${i}`, '', LONG_MS)));
    stage.dispatch = () => stage.hang();
    for (let round = 0; round < 3; round += 1) {
      const outcomes = await Promise.all(
        Array.from({ length: 2 * LANES }, (_, i) => requester.request('pageview', `s${i}`, '', 150)),
      );
      expect(outcomes).toEqual(outcomes.map(() => expect.objectContaining({ answered: false, reason: 'deadline' })));
    }
    await waitUntil('none is blocked', async () => (await blocked()) === 0);
    await stage.reset();
    const outcomes = await Promise.all(
      Array.from({ length: 60 }, (_, i) => requester.request('pageview', `s${i}`, '', LONG_MS)),
    );
    expect(outcomes.every(({ answered }) => answered)).toBe(true);
    expect(requester.blockingConnections).toBeLessThanOrEqual(3 * LANES);
  });

  it('reach a client that knows nothing of slots but where to send BLPOP', async () => {
    const foreign = await ForeignClient.connect(cluster.url);
    onTestFinished(() => foreign.close());
    const request = foreign.nextRequest();
    await foreign.publish('pageview', 'abc', request, '/a');
    const key = `async:pageview:abc:${request}`;
    const master = await cluster.masterOf(key);
    expect(await master.command('BLPOP', key, '5')).toEqual([key, '"/a"']);
  });
});

describe('when a master of a Cluster fails', () => {
  it.each(['inbox', 'list'] as const)(
    'requests with %s replies are answered again, and so are streams',
    async (replies) => {
      const requester = await open({
        replies,
        routeOf: (command) => (command === 'surface' ? 'streams' : 'channels'),
      });
      const sessions = Array.from({ length: 12 }, (_, i) => `s${i}`);
      const askAll = async (): Promise<boolean> => {
        const outcomes = await Promise.all(
          sessions.flatMap((session) =>
            ['pageview', 'surface'].map((command) => requester.request(command, session, '/a', 1_000)),
          ),
        );
        return outcomes.every(({ answered }) => answered);
      };
      await waitUntil('all are answered', askAll);
      const masters = await Promise.all(
        cluster.nodes.map(async (node) => [node, await node.command<string>('INFO', 'replication')] as const),
      );
      const victim = masters.find(([, info]) => /^role:master/m.test(info))![0];
      cluster.kill(victim, 'SIGKILL');
      await waitUntil('all are answered again', askAll, 20_000);
      await cluster.restart(victim);
      await waitUntil('all are answered still', askAll, 20_000);
      expect(requester.pending).toBe(0);
    },
  );
});
