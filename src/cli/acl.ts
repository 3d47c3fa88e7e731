import type { Command } from 'commander';
import { COMMAND_NAMES } from '../protocol/index.ts';
import type { FilterEngine } from '../redis/index.ts';
import { REMOTE_TRANSPORT_NAMES } from '../transport/index.ts';
import { type AclOptions, aclUsers, setUserLine } from './access/acl-users.ts';
import type { AclVersion } from './access/grant.ts';
import { print } from './print.ts';
import { UsageError } from './usage-error.ts';

const FILTERS: readonly FilterEngine[] = ['portable', 'native'];
const VERSIONS: readonly AclVersion[] = ['7.0', '6.2'];

interface AclFlags
  extends Pick<
    AclOptions,
    'namespace' | 'live' | 'consume' | 'store' | 'importFrom' | 'mirrorTo' | 'archive' | 'cluster' | 'dashboard'
  > {
  readonly sessionglob?: string[];
  readonly transport: string;
  readonly filter: string;
  readonly redisVersion: string;
  readonly json?: boolean;
}

/** Adds `sessionwise acl`: prints the Redis users that serving layer and service need. It needs no connection to Redis,
 *  so that an operator can run it anywhere. */
export function addAclCommand(program: Command): void {
  program
    .command('acl')
    .description('print the least that users of Redis need: one for the serving layer, one for the service')
    .option('--namespace <ns>', 'the store: its data and channels (default: sw)')
    .option(
      '--sessionglob <glob>',
      'the sessions of an instance, as `serve` is told; once per instance (default: ?*)',
      (glob, all: string[] = []) => [...all, glob],
    )
    .option('--transport <way>', `how requests go: ${REMOTE_TRANSPORT_NAMES.join(', ')}`, 'channels')
    .option('--live', 'the serving layer keeps live streams to browsers open')
    .option('--consume', 'events are consumed: those of notices by the serving layer, lifecycle events by the store')
    .option('--store', 'also a user for a store in the serving layer')
    .option('--import-from <prefix>', 'the prefix of the connect-redis keys that the store takes over, such as sess:')
    .option('--mirror-to <prefix>', 'the prefix under which the store writes its sessions for connect-redis too')
    .option('--archive', 'the store archives ended sessions itself, and no service does')
    .option('--dashboard', 'also a user for the dashboard')
    .option('--cluster', 'Redis is a Cluster')
    .option('--filter <engine>', `the engine of seen filters: ${FILTERS.join(', ')}`, 'portable')
    .option('--redis-version <version>', `the oldest server: ${VERSIONS.join(', ')} (coarser)`, '7.0')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nWrite > and a password in place of <password>; until then Redis refuses the line.\nThe lines go to standard output, what they allow to standard error.',
    )
    .action((flags: AclFlags) => {
      const {
        namespace,
        live,
        consume,
        store,
        importFrom,
        mirrorTo,
        archive,
        cluster,
        dashboard,
        sessionglob: sessionglobs,
      } = flags;
      const version = oneOf('--redis-version', VERSIONS, flags.redisVersion);
      const users = aclUsers({
        ...{
          namespace,
          live,
          consume,
          store,
          importFrom,
          mirrorTo,
          archive,
          cluster,
          dashboard,
          sessionglobs,
          version,
        },
        commands: COMMAND_NAMES,
        transport: oneOf('--transport', REMOTE_TRANSPORT_NAMES, flags.transport),
        filter: oneOf('--filter', FILTERS, flags.filter),
      });
      if (flags.json) print(JSON.stringify({ redisVersion: version, users }));
      else {
        for (const { name, allows } of users) process.stderr.write(`${name}: ${allows}\n`);
        for (const user of users) print(setUserLine(user));
      }
    });
}

function oneOf<Value extends string>(flag: string, values: readonly Value[], given: string): Value {
  const value = values.find((known) => known === given);
  if (value !== undefined) return value;
  throw new UsageError(`${flag} ${given} cannot be used: give ${values.join(', ')}.`);
}
