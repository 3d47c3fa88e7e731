import { checkPairNames } from '../knowledge/index.ts';
import { EVERY_SESSION, parseSessionGlob } from '../protocol/index.ts';
import { type FilterEngine, RedisUnavailableError } from '../redis/index.ts';
import { checkRules, type Rules } from '../rules/index.ts';
import type { ArchiveFunction } from '../sessions/index.ts';
import type { SessionTransport, TransportName } from '../transport/index.ts';
import { checkServiceOptions } from './check-service-options.ts';
import type { HttpAddress } from './http-server.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { type NamespaceOptions, openNamespace } from './open-namespace.ts';
import { ServiceInstance } from './service-instance.ts';
import type { SessionEndOptions } from './session-ends.ts';

/** How a service is started; only `redis` must be given. */
export interface ServiceOptions extends NamespaceOptions, Rules {
  /** Where requests come from: `channels` (default), `streams`, `both`, or `inline`: only from this process. */
  readonly transport?: TransportName;
  /** The sessions that this instance serves on channels. Default `?*`, all. */
  readonly sessionglob?: string;
  /** Counts how many subjects saw both of two names, for all pairs of these 2 to 500 pages and marked items: what
   *  `sessionwise discover --live` reads. Default: nothing is counted. */
  readonly livePairs?: { readonly names: readonly string[] };
  /** Whether `at` in a page view counts. Default false. */
  readonly acceptTimes?: boolean;
  /** Where to answer `/healthz`, `/readyz` and `/metrics`. Default: nowhere. */
  readonly http?: HttpAddress;
  /** Ending of sessions whose time is over: `sweep` (true), whether this instance takes part; `lifecycleLength` (10,000)
   *  of the stream of events; `encryption`, the keys of the stores, for the archive. */
  readonly sessions?: SessionEndOptions;
  /** Where ended sessions go. Default: nowhere, they are deleted. */
  readonly archive?: ArchiveFunction;
  /** Where the service logs: `debug`, `info`, `warn` and `error`, as pino has them. Default: nowhere. */
  readonly log?: Log;
  /** The most requests in hand at once. Default 10,000. */
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
  /** Replaces all rules: clusters, suggestions and segments; what is left out is there no more. Questions that are under way
   *  are answered by the old ones.
   *  @throws RangeError that begins with the place of what is wrong; then the old rules stay. */
  setRules(rules: Rules): void;
  /** The transport to this instance from its own process: `new SessionClient({ transport: service.inline })`. */
  readonly inline: SessionTransport;
  /** Unsubscribes, finishes the requests in hand (at most `deadlineMs`, default 5,000) and closes. Never throws. */
  stop(deadlineMs?: number): Promise<void>;
}

/** Starts an instance of the service: connects, checks the namespace's meta record, subscribes.
 *  @throws ConnectionOptionsError, RedisUnavailableError, RedisTooOldError, MetaMismatchError, SecretMissingError,
 *  HttpAddressError, or a RangeError for a value that cannot be used; each says what to do. Nothing is left running then. */
export async function startService(options: ServiceOptions): Promise<Service> {
  checkServiceOptions(options);
  const glob = parseSessionGlob(options.sessionglob ?? EVERY_SESSION);
  const { clusters = {}, suggestions = [], segments = {}, livePairs } = options;
  const rules = checkRules({ clusters, suggestions, segments });
  const pairs = livePairs && { livePairs: { names: checkPairNames(livePairs.names) } };
  const namespace = await openNamespace(options);
  try {
    return await new ServiceInstance({ ...options, ...pairs, glob, rules }, namespace).start();
  } catch (error) {
    namespace.redis.destroy();
    throw explainRights(error, namespace.redis.address);
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
