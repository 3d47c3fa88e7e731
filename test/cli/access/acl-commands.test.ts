import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { type AclOptions, type AclUser, aclUsers } from '../../../src/cli/access/acl-users.ts';
import { REMOTE_TRANSPORT_NAMES } from '../../../src/transport/index.ts';

/* The rules name each command that the code sends, and none that it does not: read off the sources. What is missing here
 * is refused by a Redis with these users; what is too much would be a gift to whoever steals a password. */

const ROOT = join(import.meta.dirname, '../../..');
/** Loaded by all that imports the folder's index, and used by few. */
const OF_OTHERS = ['src/redis/meta.ts', 'src/redis/meta-script.ts', 'src/redis/capabilities.ts'];
/** What finds and keeps connections and runs scripts; it sends what it does for whoever asks. */
const CONNECTIONS = /^src\/redis\/(?!keys|meta|capabilities|redis-clock)/;
const BY_CONNECTIONS = ['ping', 'select', 'asking', 'cluster|slots', 'multi', 'exec', 'eval', 'evalsha'];
const SUBSCRIPTIONS = ['subscribe', 'ssubscribe', 'psubscribe', 'punsubscribe'];
const IMPORT = /^(?:import|export) (?!type )([^;']*?)from '(\.[^']+)'/gm;
const TOOLS = ['notices', 'inspect', 'erase', 'export', 'deadletters'].map((name) => `src/cli/${name}.ts`);
const WITH_PARTS = ['CLIENT', 'COMMAND', 'MEMORY', 'XINFO', 'XGROUP'];

/** The values that a file imports or exports from others: their names, and the file. */
function importsOf(file: string): { readonly names: readonly string[]; readonly target: string }[] {
  return [...readFileSync(join(ROOT, file), 'utf8').matchAll(IMPORT)].map(([, names, target]) => ({
    names: names!
      .replace(/[{}\n]/g, ' ')
      .split(',')
      .map((name) => name.trim().replace(/ as .*$/, ''))
      .filter((name) => name !== '' && !name.startsWith('type ')),
    target: normalize(join(dirname(file), target!)),
  }));
}

/** The files that names come from: of an index that passes on only those behind the names. */
function originsOf(names: readonly string[], target: string): string[] {
  if (!target.endsWith('/index.ts')) return [target];
  const passedOn = importsOf(target);
  return names.flatMap((name) => {
    const origin = passedOn.find((each) => each.names.includes(name));
    return origin ? originsOf([name], origin.target) : [target];
  });
}

/** All files that some of them need. */
function filesOf(...entries: string[]): string[] {
  const files = new Set(entries);
  for (const file of files) {
    for (const { names, target } of importsOf(file)) for (const origin of originsOf(names, target)) files.add(origin);
  }
  return [...files].filter((file) => !CONNECTIONS.test(file));
}

/** The commands that files send: by scripts, alone, or in transactions. */
function commandsIn(files: readonly string[]): string[] {
  const found = files.flatMap((file) => {
    const source = readFileSync(join(ROOT, file), 'utf8');
    return [
      ...source.matchAll(/redis\.p?call\('([A-Z.]+)'(?:, '([A-Z]+)')?/g),
      ...source.matchAll(
        /\b(?:command|commandForBuffers|send)\s*(?:<[^;=]*?>)?\(\s*(?:\.\.\.\[)?'([A-Z]+)'(?:,\s*'([A-Z]+)')?/g,
      ),
      ...source.matchAll(/^\s*\['([A-Z]{3,})', key,/gm),
      ...source.matchAll(/\bcommand = \{ '([A-Z]{3,})', key/g),
    ].map(([, name, part]) => (part && WITH_PARTS.includes(name!) ? `${name}|${part}` : name!).toLowerCase());
  });
  return [...new Set(found)].sort();
}

/** The commands that a user is allowed, whatever the transport. */
function allowed(name: AclUser['name'], options: Omit<AclOptions, 'commands' | 'transport'>): string[] {
  const commands = REMOTE_TRANSPORT_NAMES.flatMap((transport) => {
    const { rules } = aclUsers({ ...options, transport, commands: ['pageview'] }).find((user) => user.name === name)!;
    return rules.flatMap((rule) => [...rule.matchAll(/\+([^\s)]+)/g)].map(([, command]) => command!));
  });
  return [...new Set(commands)].filter((command) => ![...BY_CONNECTIONS, ...SUBSCRIPTIONS].includes(command)).sort();
}

it('the commands of sessionwise acl: the reader of sources sees each form', () => {
  const commands = commandsIn(filesOf('src/service/index.ts', 'src/transport/client/redis-transport.ts'));
  const alone = ['hgetall', 'publish', 'client|id', 'command|info'];
  expect(commands).toEqual(expect.arrayContaining([...alone, 'lpush', 'xread', 'bitfield']));
});

it('the commands of sessionwise acl: the serving layer may send all that it sends', () => {
  const others = [...OF_OTHERS, 'src/redis/keys-lua.ts', 'src/redis/clock.ts'];
  const files = filesOf('src/transport/client/redis-transport.ts').filter((file) => !others.includes(file));
  const sent = commandsIn(files);
  // EXPIRE is for clients in other languages.
  expect(allowed('app', { cluster: true })).toEqual([...sent, 'expire'].sort());
});

it('the commands of sessionwise acl: a serving layer with live streams may send what it sends for them', () => {
  const files = ['live-feed.ts', 'live-hub.ts', 'visitor-stream.ts'].map((file) => `src/live/${file}`);
  // They follow the clock of Redis.
  const streams = commandsIn([...files, 'src/redis/clock.ts']);
  expect(streams).toEqual(['time', 'xrange', 'xread', 'xrevrange']);
  const [without, live] = [false, true].map((live) => allowed('app', { cluster: true, live }));
  expect(live).toEqual([...new Set([...without!, ...streams])].sort());
});

it('the commands of sessionwise acl: the store may send all that it sends', () => {
  const sent = commandsIn(filesOf('src/sessions/index.ts').filter((file) => !OF_OTHERS.includes(file)));
  expect(allowed('store', { store: true, archive: true, mirrorTo: 'sess:', consume: true, cluster: true })).toEqual(
    sent,
  );
});

it('the commands of sessionwise acl: who consumes events may send what that sends, and no other', () => {
  const byConsumers = commandsIn(filesOf('src/consumers/index.ts').filter((file) => !OF_OTHERS.includes(file)));
  expect(byConsumers).toContain('xreadgroup');
  const [without, consuming] = [false, true].map((consume) => allowed('app', { cluster: true, consume }));
  expect(consuming).toEqual([...new Set([...without!, ...byConsumers])].sort());
  const [alone, store] = [false, true].map((consume) => allowed('store', { store: true, cluster: true, consume }));
  expect(store).toEqual([...new Set([...alone!, ...byConsumers])].sort());
});

it('the commands of sessionwise acl: the service, notices, inspect and deadletters may send all that they send', () => {
  const files = filesOf('src/service/index.ts', ...TOOLS);
  expect(allowed('service', { filter: 'native', cluster: true })).toEqual(commandsIn(files));
});
