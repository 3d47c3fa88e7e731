import { randomBytes } from 'node:crypto';
import { createToken, sessionOf } from '../../../src/protocol/index.ts';
import { Keys, PARTITIONS, type RedisConnection } from '../../../src/redis/index.ts';
import type { SessionData, SessionDataOptions } from '../../../src/sessions/index.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Where the contract is tested: a server, and how a store is opened on it. */
export interface SessionDataTarget {
  open(options: Omit<SessionDataOptions, 'redis'>): SessionData;
  /** For looking at what is really kept. */
  readonly redis: RedisConnection;
}

/** What happened to a session, as the lifecycle stream tells it. */
export interface LifecycleEntry {
  readonly event: string;
  readonly [field: string]: string;
}

/** Opens stores for the tests of one suite, looks at what they keep, and closes them. */
export class SessionDataStage {
  readonly #target: SessionDataTarget;
  readonly #opened: SessionData[] = [];

  constructor(target: SessionDataTarget) {
    this.#target = target;
  }

  get redis(): RedisConnection {
    return this.#target.redis;
  }

  /** A store without a sweeper, so that nothing ends but what the test ends. The deadline is long: the machine may be
   *  slow, and deadlines are tested elsewhere. */
  open(options: Omit<SessionDataOptions, 'redis'> = {}): SessionData {
    const data = this.#target.open({ sweep: false, deadlineMs: 20_000, ...options });
    this.#opened.push(data);
    return data;
  }

  /** A namespace that nothing else uses. */
  freshNamespace(): string {
    return `t${randomBytes(6).toString('hex')}`;
  }

  /** A token whose session is saved with `values`. */
  async saved(data: SessionData, values: object): Promise<string> {
    const token = createToken();
    if (!(await data.save(token, values))) throw new Error('A new session was not saved.');
    return token;
  }

  /** The values of a session now; undefined where there is none. */
  async values(data: SessionData, token: string): Promise<Record<string, unknown> | undefined> {
    const loaded = await data.load(token);
    return loaded && data.valuesOf(loaded);
  }

  /** The bytes that are kept of a session, as they are. */
  bytes(token: string, namespace = 'sw'): Promise<Buffer | null> {
    return this.redis.commandForBuffers<Buffer | null>('GET', this.key(token, namespace));
  }

  key(token: string, namespace = 'sw'): string {
    return new Keys(namespace).record(sessionOf(token));
  }

  /** Resolves when what is done behind the operations' backs in a Cluster is done: events are told, indexes are right.
   *  Outside a Cluster there is nothing of that kind. */
  async settled(namespace = 'sw'): Promise<void> {
    if (!this.redis.isCluster) return;
    const keys = new Keys(namespace);
    const outboxes = Array.from({ length: PARTITIONS }, (_, partition) => keys.outbox(partition));
    await waitUntil('the outboxes are empty', async () => {
      const lengths = await Promise.all(outboxes.map((outbox) => this.redis.command<number>('XLEN', outbox)));
      return lengths.every((length) => length === 0);
    });
  }

  /** The names of all keys. */
  async keys(): Promise<string[]> {
    const found = await Promise.all(this.redis.masters().map((master) => master.command<string[]>('KEYS', '*')));
    return found.flat().sort();
  }

  /** The lifecycle entries of one session, in order. */
  async lifecycle(token: string, namespace = 'sw'): Promise<LifecycleEntry[]> {
    await this.settled(namespace);
    const stream = new Keys(namespace).lifecycle();
    const entries = await this.redis.command<[string, string[]][]>('XRANGE', stream, '-', '+');
    const told = entries.map(([, flat]) => {
      const fields: Record<string, string> = {};
      for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!;
      return fields as unknown as LifecycleEntry;
    });
    return told.filter(({ session }) => session === sessionOf(token));
  }

  /** Milliseconds of the epoch by Redis's clock, which is the one that sessions end by. */
  async serverNow(): Promise<number> {
    const [seconds, microseconds] = await this.redis.command<[string, string]>('TIME');
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((data) => data.close()));
  }
}

/** `count` results of `work`, all begun at once. */
export function inParallel<Result>(count: number, work: (i: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => work(i)));
}
