import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type FindRedisServerOptions,
  findRedisServer,
  type RedisServer,
} from '../../../src/redis/embedded/find-redis-server.ts';
import type { RedisServerMissingError } from '../../../src/redis/embedded/redis-server-missing-error.ts';
import { processesNaming } from '../../support/processes-naming.ts';

// Of util-linux: runs a command on a terminal of its own.
const TERMINAL = 'script';

/** A machine of its own: `root` stands for `/`, `bin` is all of PATH and holds the few real tools that scripts need. */
let root: string;
let bin: string;
let policy: string;
let said: string[];
let real: RedisServer;

beforeAll(async () => {
  real = await findRedisServer();
});

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sw-find-'));
  bin = join(root, 'path');
  policy = join(root, 'usr/sbin/policy-rc.d');
  said = [];
  for (const folder of [bin, join(root, 'usr/sbin'), join(root, 'usr/bin')]) mkdirSync(folder, { recursive: true });
  for (const tool of ['sh', 'timeout', 'chmod', 'rm', 'ln', 'cat', 'cp']) {
    const from = ['/bin', '/usr/bin'].map((folder) => join(folder, tool)).find((path) => existsSync(path));
    if (from) symlinkSync(from, join(bin, tool));
  }
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

type Options = FindRedisServerOptions & { named?: string; decided?: string };

const find = ({ named, decided, ...options }: Options = {}) =>
  findRedisServer({
    env: {
      PATH: bin,
      ...(named !== undefined && { SESSIONWISE_REDIS_SERVER: named }),
      ...(decided !== undefined && { SESSIONWISE_INSTALL: decided }),
    },
    root,
    uid: 0,
    ask: null,
    say: (line) => said.push(line),
    ...options,
  });

const missing = async (options: Options = {}): Promise<RedisServerMissingError> => {
  const error = await find(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'REDIS_SERVER_MISSING', name: 'RedisServerMissingError' });
  return error as RedisServerMissingError;
};

function script(path: string, body: string): void {
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

const installs = (path: string) => `ln -s '${real.path}' '${path}'`;

it('the search for a server: finds the server of this machine and its version', () => {
  expect(real.path).toMatch(/(redis|valkey)-server$/);
  expect(real.version).toMatch(/^\d+\.\d+\.\d+$/);
});

it('the search for a server: looks in PATH, then in the usual folders', async () => {
  symlinkSync(real.path, join(root, 'usr/bin/redis-server'));
  expect(await find()).toEqual({ ...real, path: join(root, 'usr/bin/redis-server') });
  symlinkSync(real.path, join(bin, 'redis-server'));
  expect((await find()).path).toBe(join(bin, 'redis-server'));
});

it('the search for a server: takes a Valkey server, and passes over what is no server', async () => {
  script(join(bin, 'redis-server'), 'echo "some other program"');
  script(join(bin, 'valkey-server'), 'echo "Valkey server v=8.1.4 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"');
  expect(await find()).toEqual({ path: join(bin, 'valkey-server'), version: '8.1.4', flavour: 'valkey' });
});

it('the search for a server: SESSIONWISE_REDIS_SERVER goes before all', async () => {
  symlinkSync(real.path, join(bin, 'redis-server'));
  symlinkSync(real.path, join(root, 'mine'));
  expect((await find({ named: join(root, 'mine') })).path).toBe(join(root, 'mine'));
  expect((await find({ named: '' })).path).toBe(join(bin, 'redis-server'));
  const error = await missing({ named: '/nowhere/redis' });
  expect(error.message).toBe(
    'SESSIONWISE_REDIS_SERVER is "/nowhere/redis", which is neither a Redis nor a Valkey server. Type:\n' +
      '  unset SESSIONWISE_REDIS_SERVER',
  );
});

it('the search for a server: installs with apt-get, saying so, while policy-rc.d forbids to start services', async () => {
  const log = join(root, 'log');
  script(join(bin, 'apt-get'), `cp '${policy}' '${log}' && ${installs(join(root, 'usr/bin/redis-server'))}`);
  expect((await find()).path).toBe(join(root, 'usr/bin/redis-server'));
  expect(readFileSync(log, 'utf8')).toMatch(/^#!\/bin\/sh\n[\s\S]*exit 101\n$/);
  expect(existsSync(policy)).toBe(false);
  expect(said).toEqual([
    'There is no Redis or Valkey server on this machine: installing one with apt-get. This takes up to a few minutes.',
    `Installed ${real.flavour} ${real.version} (${join(root, 'usr/bin/redis-server')}).`,
  ]);
});

it('the search for a server: takes the new service out of the next boot, but never one that was there before', async () => {
  const log = join(root, 'log');
  script(join(bin, 'apt-get'), installs(join(bin, 'redis-server')));
  script(join(bin, 'systemctl'), `echo "$*" >>'${log}'; [ "$1" != cat ]`);
  await find();
  expect(readFileSync(log, 'utf8')).toBe('cat redis-server.service\ndisable redis-server.service\n');
  rmSync(join(bin, 'redis-server'));
  rmSync(log);
  script(join(bin, 'systemctl'), `echo "$*" >>'${log}'`);
  await find();
  expect(readFileSync(log, 'utf8')).toBe('cat redis-server.service\n');
});

it('the search for a server: reads the package lists where the first try fails', async () => {
  const lists = join(root, 'lists');
  script(
    join(bin, 'apt-get'),
    `[ "$1" = update ] && exec cp '${join(bin, 'apt-get')}' '${lists}'
     [ -e '${lists}' ] || { echo 'E: Unable to locate package redis-server' >&2; exit 100; }
     ${installs(join(bin, 'redis-server'))}`,
  );
  expect((await find()).path).toBe(join(bin, 'redis-server'));
});

it('the search for a server: says what the user must type where apt-get fails, and takes policy-rc.d away', async () => {
  script(join(bin, 'apt-get'), `[ -e '${policy}' ] && echo 'E: no network' >&2; exit 100`);
  const error = await missing();
  expect(error.message).toBe(
    'There is no Redis or Valkey server on this machine, and installing one with apt-get failed. Type:\n' +
      '  apt-get install -y redis-server',
  );
  expect(said).toContain('  apt-get: E: no network');
  expect(existsSync(policy)).toBe(false);
});

it("the search for a server: does not touch the administrator's own policy-rc.d", async () => {
  script(policy, 'exit 0');
  script(join(bin, 'apt-get'), installs(join(bin, 'redis-server')));
  await find();
  expect(readFileSync(policy, 'utf8')).toBe('#!/bin/sh\nexit 0\n');
});

describe('the search for a server, through sudo:', () => {
  const line = 'sudo apt-get install -y redis-server';
  const refusal = `There is no Redis or Valkey server on this machine. Type:\n  ${line}`;
  const question = `There is no Redis or Valkey server on this machine. Install one, with "${line}"? [y/N] `;
  let asked: string[];
  let sudoLog: string;
  const answering = (answer: boolean) => async (text: string) => {
    asked.push(text);
    return answer;
  };

  beforeEach(() => {
    asked = [];
    sudoLog = join(root, 'sudo-log');
    script(
      join(bin, 'sudo'),
      `echo "$*" >>'${sudoLog}'; [ "$1" = -n ] || exit 1; shift; [ "$1" = true ] && exit; IS_ROOT=1 exec "$@"`,
    );
    script(join(bin, 'apt-get'), `[ "$IS_ROOT" ] && ${installs(join(bin, 'redis-server'))}`);
  });

  it('it asks first, and installs where the person says yes', async () => {
    expect((await find({ uid: 1000, ask: answering(true) })).path).toBe(join(bin, 'redis-server'));
    expect(asked).toEqual([question]);
    expect(existsSync(policy)).toBe(false);
  });

  it('where the person says no it says what to type', async () => {
    expect((await missing({ uid: 1000, ask: answering(false) })).message).toBe(refusal);
    expect(asked).toEqual([question]);
    expect(said).toEqual([]);
    expect(existsSync(join(bin, 'redis-server'))).toBe(false);
  });

  it('where nobody can be asked it says what to type, and does not even try sudo', async () => {
    expect((await missing({ uid: 1000 })).message).toBe(refusal);
    expect(existsSync(sudoLog)).toBe(false);
    expect(existsSync(join(bin, 'redis-server'))).toBe(false);
  });

  it('SESSIONWISE_INSTALL=yes installs and asks nobody', async () => {
    expect((await find({ uid: 1000, ask: answering(false), decided: 'yes' })).path).toBe(join(bin, 'redis-server'));
    expect(asked).toEqual([]);
    expect(said[0]).toContain('installing one with apt-get');
  });

  it('SESSIONWISE_INSTALL=no installs nothing, as root neither', async () => {
    expect((await missing({ uid: 1000, ask: answering(true), decided: 'no' })).line).toBe(line);
    expect((await missing({ uid: 0, decided: 'no' })).line).toBe('apt-get install -y redis-server');
    expect(asked).toEqual([]);
    expect(existsSync(sudoLog)).toBe(false);
    expect(existsSync(join(bin, 'redis-server'))).toBe(false);
  });

  it('another SESSIONWISE_INSTALL is refused, an empty one is none', async () => {
    const error = await missing({ uid: 1000, decided: 'maybe' });
    expect(error.message).toMatch(/SESSIONWISE_INSTALL is "maybe", neither yes nor no\. Type:\n {2}export SESS/);
    expect((await missing({ uid: 1000, decided: '' })).message).toBe(refusal);
  });

  it('as root it asks nobody', async () => {
    script(join(bin, 'apt-get'), installs(join(bin, 'redis-server')));
    await find({ uid: 0, ask: answering(false) });
    expect(asked).toEqual([]);
  });

  it('a password is asked for by nobody: where sudo needs one, it says what to type', async () => {
    script(join(bin, 'sudo'), 'exit 1');
    expect((await missing({ uid: 1000, ask: answering(true) })).message).toBe(refusal);
    expect(asked).toEqual([]);
  });

  it.each([
    ['y', 'y\n', 'found'],
    ['YES', 'YES\n', 'found'],
    ['an empty line', '\n', 'refused'],
    ['what begins with y', 'yellow\n', 'refused'],
    ['Ctrl-C', '\u0003', 'refused'],
    ['Ctrl-D', '\u0004', 'refused'],
  ])('on a real terminal: %s', async (_, typed, outcome) => {
    expect(await onTerminal((terminal) => terminal.stdin.write(typed))).toContain(`outcome: ${outcome}`);
  });

  it('on a real terminal: SIGTERM while it asks', async () => {
    const output = await onTerminal(() => {
      for (const { pid, command } of processesNaming(`${root}/usr`)) {
        if (command.startsWith(process.execPath)) process.kill(pid, 'SIGTERM');
      }
    });
    expect(output).toContain('outcome: refused');
  });

  /** Runs the search on a terminal of its own, and `act` when it asks. All that it wrote. */
  async function onTerminal(act: (terminal: ChildProcessByStdio<Writable, Readable, null>) => void): Promise<string> {
    const options = JSON.stringify({ root, uid: 1000, env: { PATH: bin } });
    const program = join(root, 'search.mjs');
    writeFileSync(
      program,
      `import { findRedisServer } from ${JSON.stringify(new URL('../../../dist/redis/embedded/find-redis-server.js', import.meta.url).href)};
       const outcome = await findRedisServer(${options}).then(() => 'found', ({ line }) => line && 'refused');
       console.log('outcome: ' + outcome);`,
    );
    const command = `'${process.execPath}' '${program}' '${root}/usr'`;
    const terminal = spawn(TERMINAL, ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    let output = '';
    let isAsked = false;
    terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (isAsked || !output.includes('[y/N] ')) return;
      isAsked = true;
      act(terminal);
    });
    await once(terminal, 'close');
    return output;
  }
});

it.each([
  ['dnf', 'install -y valkey', 'sudo dnf install -y valkey || sudo dnf install -y redis'],
  ['apk', 'add --no-cache valkey', 'sudo apk add valkey || sudo apk add redis'],
  ['pacman', '-S --noconfirm --needed valkey', 'sudo pacman -Sy valkey'],
])('the search for a server: installs with %s', async (manager, args, line) => {
  script(join(bin, manager), `[ "$*" = '${args}' ] && ${installs(join(bin, 'valkey-server'))}`);
  expect((await missing({ uid: 1000 })).line).toBe(line);
  expect((await find()).path).toBe(join(bin, 'valkey-server'));
});

it('the search for a server: installs with brew, which refuses root', async () => {
  script(join(bin, 'brew'), `[ "$*" = 'install redis' ] && ${installs(join(bin, 'redis-server'))}`);
  expect((await missing({ uid: 0 })).line).toBe('brew install redis');
  expect((await find({ uid: 501 })).path).toBe(join(bin, 'redis-server'));
});

it('the search for a server: installs nothing where it is told not to, or knows no package manager', async () => {
  expect((await missing()).line).toBe('export SESSIONWISE_REDIS_SERVER=/path/to/redis-server');
  script(join(bin, 'apt-get'), installs(join(bin, 'redis-server')));
  expect((await missing({ install: false })).line).toBe('apt-get install -y redis-server');
  expect(said).toEqual([]);
});
