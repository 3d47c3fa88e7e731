import { randomBytes } from 'node:crypto';
import { COMMAND_NAMES, EVERY_SESSION, parseSessionGlob } from '../protocol/index.ts';
import { type FilterEngine, RedisUnavailableError } from '../redis/index.ts';
import type { ArchiveFunction } from '../sessions/archive/archived-session.ts';
import { InlineTransport } from '../transport/inline-transport.ts';
import type { SessionTransport } from '../transport/transport.ts';
import { routesOf, type TransportName } from '../transport/transport-names.ts';
import { warnOnce } from '../transport/warn-once.ts';
import { checkServiceOptions } from './check-service-options.ts';
import { type Combo, Combos, checkCombos } from './combos.ts';
import { Dispatcher } from './dispatcher.ts';
import { type HttpAddress, HttpServer } from './http-server.ts';
import { InstanceBeat } from './instance-beat.ts';
import { type Log, silentLog } from './log.ts';
import { Metrics } from './metrics.ts';
import { NamespaceHealth } from './namespace-health.ts';
import { type NamespaceOptions, openNamespace } from './open-namespace.ts';
import { openReceivers } from './receivers.ts';
import { isSecretExposed, secretFile } from './secret.ts';
import { type SessionEndOptions, SessionEnds } from './session-maintenance.ts';

/** How a service is started; only `redis` must be given. */
export interface ServiceOptions extends NamespaceOptions {
  /** Where requests come from: `channels` (default), `streams`, `both`, or `inline`: only from this process. */
  readonly transport?: TransportName;
  /** The sessions that this instance serves on channels. Default `?*`, all. */
  readonly sessionglob?: string;
  /** Rules over items: at most 1,000, of 1 to 50 items, of 5,000 items together. Default: none. */
  readonly combos?: readonly Combo[];
  /** Whether `at` in a page view counts. Default false. */
  readonly acceptTimes?: boolean;
  /** Where to answer `/healthz`, `/readyz` and `/metrics`. Default: nowhere. */
  readonly http?: HttpAddress;
  /** What is done about sessions that end. */
  readonly sessions?: SessionEndOptions;
  /** Where ended sessions go. Default: nowhere, they are deleted. */
  readonly archive?: ArchiveFunction;
  /** Default: writes nothing. */
  readonly log?: Log;
  /** Requests in hand at once. Default 10,000. */
  readonly maxInFlight?: number;
}

/** A running instance of the service. */
export interface Service {
  /** Its id, new at each start. */
  readonly instance: string;
  /** Where it answers probes, if it does. */
  readonly http: HttpAddress | undefined;
  readonly metrics: Metrics;
  readonly engine: FilterEngine;
  /** The way to this instance from its own process: `new SessionClient({ transport: service.inline })`. */
  readonly inline: SessionTransport;
  /** Unsubscribes, finishes what is in hand (at most `deadlineMs`, default 5,000) and closes. Never throws. */
  stop(deadlineMs?: number): Promise<void>;
}

const OVERLAP = 'Another instance serves some of the same sessions: their views count twice until one stops.';
const CLOCK_INTERVAL_MS = 10_000;

/** Starts an instance of the service: connects, checks the namespace's meta record, subscribes.
 *  @throws RedisUnavailableError, RedisTooOldError, MetaMismatchError, SecretMissingError, HttpAddressError, or a
 *  RangeError for a value that cannot be used; each says what to do. Nothing is left running then. */
export async function startService(options: ServiceOptions): Promise<Service> {
  checkServiceOptions(options);
  const { namespace = 'sw', log = silentLog, transport = 'channels' } = options;
  const glob = parseSessionGlob(options.sessionglob ?? EVERY_SESSION);
  const combos = checkCombos(options.combos ?? []);
  const opened = await openNamespace(options);
  const { redis, keys, data, engine } = opened;
  const subscriber = redis.duplicate('sessionwise-requests');
  let http: HttpServer | undefined;
  const begun: { stop(deadlineMs: number): Promise<unknown> }[] = [];
  try {
    await subscriber.connect();
    if (opened.secretGenerated) {
      log.warn(
        { file: secretFile(options.dataDir!) },
        'A secret was generated and kept in a file. Without it nothing in this namespace can be read: for production set SESSIONWISE_SECRET.',
      );
    }

    if (options.secret === undefined && isSecretExposed(options.dataDir!)) {
      log.warn(
        { file: secretFile(options.dataDir!) },
        'The file of the secret can be read by others than its owner: chmod 600 it. Who has read it can read the namespace.',
      );
    }

    const health = new NamespaceHealth(redis, opened.check, log, () => beat.beat());
    let nextErrorLog = 0;
    const metrics = new Metrics({
      inFlight: () => receivers.inFlight,
      ownedPartitions: () => receivers.ownedPartitions,
      backlog: () => receivers.backlog,
      overlap: () => beat.overlapping().length,
      instances: () => beat.instances(),
      archiveWaiting: () => ends.archiveWaiting,
    });
    const context = {
      data,
      combos: new Combos(data, combos),
      acceptTimes: options.acceptTimes ?? false,
      timeIgnored: () => metrics.timesIgnored.inc(),
    };
    const dispatcher = new Dispatcher(
      redis,
      context,
      {
        served: (command, seconds) => metrics.served(command, seconds),
        failed: (command, code, error) => {
          metrics.errors.inc({ command, code });
          if (code !== 'internal' || performance.now() < nextErrorLog) return;
          nextErrorLog = performance.now() + 1000;
          log.error({ command, err: error }, 'A command failed.');
        },
      },
      () => health.refusal,
    );
    const instance = randomBytes(8).toString('hex');
    const self = {
      id: instance,
      glob,
      commands: COMMAND_NAMES,
      streams: routesOf(transport).includes('streams'),
      channels: routesOf(transport).includes('channels'),
    };
    const beat = new InstanceBeat(redis, namespace, self, ({ instances, globs }) => {
      log.warn({ instances, globs }, OVERLAP);
      if (options.log === undefined) warnOnce('SESSIONWISE_OVERLAP', OVERLAP);
    });

    const receivers = openReceivers(self, {
      redis,
      subscriber,
      keys,
      dispatch: dispatcher.dispatch,
      seal: opened.seal,
      now: opened.now,
      hasPassed: opened.hasPassed,
      roundTripMs: opened.roundTripMs,
      streamingOthers: beat.streamingOthers,
      enabled: () => health.refusal === undefined,
      maxInFlight: options.maxInFlight,
      metrics,
      log,
    });
    const ends = new SessionEnds(
      redis,
      namespace,
      options.sessions ?? {},
      options.archive,
      () => health.refusal === undefined,
    );

    health.start();
    begun.push({ stop: async () => health.stop() });
    const notReady = (): string | undefined => {
      return health.trouble ?? (subscriber.isReady ? undefined : 'The service is connecting to Redis.');
    };
    let address: HttpAddress | undefined;
    if (options.http) {
      http = new HttpServer(metrics, notReady);
      address = await http.listen(options.http);
    }
    begun.push(beat, receivers, ends);
    await beat.start(subscriber, self.streams || self.channels);
    await receivers.start();
    await ends.start(metrics, log);
    const clockTimer = setInterval(() => {
      if (redis.isReady) opened.measureClock().catch(() => undefined);
    }, CLOCK_INTERVAL_MS).unref();
    log.info(
      {
        instance,
        redis: redis.address,
        namespace,
        transport,
        glob: glob.text,
        engine,
        ...(address && { http: address }),
      },
      'Serving.',
    );

    let stopped: Promise<void> | undefined;
    const stop = async (deadlineMs: number): Promise<void> => {
      clearInterval(clockTimer);
      health.stop();
      // Nobody waits for the good-bye: a Redis that has frozen does not answer it, and closing waits for what was sent.
      void beat.stop();
      void inline.close();
      const [finished] = await Promise.all([receivers.stop(deadlineMs), ends.stop(deadlineMs)]);
      if (!finished) log.warn({ inFlight: receivers.inFlight }, 'Stopped with requests unfinished.');
      await Promise.all([http?.close(), subscriber.close(), redis.close()]);
      log.info({ instance }, 'Stopped.');
    };
    const inline = new InlineTransport(dispatcher.dispatch, () => notReady() === undefined);
    return {
      instance,
      inline,
      http: address,
      metrics,
      engine,
      stop: (deadlineMs = 5_000) => {
        stopped ??= stop(deadlineMs);
        return stopped;
      },
    };
  } catch (error) {
    for (const part of begun) void part.stop(0);
    subscriber.destroy();
    redis.destroy();
    await http?.close();
    throw explainRights(error, redis.address);
  }
}

// The bare refusal names a channel or a command and not what to do.
function explainRights(error: unknown, address: string): unknown {
  const { message } = error as Error;
  if (!message?.startsWith('NOPERM')) return error;
  return new RedisUnavailableError(
    `Redis at ${address} refuses its user what the service needs (${message}): \`sessionwise acl\`, with the same --namespace, --sessionglob and --transport, prints the rules.`,
    { cause: error },
  );
}
