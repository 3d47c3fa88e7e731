import { checkNamespace, EVERY_SESSION, parseSessionGlob } from '../../protocol/index.ts';
import type { FilterEngine } from '../../redis/index.ts';
import type { RemoteTransportName } from '../../transport/index.ts';
import { appGrants } from './app-grants.ts';
import { dashboardGrants } from './dashboard-grants.ts';
import { type AclVersion, type Grant, rulesOf } from './grant.ts';
import { serviceGrants } from './service-grants.ts';
import { storeGrants } from './store-grants.ts';

/* acl-users.ts: the Redis users that serving layer and service need, each with the least rights that suffice. */

/** Options of the rules; only `commands` is required. */
export interface AclOptions {
  /** Names of the commands that the service serves, aliases included. */
  readonly commands: readonly string[];
  /** Default `sw`. */
  readonly namespace?: string | undefined;
  /** The globs of all instances that log in as this user. Default `?*`. */
  readonly sessionglobs?: readonly string[] | undefined;
  /** Route of requests: `both` if some commands go over channels and some over streams. Default `channels`. */
  readonly transport?: RemoteTransportName | undefined;
  /** Whether the serving layer keeps live streams to browsers open. Default false. */
  readonly live?: boolean | undefined;
  /** Whether events are consumed: lifecycle events by the store, those of notices by the serving layer. Default false. */
  readonly consume?: boolean | undefined;
  /** Whether the serving layer keeps its session data here. Default false. */
  readonly store?: boolean | undefined;
  /** The prefix of connect-redis's keys that the store takes over. */
  readonly importFrom?: string | undefined;
  /** The prefix under which the store writes sessions for connect-redis too; includes `importFrom`. */
  readonly mirrorTo?: string | undefined;
  /** Whether the store archives ended sessions itself. Default false: a service archives them, or they are deleted. */
  readonly archive?: boolean | undefined;
  /** Whether Redis is a Cluster. Default false. */
  readonly cluster?: boolean | undefined;
  /** Default `portable`: the native engine needs commands that not every server knows. */
  readonly filter?: FilterEngine | undefined;
  /** Whether there is a dashboard with a user of its own. Default false. */
  readonly dashboard?: boolean | undefined;
  /** The oldest server that the rules are for. Default `7.0`. */
  readonly version?: AclVersion | undefined;
}

/** A Redis user. */
export interface AclUser {
  readonly name: 'app' | 'store' | 'service' | 'dashboard';
  /** Describes the rights in a sentence. */
  readonly allows: string;
  /** Arguments of ACL SETUSER, for a user without rights. */
  readonly rules: readonly string[];
}

/** Lists the users `app` and `service`, and with the options `store` and `dashboard` users of these names.
 *  @throws RangeError for unusable options. */
export function aclUsers(options: AclOptions): AclUser[] {
  const namespace = checkNamespace(options.namespace ?? 'sw');
  const { transport = 'channels', store = false, filter = 'portable', version = '7.0', cluster = false } = options;
  const { commands, importFrom, mirrorTo, live = false, consume = false } = options;
  const sessionglobs = (options.sessionglobs ?? [EVERY_SESSION]).map((glob) => parseSessionGlob(glob).text);
  if (!store && (importFrom !== undefined || mirrorTo !== undefined || options.archive)) {
    throw new RangeError('--store is missing: --import-from, --mirror-to and --archive are about a store.');
  }
  const odd = [importFrom, mirrorTo].find((prefix) => prefix !== undefined && !/^[!-~]+$/.test(prefix));
  if (odd !== undefined) {
    throw new RangeError(
      `The prefix ${JSON.stringify(odd)} cannot stand in a rule: give one without spaces, such as "sess:".`,
    );
  }
  const user = (name: AclUser['name'], allows: string, grants: readonly Grant[]): AclUser => ({
    name,
    allows,
    rules: rulesOf(grants, version),
  });
  const ofApp = { transport, cluster, live, consume };
  const users = [user('app', allowsApp(ofApp), appGrants(namespace, ofApp))];
  if (store) users.push(user('store', allowsStore(options), storeGrants(namespace, options)));
  users.push(
    user(
      'service',
      ALLOWS_SERVICE,
      serviceGrants(namespace, { transport, sessionglobs, commands, filter, cluster, mirrorTo }),
    ),
  );
  if (options.dashboard)
    users.push(user('dashboard', ALLOWS_DASHBOARD, dashboardGrants(namespace, { filter, cluster })));
  return users;
}

/** Writes the ACL SETUSER line that makes a user; it resets earlier rights. Redis refuses the line until `<password>`
 *  is replaced by `>` and a password. */
export function setUserLine({ name, rules }: AclUser): string {
  return `ACL SETUSER ${name} reset resetchannels on <password> ${rules.join(' ')}`;
}

const ALLOWS_APP: Readonly<Record<RemoteTransportName, string>> = {
  channels:
    'The serving layer sends requests to the service over channels and receives its replies; it can neither read nor write data of sessions.',
  streams:
    'The serving layer adds requests to the streams and receives the replies; it can neither read requests nor read or write data of sessions.',
  both: 'The serving layer sends requests over channels, adds requests to the streams and receives the replies; it can neither read requests in streams nor read or write data of sessions.',
};

function allowsApp({
  transport,
  live,
  consume,
}: {
  readonly transport: RemoteTransportName;
  readonly live: boolean;
  readonly consume: boolean;
}): string {
  return [
    ALLOWS_APP[transport],
    ...(live ? ['For live streams it reads what is published to notice lists, and which sessions begin and end.'] : []),
    ...(consume ? ['It consumes the events of notices.'] : []),
  ].join(' ');
}

function allowsStore({ consume = false, ...options }: AclOptions): string {
  return `${allowsStoreAlone(options)}${consume ? ' It consumes lifecycle events.' : ''}`;
}

function allowsStoreAlone({ archive = false, version = '7.0' }: Omit<AclOptions, 'consume'>): string {
  if (version === '6.2') {
    return 'A store in the serving layer reads and writes sessions; Redis 6.2 cannot separate reading from writing, so it could also read some calculated data.';
  }
  return archive
    ? 'A store in the serving layer reads, writes and archives sessions; of the calculated data it can read the records of subjects (views, minutes, encrypted items), count pages, and delete all of it with the session.'
    : 'A store in the serving layer reads and writes sessions; the calculated data it can delete with the session, but not read.';
}

const ALLOWS_SERVICE =
  'The service reads and writes the keys of its namespace and answers; `notices` and `inspect` may log in as it too.';

const ALLOWS_DASHBOARD =
  'The dashboard reads the keys of its namespace, changes them where an operator acts, and listens to instances; it can neither answer requests nor publish. It may not read CONFIG or the users, so what it says of these settings is that it may not look.';
