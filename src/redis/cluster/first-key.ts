import type { CommandArguments } from '../redis-connection.ts';

/* first-key.ts: finds a command's first key among its arguments, for the commands that we send. */

const KEYLESS = new Set(
  (
    'ACL ASKING BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG ECHO FUNCTION HELLO INFO LASTSAVE LATENCY MODULE ' +
    'PING PUBLISH PUBSUB ROLE SCRIPT SLOWLOG TIME WAIT'
  ).split(' '),
);
const ON_EACH_SERVER = new Set(['DBSIZE', 'FLUSHALL', 'FLUSHDB', 'KEYS', 'RANDOMKEY', 'SCAN', 'SHUTDOWN']);
const AFTER_SUBCOMMAND = new Set(['BITOP', 'MEMORY', 'OBJECT', 'XGROUP', 'XINFO']);
const AFTER_NUMKEYS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(['EVAL', 'EVALSHA', 'EVAL_RO', 'EVALSHA_RO', 'FCALL', 'FCALL_RO'].map((name) => [name, 2])),
  ...Object.fromEntries(['LMPOP', 'ZMPOP', 'SINTERCARD', 'ZDIFF', 'ZINTER', 'ZUNION'].map((name) => [name, 1])),
};

/** Finds the first key of a command; undefined where it has none and may go to any server.
 *  @throws RangeError for a command about one server's whole keyspace, as SCAN: send it to each of `masters()`. */
export function firstKeyOf(args: CommandArguments): string | Buffer | undefined {
  const name = String(args[0]).toUpperCase();
  if (KEYLESS.has(name)) return undefined;
  if (ON_EACH_SERVER.has(name)) {
    throw new RangeError(`${name} means one server: in a Cluster send it to each of masters().`);
  }
  const numkeys = AFTER_NUMKEYS[name];
  if (numkeys !== undefined) return Number(args[numkeys]) > 0 ? args[numkeys + 1] : undefined;
  if (AFTER_SUBCOMMAND.has(name)) return args[2];
  if (name === 'XREAD' || name === 'XREADGROUP') {
    // A group or consumer could have that name; ours have not.
    return args[args.findIndex((arg) => String(arg).toUpperCase() === 'STREAMS') + 1];
  }
  return args[1];
}
