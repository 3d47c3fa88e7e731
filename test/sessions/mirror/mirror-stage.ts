import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { RedisConnection } from '../../../src/redis/index.ts';
import { SessionData, type SessionDataOptions } from '../../../src/sessions/index.ts';
import { type UsedRedis, useRedis } from '../../support/use-redis.ts';

/** A cookie as express-session gives it to stores. */
export function cookieOf(maxAgeMs: number | null = 600_000): object {
  const expires = maxAgeMs === null ? null : new Date(Date.now() + maxAgeMs);
  return { originalMaxAge: maxAgeMs, expires, httpOnly: true, path: '/' };
}

/** Our store and connect-redis on one Redis. */
export class MirrorStage {
  readonly server: UsedRedis = useRedis({ eachTest: 'kept' });
  readonly redis: RedisConnection = this.server.redis;
  theirs!: RedisStore;
  #client!: ReturnType<typeof createClient>;
  readonly #opened: SessionData[] = [];

  constructor() {
    beforeAll(async () => {
      this.#client = createClient({ socket: { path: this.server.socketPath, tls: false } });
      await this.#client.connect();
      this.theirs = new RedisStore({ client: this.#client });
    });
    afterEach(async () => {
      await Promise.all(this.#opened.splice(0).map((data) => data.close()));
    });
    afterAll(async () => {
      await this.#client?.close();
    });
  }

  open(options: Partial<SessionDataOptions> = {}): SessionData {
    const data = new SessionData({
      redis: this.server.url,
      mirrorTo: 'sess:',
      sweep: false,
      deadlineMs: 20_000,
      ...options,
    });
    this.#opened.push(data);
    return data;
  }

  /** What connect-redis has of a session; null for nothing. */
  get(token: string): Promise<Record<string, unknown> | null> {
    return this.theirs.get(token);
  }

  /** What our store has of a session, read as a request does. */
  async valuesOf(data: SessionData, token: string): Promise<Record<string, unknown> | undefined> {
    const loaded = await data.load(token);
    return loaded && data.valuesOf(loaded);
  }

  /** Changes a session as a request at a process with connect-redis does. */
  async changeTheirs(token: string, change: (values: Record<string, unknown>) => void): Promise<void> {
    const values = await this.get(token);
    if (!values) throw new Error('connect-redis has no such session.');
    change(values);
    await this.theirs.set(token, { ...values, cookie: cookieOf() } as never);
  }
}
