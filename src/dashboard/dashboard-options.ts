import type { IncomingMessage } from 'node:http';
import { checkOptions, type OptionForms } from '../protocol/internal/index.ts';
import type { ConnectionOptions } from '../redis/index.ts';
import type { Log, Namespace } from '../service/index.ts';
import type { SessionData, SessionDataOptions } from '../sessions/index.ts';
import type { Role } from './role.ts';

/** A namespace and its session data, opened for the dashboard, which closes both. */
export interface OpenedStore {
  readonly namespace: Namespace;
  readonly sessions: SessionData;
}

/** What `createSessionwise` makes, as far as the dashboard needs it. */
export interface DashboardSource {
  /** Opens the namespace and its session data. */
  openForOperators(): Promise<OpenedStore>;
}

/** Who somebody is to the dashboard: nobody, an operator, or a role under a name that the log says. */
export type Allowed = boolean | { readonly role: Role; readonly name: string };

/** What all dashboards can be told. */
export interface DashboardSettings {
  /** Refuses all actions, whatever the role. Default false. */
  readonly readOnly?: boolean;
  /** Streams that may be open at the same time, from 1 to 10,000. Default 50. */
  readonly maxStreams?: number;
  /** Where actions and refused attempts are logged. Default: JSON lines on standard error. */
  readonly log?: Log;
  /** The path of the configuration file, for views that show rules. Default: none. */
  readonly config?: string;
}

/** How the dashboard is mounted in an application. */
export interface DashboardOptions extends DashboardSettings {
  /** What `createSessionwise` made, with `secret`. In its place `redis` and `secret`. */
  readonly sw?: DashboardSource;
  readonly redis?: string | ConnectionOptions;
  /** Default `sw`. */
  readonly namespace?: string;
  readonly secret?: string;
  /** Decrypts session data, as the store is told. Default: they are not encrypted. */
  readonly encryption?: SessionDataOptions['encryption'];
  /** Decides who gets in, for each request: an open page sends one every 15 seconds. `true` is an operator named
   *  `application`. An error refuses, and is logged. Without it only this machine gets in, by a loopback address and
   *  without a proxy. */
  readonly allow?: (request: IncomingMessage) => Allowed | Promise<Allowed>;
  /** The path that requests begin with, where the framework leaves it in `request.url` (Fastify; Express takes it off).
   *  Default: none. */
  readonly base?: string;
  /** Signs the tokens against cross-site requests: give several processes of a site the same, 32 random characters.
   *  Default: made at the start. */
  readonly key?: string;
}

const OPTIONS: OptionForms<DashboardOptions> = {
  sw: 'object',
  redis: 'string|object',
  namespace: 'string',
  secret: 'string',
  encryption: 'object',
  allow: 'function',
  readOnly: 'boolean',
  base: 'string',
  key: 'string',
  maxStreams: 'number',
  log: 'object',
  config: 'string',
};

/** @throws RangeError that names the option and says what to give. */
export function checkDashboardOptions(options: DashboardOptions): void {
  checkOptions('dashboard()', options, OPTIONS);
  const { sw, redis, secret, key, base, maxStreams } = options;
  if ((sw === undefined) === (redis === undefined)) throw new RangeError('dashboard() needs sw, or redis and secret.');
  if (sw !== undefined && typeof sw.openForOperators !== 'function') {
    throw new RangeError('dashboard() takes as sw what createSessionwise() made.');
  }
  if (sw === undefined && secret === undefined) throw new RangeError('dashboard() needs secret beside redis.');
  if (key !== undefined && key.length < 16) throw new RangeError('dashboard() takes a key of 16 characters or more.');
  if (base !== undefined && !/^(\/[\w.~-]+)+$/.test(base)) {
    throw new RangeError(`dashboard() takes a base like "/admin", not ${JSON.stringify(base)}.`);
  }
  checkMaxStreams(maxStreams);
}

/** @throws RangeError */
export function checkMaxStreams(maxStreams: number | undefined): void {
  if (maxStreams === undefined || (Number.isInteger(maxStreams) && maxStreams >= 1 && maxStreams <= 10_000)) return;
  throw new RangeError(`maxStreams is ${maxStreams}: give a whole number from 1 to 10,000.`);
}
