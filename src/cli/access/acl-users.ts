import { checkNamespace, EVERY_SESSION, parseSessionGlob } from '../../protocol/index.ts';
import type { FilterEngine } from '../../redis/index.ts';
import type { RemoteTransportName } from '../../transport/index.ts';
import { appGrants } from './app-grants.ts';
import { type AclVersion, type Grant, rulesOf } from './grant.ts';
import { serviceGrants } from './service-grants.ts';
import { storeGrants } from './store-grants.ts';

/* acl-users.ts: the users of Redis that serving layer and service need, with the least that they can work with. */

/** What the rules depend on; only `commands` must be given. */
export interface AclOptions {
  /** The names that the service is asked for, aliases included. */
  readonly commands: readonly string[];
  /** Default `sw`. */
  readonly namespace?: string | undefined;
  /** The globs of all instances that log in as this user. Default `?*`. */
  readonly sessionglobs?: readonly string[] | undefined;
  /** How requests go: `both` where some commands go over channels and some over streams. Default `channels`. */
  readonly transport?: RemoteTransportName | undefined;
  /** Whether the serving layer keeps its session data here. Default false. */
  readonly store?: boolean | undefined;
  /** The prefix of connect-redis's keys that the store takes over. */
  readonly importFrom?: string | undefined;
  /** Whether the store archives ended sessions itself. Default false: a service does, or nobody. */
  readonly archive?: boolean | undefined;
  /** Whether Redis is a Cluster. Default false. */
  readonly cluster?: boolean | undefined;
  /** Default `portable`: the native engine needs commands that not every server knows. */
  readonly filter?: FilterEngine | undefined;
  /** The oldest server that the rules are for. Default `7.0`. */
  readonly version?: AclVersion | undefined;
}

/** A user of Redis. */
export interface AclUser {
  readonly name: 'app' | 'store' | 'service';
  /** What the rules allow, in a sentence. */
  readonly allows: string;
  /** What ACL SETUSER is given for a user who may do nothing yet. */
  readonly rules: readonly string[];
}

/** The users `app`, with `store` a `store`, and `service`.
 *  @throws RangeError for what cannot be used. */
export function aclUsers(options: AclOptions): AclUser[] {
  const namespace = checkNamespace(options.namespace ?? 'sw');
  const { transport = 'channels', store = false, filter = 'portable', version = '7.0', cluster = false } = options;
  const { commands, importFrom } = options;
  const sessionglobs = (options.sessionglobs ?? [EVERY_SESSION]).map((glob) => parseSessionGlob(glob).text);
  if (!store && (importFrom !== undefined || options.archive)) {
    throw new RangeError('Taking over and archiving sessions are what a store does: ask for the store too.');
  }
  if (importFrom !== undefined && !/^[!-~]+$/.test(importFrom)) {
    throw new RangeError(
      `The prefix ${JSON.stringify(importFrom)} cannot stand in a rule: give one without spaces, such as "sess:".`,
    );
  }
  const user = (name: AclUser['name'], allows: string, grants: readonly Grant[]): AclUser => ({
    name,
    allows,
    rules: rulesOf(grants, version),
  });
  const users = [user('app', ALLOWS_APP[transport], appGrants(namespace, transport, cluster))];
  if (store) users.push(user('store', allowsStore(options), storeGrants(namespace, options)));
  users.push(
    user('service', ALLOWS_SERVICE, serviceGrants(namespace, { transport, sessionglobs, commands, filter, cluster })),
  );
  return users;
}

/** What makes a user, as one line: whatever the user was allowed before is forgotten. `<password>` is none: until
 *  `>` and a password stand there, Redis refuses the line. */
export function setUserLine({ name, rules }: AclUser): string {
  return `ACL SETUSER ${name} reset resetchannels on <password> ${rules.join(' ')}`;
}

const ALLOWS_APP: Readonly<Record<RemoteTransportName, string>> = {
  channels:
    'The serving layer asks the service over channels and hears its replies; it can neither read nor write what is kept of a session.',
  streams:
    'The serving layer adds requests to the streams and hears the replies; it can neither read a request nor read or write what is kept of a session.',
  both: 'The serving layer asks over channels, adds requests to the streams and hears the replies; it can neither read a request nor read or write what is kept of a session.',
};

function allowsStore({ archive = false, version = '7.0' }: AclOptions): string {
  if (version === '6.2') {
    return 'A store in the serving layer keeps sessions; Redis 6.2 cannot tell reading from writing, so it could also read some of what was calculated.';
  }
  return archive
    ? 'A store in the serving layer keeps and archives sessions; of what was calculated it can count views and pages, ask for active minutes, and delete it with its session.'
    : 'A store in the serving layer keeps sessions; of what was calculated it can tell on which days a session was active, and delete it with its session.';
}

const ALLOWS_SERVICE =
  'The service reads and writes the keys of its namespace and answers; `notify` and `inspect` may log in as it too.';
