import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Service, type ServiceOptions, startService } from '../../src/service/index.ts';
import { ForeignClient } from './foreign-client.ts';
import { standInFor, type UsedRedis } from './use-redis.ts';

/** Services that a test starts, and a client that knows the wire only. */
export interface UsedServices {
  readonly foreign: ForeignClient;
  /** Starts a service, which is stopped behind the test. */
  start(options?: Partial<ServiceOptions>): Promise<Service>;
}

/** Opens a foreign client for the tests of a file, and stops the services that each test has started. */
export function useServices(server: UsedRedis, secret: string): UsedServices {
  let foreign: ForeignClient | undefined;
  const running: Service[] = [];
  beforeAll(async () => {
    foreign = await ForeignClient.connect(server.url);
  });
  afterAll(() => foreign?.close());
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.stop()));
  });
  return {
    foreign: standInFor<ForeignClient>(() => foreign!),
    async start(options = {}) {
      const service = await startService({ redis: server.url, secret, ...options });
      running.push(service);
      return service;
    },
  };
}
