import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { createConnection, type RedisConnection } from '../../src/redis/index.ts';
import type { TestRedis } from '../support/test-redis.ts';
import { useRedis } from '../support/use-redis.ts';
import type { AdapterUnderTest, Site, SiteOptions } from './suite/adapter-site.ts';
import { Visitor } from './suite/adapter-site.ts';
import { testAnonymousSessions } from './suite/anonymous-sessions.suite.ts';
import { testBothHandles } from './suite/both-handles.suite.ts';
import { testFields } from './suite/fields.suite.ts';
import { testHandles } from './suite/handles.suite.ts';
import { testLife } from './suite/life.suite.ts';
import { testOperations } from './suite/operations.suite.ts';
import { testPersons } from './suite/persons.suite.ts';
import { testPlantedCookie } from './suite/planted-cookie.suite.ts';
import { testRedisAway } from './suite/redis-away.suite.ts';
import { testRotation } from './suite/rotation.suite.ts';
import { testScript } from './suite/script.suite.ts';
import { testViewSession } from './suite/view-session.suite.ts';
import { testViews } from './suite/views.suite.ts';
import { testVisitors } from './suite/visitors.suite.ts';

/** One Redis for all tests of an adapter, and the sites that they open. */
export interface AdapterStage {
  readonly server: TestRedis;
  readonly redis: RedisConnection;
  readonly adapter: AdapterUnderTest;
  /** Opens a site on this Redis, which is closed with the test. Default: the usual settings. */
  open(options: Pick<SiteOptions, 'pages'> & Partial<Omit<SiteOptions, 'store'>> & { store?: object }): Promise<Site>;
  visitor(site: Pick<Site, 'url'>, cookie?: string): Visitor;
}

/** The conformance suite of adapters: what each promises, through real HTTP. `adapter` says what differs by nature. */
export function testSessionStore(adapter: AdapterUnderTest): void {
  const server = useRedis({ eachTest: 'kept' });
  let redis: RedisConnection;
  const sites: Site[] = [];

  const stage: AdapterStage = {
    adapter,
    get server() {
      return server;
    },
    get redis() {
      return redis;
    },
    async open({ store, ...options }) {
      const [[, settings]] = adapter.settings as [readonly [string, unknown]];
      const site = await adapter.open({ settings, ...options, store: { redis: server.url, ...store } });
      sites.push(site);
      return site;
    },
    visitor: (site, cookie) => new Visitor(site, adapter.cookies, cookie),
  };

  beforeAll(async () => {
    redis = await createConnection(server.url).connect();
  });
  afterEach(async () => {
    server.kill('SIGCONT');
    await Promise.all(sites.splice(0).map((site) => site.close()));
  });
  afterAll(async () => {
    await redis?.close();
  });

  describe(`sessions in ${adapter.name}`, () => {
    testLife(stage);
    testFields(stage);
    testOperations(stage);
    testRotation(stage);
    testPlantedCookie(stage);
    testAnonymousSessions(stage);
    testHandles(stage);
    testVisitors(stage);
    testPersons(stage);
    testBothHandles(stage);
    testViews(stage);
    testViewSession(stage);
    testScript(stage);
    testRedisAway(stage);
  });
}
