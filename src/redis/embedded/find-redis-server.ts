/* find-redis-server.ts: finds a Redis or Valkey server on this machine, and installs one where that needs no password.
 *
 * As root it installs without asking: commands run as root to set things up (a container, CI). Through sudo it asks a
 * person first; where no person can be asked, the error says what to type.
 *
 * An installation must leave no process running and none that starts at the next boot: Debian's package would start
 * (and enable) a system-wide server on port 6379. While apt-get works, a policy-rc.d forbids service starts
 * (https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt); a shell trap removes it, even where this
 * process dies meanwhile. dnf, apk, pacman and brew start no service by themselves. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { askOnTerminal, hasTerminal } from './ask-on-terminal.ts';
import { RedisServerMissingError } from './redis-server-missing-error.ts';

export interface RedisServer {
  readonly path: string;
  readonly version: string;
  readonly flavour: 'redis' | 'valkey';
}

export interface FindRedisServerOptions {
  /** Whether to install a server where none is found. Default true. */
  readonly install?: boolean;
  /** Receives the lines that an installation reports. Default: stderr. */
  readonly say?: (line: string) => void;
  /** Asks a person whether to install through sudo; null: no person can be asked. Default: on the terminal, where there is
   *  one. */
  readonly ask?: ((question: string) => Promise<boolean>) | null;
  /** Default `process.env`; `PATH`, `SESSIONWISE_REDIS_SERVER` and `SESSIONWISE_INSTALL` are read. */
  readonly env?: NodeJS.ProcessEnv;
  /** The folder that replaces `/`, for the folders that are searched beside `PATH` and for policy-rc.d. Default `/`; for
   *  tests. */
  readonly root?: string;
  /** The user's id; 0 installs without sudo. Default: that of the process. */
  readonly uid?: number;
}

interface PackageManager {
  readonly command: string;
  /** Run by `sh -c` with the root folder as `$1`. Every step has its own deadline in seconds, see `DEADLINE_MS`. */
  readonly script: string;
  readonly line: string;
  /** Homebrew works without root, refuses it, and its system has no `timeout` command. */
  readonly withoutRoot?: true;
}

const SERVER_NAMES = ['redis-server', 'valkey-server'];
const FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];
const ANY_SYSTEM = 'export SESSIONWISE_REDIS_SERVER=/path/to/redis-server';
/** The deadline of a whole installation; longer than the sum of the deadlines in any script. */
const DEADLINE_MS = 15 * 60_000;
const PROBE_DEADLINE_MS = 5_000;

const APT = `
policy="$1/usr/sbin/policy-rc.d"
systemctl cat redis-server.service >/dev/null 2>&1 && known=1 || known=
trap 'exit 1' INT TERM HUP
if (set -C; echo '#!/bin/sh' >"$policy") 2>/dev/null; then
  trap 'rm -f "$policy"' EXIT
  echo '# sessionwise wrote this while it installed redis-server; delete it' >>"$policy"
  echo 'exit 101' >>"$policy"
  chmod 755 "$policy"
fi
[ -e "$policy" ] || exit 1
export DEBIAN_FRONTEND=noninteractive
install() { timeout -k 10 300 apt-get -o DPkg::Lock::Timeout=60 install -y --no-install-recommends redis-server; }
install || { timeout -k 10 120 apt-get update && install; } || exit 1
[ "$known" ] || systemctl disable redis-server.service || true
`;

// Newer Fedora and Arch have Valkey only, older Fedora and Alpine Redis only.
const MANAGERS: readonly PackageManager[] = [
  { command: 'apt-get', script: APT, line: 'apt-get install -y redis-server' },
  {
    command: 'dnf',
    script: 'timeout -k 10 300 dnf install -y valkey || timeout -k 10 300 dnf install -y redis',
    line: 'dnf install -y valkey || dnf install -y redis',
  },
  {
    command: 'apk',
    script: 'timeout -k 10 300 apk add --no-cache valkey || timeout -k 10 300 apk add --no-cache redis',
    line: 'apk add valkey || apk add redis',
  },
  {
    command: 'pacman',
    script:
      'timeout -k 10 300 pacman -S --noconfirm --needed valkey || timeout -k 10 300 pacman -Sy --noconfirm --needed valkey',
    line: 'pacman -Sy valkey',
  },
  { command: 'brew', script: 'NONINTERACTIVE=1 brew install redis', line: 'brew install redis', withoutRoot: true },
];

/** The options and findings of a search, for an installation. */
interface Search {
  readonly folders: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly root: string;
  readonly uid: number;
  readonly ask: ((question: string) => Promise<boolean>) | null;
  readonly say: (line: string) => void;
  /** The line to type, for errors. */
  readonly line: string;
}

const MISSING = 'There is no Redis or Valkey server on this machine';

/** Finds `redis-server` or `valkey-server` in `PATH` and the usual folders; `SESSIONWISE_REDIS_SERVER` names another
 *  server. Where there is none, it is installed with the system's package manager, if that works without a password. Through
 *  sudo it is installed only where a person agrees or `SESSIONWISE_INSTALL` is `yes`; with `no` nothing is installed, not
 *  even as root.
 *  @throws RedisServerMissingError where nothing is installed, or `SESSIONWISE_REDIS_SERVER` names no such server. */
export async function findRedisServer(options: FindRedisServerOptions = {}): Promise<RedisServer> {
  const { install = true, env = process.env, root = '/', uid = process.getuid?.() ?? -1 } = options;
  const { ask = hasTerminal() ? askOnTerminal : null } = options;
  const say = options.say ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const folders = [
    ...(env.PATH ?? '').split(delimiter).filter(Boolean),
    ...FOLDERS.map((folder) => join(root, folder)),
  ];

  const named = env.SESSIONWISE_REDIS_SERVER;
  if (named) return inspectNamedServer(named);
  const found = await searchServer(folders);
  if (found) return found;

  const present = MANAGERS.filter((manager) => findExecutable(manager.command, folders));
  const line = present[0] ? lineToType(present[0], uid) : ANY_SYSTEM;
  const decided = decisionOf(env.SESSIONWISE_INSTALL);
  if (!install || decided === 'no') throw new RedisServerMissingError(`${MISSING}.`, line);
  const search = { folders, env, root, uid, ask, say, line };
  return installServer(await chooseManager(present, decided, search), search);
}

async function inspectNamedServer(path: string): Promise<RedisServer> {
  const server = await inspectRedisServer(path);
  if (server) return server;
  const what = `SESSIONWISE_REDIS_SERVER is "${path}", which is neither a Redis nor a Valkey server.`;
  throw new RedisServerMissingError(what, 'unset SESSIONWISE_REDIS_SERVER');
}

/** Chooses a package manager that may be used here. Asks a person where it would need sudo.
 *  @throws RedisServerMissingError where there is none, or the person does not agree. */
async function chooseManager(
  present: readonly PackageManager[],
  decided: 'yes' | undefined,
  { folders, env, uid, ask, line }: Search,
): Promise<PackageManager> {
  const mayAsk = decided === 'yes' || ask !== null;
  const sudo = uid !== 0 && mayAsk && findExecutable('sudo', folders) && (await run('sudo', ['-n', 'true'], env)).ok;
  const manager = present.find((each) => (each.withoutRoot ? uid !== 0 : uid === 0 || sudo));
  if (!manager) throw new RedisServerMissingError(`${MISSING}.`, line);
  if (needsSudo(manager, uid) && decided !== 'yes') {
    const isWanted = await ask!(`${MISSING}. Install one, with "${lineToType(manager, uid)}"? [y/N] `);
    if (!isWanted) throw new RedisServerMissingError(`${MISSING}.`, line);
  }
  return manager;
}

/** Installs a server.
 *  @throws RedisServerMissingError where there is none afterwards; its cause is the package manager's output. */
async function installServer(
  manager: PackageManager,
  { folders, env, root, uid, say, line }: Search,
): Promise<RedisServer> {
  say(`${MISSING}: installing one with ${manager.command}. This takes up to a few minutes.`);
  const args = ['-c', manager.script, 'sh', root === '/' ? '' : root];
  const withPath = { ...env, PATH: folders.join(delimiter) };
  const { ok, output } = needsSudo(manager, uid)
    ? await run('sudo', ['-n', 'sh', ...args], withPath, DEADLINE_MS)
    : await run('sh', args, withPath, DEADLINE_MS);
  const server = await searchServer(folders);
  if (server) {
    say(`Installed ${server.flavour} ${server.version} (${server.path}).`);
    return server;
  }
  for (const last of output.trim().split('\n').slice(-5)) say(`  ${manager.command}: ${last}`);
  const what = `${MISSING}, and installing one with ${manager.command} ${ok ? 'brought none' : 'failed'}.`;
  throw new RedisServerMissingError(what, line, { cause: output });
}

function needsSudo({ withoutRoot }: PackageManager, uid: number): boolean {
  return uid !== 0 && !withoutRoot;
}

function decisionOf(given: string | undefined): 'yes' | 'no' | undefined {
  if (given === undefined || given === '') return undefined;
  if (given === 'yes' || given === 'no') return given;
  throw new RedisServerMissingError(
    `${MISSING}, and SESSIONWISE_INSTALL is "${given}", neither yes nor no.`,
    'export SESSIONWISE_INSTALL=yes',
  );
}

/** The line that installs a server. Without root each part of `a || b` needs its own sudo. */
function lineToType({ line, withoutRoot }: PackageManager, uid: number): string {
  return uid === 0 || withoutRoot ? line : line.replaceAll(/^|(?<=\|\| )/g, 'sudo ');
}

/** Reads the kind and version of the server at `path`; undefined where it is not a Redis or Valkey server. */
export async function inspectRedisServer(path: string): Promise<RedisServer | undefined> {
  const { output } = await run(path, ['--version'], process.env);
  const [, flavour, version] = /^(Redis|Valkey) server v=(\S+)/m.exec(output) ?? [];
  return version ? { path, version, flavour: flavour === 'Redis' ? 'redis' : 'valkey' } : undefined;
}

async function searchServer(folders: readonly string[]): Promise<RedisServer | undefined> {
  for (const name of SERVER_NAMES) {
    for (const path of executables(name, folders)) {
      const server = await inspectRedisServer(path);
      if (server) return server;
    }
  }
  return undefined;
}

function findExecutable(name: string, folders: readonly string[]): string | undefined {
  return executables(name, folders)[0];
}

function executables(name: string, folders: readonly string[]): string[] {
  const paths = new Set(folders.map((folder) => join(folder, name)));
  return [...paths].filter((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}

interface RunResult {
  readonly ok: boolean;
  readonly output: string;
}

function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  deadlineMs: number = PROBE_DEADLINE_MS,
): Promise<RunResult> {
  return new Promise((resolve) => {
    const options = { env, timeout: deadlineMs, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ ok: !error, output: `${stdout}${stderr}${error && !stderr ? error.message : ''}` }),
    );
    child.stdin?.end(); // no person answers its questions
  });
}
