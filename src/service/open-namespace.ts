import {
  ItemHasher,
  Knowledge,
  RETENTION_DEFAULTS,
  type Retention,
  SEEN_ITEMS_DEFAULTS,
  type SeenItemsOptions,
} from '../knowledge/index.ts';
import {
  type Capabilities,
  type Clock,
  type ConnectionOptions,
  claimOrCheckMeta,
  createConnection,
  type FilterEngine,
  Keys,
  RedisClock,
  type RedisConnection,
  readCapabilities,
  readMeta,
} from '../redis/index.ts';
import { PayloadSeal } from '../transport/index.ts';
import { chooseEngine } from './choose-engine.ts';
import { NamespaceUnknownError } from './namespace-unknown-error.ts';
import { resolveSecret } from './secret.ts';

const CLOCK_MEASUREMENTS = 3;

/** How a namespace is opened; only `redis` must be given. */
export interface NamespaceOptions {
  /** Where Redis is: a URL, or the parts of an address. */
  readonly redis: string | ConnectionOptions;
  /** The store: its data and channels. Default `sw`. */
  readonly namespace?: string;
  /** The key for items, at least 16 characters; all instances of a namespace share it. The environment is not read. Default:
   *  the one that `dataDir` has. */
  readonly secret?: string;
  /** The folder of a generated secret. Default: none, and no secret is generated. */
  readonly dataDir?: string;
  /** How seen items are kept: `exactLimit` (512), the most items of a kind that are kept exactly, 0 to 512; `engine`
   *  (`auto`), `portable` or `native`; `errorRate` (0.01) and `firstCapacity` (100) of filters. */
  readonly seen?: Partial<Omit<SeenItemsOptions, 'engine'>> & { readonly engine?: FilterEngine | 'auto' };
  /** How long the calculated data of a session is stored: `seconds` (30 days) after the last message that writes,
   *  `bounceSeconds` (30 minutes) until a second view. */
  readonly retention?: Partial<Retention>;
  /** The time, in milliseconds of the epoch: for tests. Default: Redis's clock. */
  readonly clock?: Clock;
}

/** A namespace that was opened: what it knows, over one connection. */
export interface Namespace {
  readonly redis: RedisConnection;
  readonly keys: Keys;
  readonly knowledge: Knowledge;
  readonly capabilities: Capabilities;
  readonly engine: FilterEngine;
  /** Opens the payloads that serving layers have sealed. */
  readonly seal: PayloadSeal;
  /** The time by Redis's clock, in milliseconds of the epoch. */
  readonly now: Clock;
  /** Whether a moment has passed by Redis's clock, measured anew: it can be set back. */
  readonly hasPassed: (atMs: number) => Promise<boolean>;
  /** Whether a secret was generated just now. */
  readonly secretGenerated: boolean;
  /** Compares the meta record again, or sets it anew where it is gone, and proves that Redis takes writes.
   *  @throws MetaMismatchError; whatever Redis refuses with. */
  check(): Promise<void>;
  /** How long Redis takes to answer when it has nothing else to do, in milliseconds. */
  readonly roundTripMs: () => number;
  /** Measures Redis's clock again. */
  measureClock(): Promise<void>;
}

/** Connects, and checks that the namespace is one that we can read; makes it where it is new, unless `create` is false.
 *  @throws ConnectionOptionsError, RedisUnavailableError, RedisTooOldError, MetaMismatchError, SecretMissingError,
 *  NamespaceUnknownError, or a RangeError for a value that cannot be used; each says what to do. The connection is closed then. */
export async function openNamespace(options: NamespaceOptions, create = true): Promise<Namespace> {
  const keys = new Keys(options.namespace ?? 'sw');
  if (options.secret !== undefined) ItemHasher.check(options.secret);
  const redis = createConnection(options.redis, 'sessionwise-service');
  try {
    await redis.connect();
    const capabilities = await readCapabilities(redis);
    const meta = await readMeta(redis, keys);
    if (!meta && !create) throw unknownNamespace(redis, keys);
    const { secret, generated } = resolveSecret({ given: options.secret, dataDir: options.dataDir, isNew: !meta });
    const engine = chooseEngine(options.seen?.engine ?? 'auto', capabilities, meta);
    const ours = { filter: engine, fingerprint: new ItemHasher(secret, keys.namespace).fingerprint() };
    await claimOrCheckMeta(redis, keys, ours);
    const clock = await openClock(redis);
    return {
      redis,
      keys,
      knowledge: openKnowledge(options, { redis, keys, secret, engine, clock }),
      capabilities,
      engine,
      seal: new PayloadSeal(secret, keys.namespace),
      now: clock.now,
      hasPassed: (atMs) => clock.hasPassed(atMs, redis),
      secretGenerated: generated,
      check: async () => void (await claimOrCheckMeta(redis, keys, ours, true)),
      roundTripMs: () => clock.roundTripMs,
      measureClock: () => clock.measure(redis),
    };
  } catch (error) {
    redis.destroy();
    throw error;
  }
}

async function openClock(redis: RedisConnection): Promise<RedisClock> {
  const clock = new RedisClock();
  // The first answer takes longer than the ones behind it.
  for (let i = 0; i < CLOCK_MEASUREMENTS; i += 1) await clock.measure(redis);
  return clock;
}

function openKnowledge(
  options: NamespaceOptions,
  opened: { redis: RedisConnection; keys: Keys; secret: string; engine: FilterEngine; clock: RedisClock },
): Knowledge {
  const { redis, keys, secret, engine, clock } = opened;
  return new Knowledge(redis, keys, secret, options.clock ?? clock.now, {
    seen: { ...SEEN_ITEMS_DEFAULTS, ...options.seen, engine },
    retention: { ...RETENTION_DEFAULTS, ...options.retention },
    ...(options.clock === undefined && { timeAt: (key: string) => timeAt(redis, key) }),
  });
}

// Not measured: asked at that moment.
async function timeAt(redis: RedisConnection, key: string): Promise<number> {
  const [seconds, microseconds] = await (redis.masterFor(key) ?? redis).command<[string, string]>('TIME');
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}

function unknownNamespace({ address }: RedisConnection, { namespace }: Keys): NamespaceUnknownError {
  return new NamespaceUnknownError(
    `Redis at ${address} keeps no namespace "${namespace}": has a service run there, with this --namespace?`,
  );
}
