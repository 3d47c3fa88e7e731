import { randomBytes } from 'node:crypto';
import { ConditionVariable } from '../async/index.ts';
import { PairCounts, type PairName, pairNamesOf } from '../knowledge/index.ts';
import { COMMAND_NAMES, type SessionGlob } from '../protocol/index.ts';
import { warnOnce } from '../protocol/internal/index.ts';
import type { FilterEngine, RedisConnection } from '../redis/index.ts';
import type { CheckedRules, Rules } from '../rules/index.ts';
import {
  type Instance,
  type Overlap,
  routesOf,
  type SessionTransport,
  type TransportName,
} from '../transport/index.ts';
import { InlineTransport } from '../transport/inline/index.ts';
import { type DispatchEvents, Dispatcher } from './dispatcher.ts';
import { FiguresBeat } from './figures-beat.ts';
import { type HttpAddress, HttpServer } from './http-server.ts';
import { InstanceBeat } from './instance-beat.ts';
import { Listening } from './listening.ts';
import { LivePairs } from './live-pairs.ts';
import { type Log, silentLog } from './log.ts';
import { LogThrottle } from './log-throttle.ts';
import { Metrics } from './metrics.ts';
import { NamespaceHealth } from './namespace-health.ts';
import { NewSuggestions } from './new-suggestions.ts';
import { countNoticeEvents, readReach } from './notice-metrics.ts';
import type { Namespace } from './open-namespace.ts';
import { PersonMerging } from './person-merging.ts';
import { RecentViews } from './recent-views.ts';
import { ActiveRules } from './rules/active-rules.ts';
import { RuleCounting } from './rules/rule-counting.ts';
import { readSegments } from './rules/segment-metrics.ts';
import { isSecretExposed, secretFile } from './secret.ts';
import { ServiceTransports } from './service-transports.ts';
import { SessionEnds } from './session-ends.ts';
import { SiteCounting } from './site-counting.ts';
import type { Service, ServiceOptions } from './start-service.ts';

const OVERLAP = 'Another instance serves some of the same sessions: their views count twice until one stops.';
const CLOCK_INTERVAL_MS = 10_000;
const FAILURE_LOG_INTERVAL_MS = 1_000;
const STOP_DEADLINE_MS = 5_000;
/** How long the end waits until counts are written. */
const COUNTS_STOP_MS = 1_000;

/** The options of a service, checked. */
export interface InstanceOptions extends Omit<ServiceOptions, 'sessionglob' | keyof Rules> {
  readonly glob: SessionGlob;
  readonly rules: CheckedRules;
}

/** One running instance of the service. It makes its parts when it is made, and starts and stops them in order:
 *
 *  health      whether Redis and the namespace allow serving
 *  beat        which instances are there
 *  dispatcher  serves a request, whatever transport brought it
 *  transports  bring requests of other processes
 *  inline      brings requests of this process
 *  ends        ends and archives sessions that are due
 *  merging     merges what is known of sessions into what is known of persons, where it was left half done
 *  pairs       counts pairs of registered names, where that is on
 *  rules       counts marks of suggestions and subjects of segments
 *  site        counts what happens on the whole site
 *  figures     tells dashboards what it does
 *  http        answers probes */
export class ServiceInstance implements Service {
  readonly instance: string = randomBytes(8).toString('hex');
  readonly engine: FilterEngine;
  readonly metrics: Metrics = new Metrics();
  readonly inline: SessionTransport;
  readonly #options: InstanceOptions;
  readonly #log: Log;
  readonly #namespace: Namespace;
  readonly #subscriber: RedisConnection;
  readonly #readiness = new ConditionVariable();
  readonly #rules: ActiveRules;
  readonly #health: NamespaceHealth;
  readonly #beat: InstanceBeat;
  readonly #transports: ServiceTransports;
  readonly #ends: SessionEnds;
  readonly #merging: PersonMerging;
  readonly #livePairs: LivePairs | undefined;
  readonly #ruleCounting: RuleCounting;
  readonly #site: SiteCounting;
  readonly #figures: FiguresBeat;
  readonly #http: HttpServer;
  readonly #started: { stop(deadlineMs: number): unknown }[] = [];
  #address: HttpAddress | undefined;
  #clockTimer: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  /** Makes the parts; nothing runs yet.
   *  @throws RangeError for options that cannot be used. */
  constructor(options: InstanceOptions, namespace: Namespace) {
    const { redis, keys } = namespace;
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#namespace = namespace;
    this.engine = namespace.engine;
    this.#subscriber = redis.duplicate('sessionwise-requests');
    this.#rules = new ActiveRules(namespace.knowledge.items, options.rules);
    const self = describeInstance(this.instance, options);
    const routes = routesOf(options.transport ?? 'channels');
    this.#beat = new InstanceBeat(redis, keys.namespace, self, (overlap) => this.#warnOfOverlap(overlap));
    this.#health = new NamespaceHealth(redis, namespace.check, this.#log, () => this.#onBack());
    const enabled = (): boolean => this.#health.refusal === undefined;
    const names = options.livePairs ? pairNamesOf(namespace.knowledge.items, options.livePairs.names) : [];
    this.#livePairs = this.#makeLivePairs(names, enabled);
    this.#site = new SiteCounting({
      site: namespace.knowledge.site,
      rules: this.#rules,
      names,
      log: this.#log,
      isEnabled: enabled,
    });
    this.#ruleCounting = new RuleCounting({
      counts: namespace.knowledge.ruleCounts,
      rules: this.#rules,
      log: this.#log,
      isEnabled: enabled,
    });
    const { dispatch } = this.#makeDispatcher();
    this.#transports = new ServiceTransports(routes, {
      self,
      namespace,
      subscriber: this.#subscriber,
      dispatch,
      streamingOthers: this.#beat.streamingOthers,
      enabled,
      maxInFlight: options.maxInFlight,
      metrics: this.metrics,
      log: this.#log,
    });
    this.inline = new InlineTransport(dispatch, () => this.#notReady() === undefined, this.#readiness);
    for (const connection of [redis, this.#subscriber]) {
      connection.on('reachable', () => this.#readiness.notifyAll());
    }
    this.#ends = new SessionEnds(redis, keys.namespace, options.sessions ?? {}, options.archive, enabled);
    // Whoever ends sessions: stores do that too, and merge nothing.
    this.#merging = new PersonMerging(redis, keys.namespace, namespace.knowledge, enabled, this.#log);
    this.#http = new HttpServer(this.metrics, () => this.#notReady() ?? this.#transports.trouble);
    this.#figures = this.#makeFigures();
    this.#showFigures();
  }

  get http(): HttpAddress | undefined {
    return this.#address;
  }

  /** Starts the parts. If one cannot start, all are stopped; the namespace's connection is the caller's. */
  async start(): Promise<this> {
    try {
      await this.#subscriber.connect();
      this.#warnOfSecret();
      this.#health.start();
      this.#started.push(this.#health);
      await this.#listen();
      this.#started.push(this.#beat, this.#transports, this.#ends);
      await this.#beat.start(this.#subscriber, routesOf(this.#transport).length > 0);
      await this.#transports.start();
      await this.#ends.start(this.metrics, this.#log);
      this.#merging.start();
      this.#livePairs?.start();
      this.#ruleCounting.start();
      this.#site.start();
      this.#figures.start();
      this.#followClock();
      this.#logStart();
      return this;
    } catch (error) {
      for (const part of this.#started) void part.stop(0);
      this.#subscriber.destroy();
      await this.#http.close();
      throw error;
    }
  }

  setRules(rules: Rules): void {
    this.#rules.set(rules);
  }

  stop(deadlineMs: number = STOP_DEADLINE_MS): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  #onBack(): void {
    this.#beat.beat();
    this.#readiness.notifyAll();
  }

  async #stop(deadlineMs: number): Promise<void> {
    clearInterval(this.#clockTimer);
    this.#health.stop();
    this.#figures.stop();
    // Does not wait for the answer to the good-bye: a frozen Redis sends none. Closing the connection waits until it
    // was sent.
    void this.#beat.stop();
    void this.inline.close();
    this.#merging.stop();
    const [finished] = await Promise.all([this.#transports.stop(deadlineMs), this.#ends.stop(deadlineMs)]);
    await Promise.all(
      [this.#livePairs, this.#ruleCounting, this.#site].map((counting) => counting?.stop(COUNTS_STOP_MS)),
    );
    if (!finished) this.#log.warn({ inFlight: this.#transports.inFlight }, 'Stopped with requests unfinished.');
    await Promise.all([this.#http.close(), this.#subscriber.close(), this.#namespace.redis.close()]);
    this.#log.info({ instance: this.instance }, 'Stopped.');
  }

  get #transport(): TransportName {
    return this.#options.transport ?? 'channels';
  }

  /** Why not every request would be served now; undefined if every request would. */
  #notReady(): string | undefined {
    return this.#health.trouble ?? (this.#subscriber.isReady ? undefined : 'The service is connecting to Redis.');
  }

  #makeDispatcher(): Dispatcher {
    const { redis, keys, knowledge } = this.#namespace;
    const listening = new Listening(redis, keys);
    const context = {
      knowledge,
      rules: this.#rules,
      ruleCounting: this.#ruleCounting,
      listening,
      suggestions: new NewSuggestions(this.#rules, knowledge, listening),
      acceptTimes: this.#options.acceptTimes ?? false,
      timeIgnored: () => this.metrics.timesIgnored.inc(),
      views: new RecentViews(),
      livePairs: this.#livePairs,
      site: this.#site,
      robotsRefused: (count: number) => this.metrics.robotRequests.inc({}, count),
    };
    return new Dispatcher(redis, context, dispatchEvents(this.metrics, this.#log), () => this.#health.refusal);
  }

  #makeLivePairs(names: readonly PairName[], isEnabled: () => boolean): LivePairs | undefined {
    if (!this.#options.livePairs) return undefined;
    const { redis, keys, knowledge } = this.#namespace;
    return new LivePairs({
      ...{ knowledge, names, isEnabled, log: this.#log },
      counts: new PairCounts(redis, keys, names, knowledge.now),
      onSubject: (outcome) => this.metrics.pairSubjects.inc({ outcome }),
    });
  }

  #makeFigures(): FiguresBeat {
    const { redis, keys } = this.#namespace;
    return new FiguresBeat(redis, keys.namespace, {
      instance: this.instance,
      transport: this.#transport,
      metrics: this.metrics,
      now: () => ({
        inFlight: this.#transports.inFlight,
        backlog: this.#transports.backlog,
        partitions: this.#transports.ownedPartitions,
        overlap: this.#beat.overlapping().length,
      }),
    });
  }

  #showFigures(): void {
    countNoticeEvents(this.#namespace.knowledge, this.metrics);
    this.metrics.show({
      inFlight: () => this.#transports.inFlight,
      ownedPartitions: () => this.#transports.ownedPartitions,
      backlog: () => this.#transports.backlog,
      overlap: () => this.#beat.overlapping().length,
      instances: () => this.#beat.instances(),
      archiveWaiting: () => this.#ends.archiveWaiting,
      reach: () => readReach(this.#namespace.knowledge),
      suggestionMarks: () => this.#ruleCounting.marks,
      segments: () => readSegments(this.#rules, this.#namespace.knowledge.ruleCounts),
    });
  }

  async #listen(): Promise<void> {
    if (this.#options.http) this.#address = await this.#http.listen(this.#options.http);
  }

  #followClock(): void {
    const { redis, measureClock } = this.#namespace;
    this.#clockTimer = setInterval(() => {
      if (redis.isReady) measureClock().catch(() => undefined);
    }, CLOCK_INTERVAL_MS).unref();
  }

  #logStart(): void {
    const { redis, keys, engine } = this.#namespace;
    const { namespace } = keys;
    const fields = { instance: this.instance, redis: redis.address, namespace, transport: this.#transport };
    const http = this.#address && { http: this.#address };
    this.#log.info({ ...fields, glob: this.#options.glob.text, engine, ...http }, 'Serving.');
  }

  #warnOfSecret(): void {
    const { secret, dataDir } = this.#options;
    if (this.#namespace.secretGenerated) {
      this.#log.warn(
        { file: secretFile(dataDir!) },
        'A secret was generated and kept in a file. Without it nothing in this namespace can be read: for production set SESSIONWISE_SECRET.',
      );
    }
    if (secret === undefined && isSecretExposed(dataDir!)) {
      this.#log.warn(
        { file: secretFile(dataDir!) },
        'The file of the secret can be read by others than its owner: chmod 600 it. With the secret they can read the namespace.',
      );
    }
  }

  #warnOfOverlap({ instances, globs }: Overlap): void {
    this.#log.warn({ instances, globs }, OVERLAP);
    if (this.#options.log === undefined) warnOnce('SESSIONWISE_OVERLAP', OVERLAP);
  }
}

function describeInstance(id: string, { glob, transport = 'channels' }: InstanceOptions): Instance {
  const routes = routesOf(transport);
  return {
    id,
    glob,
    commands: COMMAND_NAMES,
    streams: routes.includes('streams'),
    channels: routes.includes('channels'),
  };
}

function dispatchEvents(metrics: Metrics, log: Log): DispatchEvents {
  const failures = new LogThrottle(FAILURE_LOG_INTERVAL_MS);
  return {
    served: (command, seconds) => metrics.served(command, seconds),
    partServed: (command) => metrics.partServed(command),
    failed: (command, code, error) => {
      metrics.errors.inc({ command, code });
      if (code === 'internal' && failures.mayLog()) log.error({ command, err: error }, 'A command failed.');
    },
  };
}
