import { findValkey } from '../support/find-valkey.ts';
import { startTestCluster } from '../support/test-cluster.ts';
import { startTestRedis, type TestRedis } from '../support/test-redis.ts';
import { startTestSentinel } from '../support/test-sentinel.ts';

/** Servers that were started for a suite. */
export interface RunningServers {
  readonly url: string;
  stop(): Promise<void>;
}

/** Servers that transports are tested on. */
export interface ServersUnderTest {
  readonly name: string;
  /** Whether a server hears only of its own subscribers, so that PUBLISH's 0 means nothing. */
  readonly isCluster: boolean;
  start(): Promise<RunningServers>;
  /** Leaves out what only the client itself can do wrong, on whatever servers. */
  readonly isBrief?: boolean;
  /** One server alone that can be killed, frozen and started again. Left out where one is not the whole, or where it
   *  would add nothing: what the failures of several do is tested in test/redis and test/faults. */
  startOne?(): Promise<TestRedis>;
}

export const PLAIN_REDIS: ServersUnderTest = {
  name: 'Redis',
  isCluster: false,
  start: () => startTestRedis(),
  startOne: () => startTestRedis(),
};

/** Undefined, and said aloud, where it is not installed. */
export const VALKEY: ServersUnderTest | undefined = onValkey(findValkey());

export const CLUSTER: ServersUnderTest = {
  name: 'a Cluster of three masters',
  isCluster: true,
  isBrief: true,
  start: () => startTestCluster(),
};

export const SENTINEL: ServersUnderTest = {
  name: 'a master under Sentinels',
  isCluster: false,
  isBrief: true,
  start: () => startTestSentinel(),
};

function onValkey(serverPath: string | undefined): ServersUnderTest | undefined {
  return serverPath === undefined
    ? undefined
    : { name: 'Valkey', isCluster: false, isBrief: true, start: () => startTestRedis({ serverPath }) };
}

/** The same servers for all suites of a file, started when the first one needs them. `stop` ends them. */
export function share(servers: ServersUnderTest): ServersUnderTest & { stop(): Promise<void> } {
  let running: Promise<RunningServers> | undefined;
  return {
    ...servers,
    async start() {
      running ??= servers.start();
      const { url } = await running;
      return { url, stop: async () => {} };
    },
    async stop() {
      await (await running)?.stop();
    },
  };
}

/** Servers that a test has started, and stops, itself. */
export function startedAt(url: string, isCluster = false): ServersUnderTest {
  return { name: url, isCluster, start: async () => ({ url, stop: async () => {} }) };
}
