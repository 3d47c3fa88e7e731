import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, textOf } from './documents.ts';

/* shell-lines.ts: whether a line of a shell in a document says what exists: commands and flags of ours (as docs/reference/cli.md
 * has them, which another test compares with the code), scripts and packages of package.json, files of the repository. */

/** Programs of others that the documents name. They are not run: they change the machine, or belong to it. */
const OF_OTHERS = [
  'export',
  'redis-cli',
  'redis-server',
  'apt-get',
  'cp',
  'grep',
  'xargs',
  'psql',
  'systemctl',
  'docker',
  'git',
  'cd',
  'curl',
  'kill',
  'mkdir',
  'promtool',
  'openssl',
  'useradd',
];

const manifest = JSON.parse(textOf('package.json')) as Record<string, Record<string, string>>;
const PACKAGES = [
  ...Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies }),
  'sessionwise',
  // Of a site of Next; its example brings them.
  'react',
  'react-dom',
];

/** What is wrong with a line; undefined where nothing is. */
export function faultOfLine(line: string): string | undefined {
  for (const command of line.replace(/(?:^|\s)#.*$/, '').split(/ (?:&&|\|\|?) /)) {
    const words = (command.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? []).filter(
      (word, i, all) => !isAssignment(word, i, all),
    );
    const fault = words.length === 0 ? undefined : faultOfCommand(words);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isAssignment(word: string, i: number, all: readonly string[]): boolean {
  return /^[A-Z_]+=/.test(word) && all.slice(0, i).every((before) => /^[A-Z_]+=/.test(before));
}

function faultOfCommand([program = '', ...args]: readonly string[]): string | undefined {
  if (program === 'sudo') return faultOfCommand(args);
  if (program === 'sessionwise') return faultOfOurs(args);
  if (program === 'npx')
    return args[0] === 'sessionwise' ? faultOfOurs(args.slice(1)) : unknownPackages(args.slice(0, 1));
  if (program === 'npm') return faultOfNpm(args);
  if (program === 'node' || program === '/usr/bin/python3') return faultOfFile(args);
  return OF_OTHERS.includes(program) ? undefined : `the program ${program} is none that documents name`;
}

function faultOfNpm([verb = '', ...args]: readonly string[]): string | undefined {
  if (verb === 'run')
    return manifest.scripts?.[args[0] ?? ''] === undefined ? `npm run ${args[0]} is no script` : undefined;
  if (verb === 'install' || verb === 'i') return unknownPackages(args.filter((arg) => !arg.startsWith('-')));
  return ['ci', 'test', 'start', 'init', 'pkg', 'pack'].includes(verb) ? undefined : `npm ${verb} is not known here`;
}

function unknownPackages(names: readonly string[]): string | undefined {
  const unknown = names.filter((name) => !PACKAGES.includes(name.replace(/(?<=.)@[^/]*$/, '')));
  return unknown.length === 0 ? undefined : `${unknown.join(', ')} is no package of package.json`;
}

function faultOfFile(args: readonly string[]): string | undefined {
  const file = args.find((arg) => !arg.startsWith('-'));
  // Programs that documents tell to save, and those of a copied example.
  if (file === undefined || /^(?:site|site\.test)\.mjs$|^start\.js$/.test(file)) return undefined;
  const inPackage = file.replace(/^node_modules\/sessionwise\//, '').replace(/^dist\/(.*)\.js$/, 'src/$1.ts');
  return existsSync(join(ROOT, inPackage)) ? undefined : `${file} is not there`;
}

/** Flags by command, as `notices publish`. */
const COMMANDS = commandsOfReference();

function faultOfOurs(args: readonly string[]): string | undefined {
  if (args.length === 0 || ['--help', '--version'].includes(args[0]!)) return undefined;
  const nested = args.slice(0, 2).join(' ');
  const name = COMMANDS.has(nested) ? nested : args[0]!;
  const flags = COMMANDS.get(name);
  if (flags === undefined) return `sessionwise has no command ${name}`;
  const unknown = args
    .flatMap((arg) => /^--[a-z-]+/.exec(arg)?.[0] ?? [])
    .filter((flag) => !flags.has(flag) && flag !== '--help');
  return unknown.length === 0 ? undefined : `sessionwise ${name} has no ${unknown.join(', ')}`;
}

function commandsOfReference(): Map<string, Set<string>> {
  const sections = textOf('docs/reference/cli.md')
    .split(/^#{2,3} /m)
    .slice(1);
  const flagsOf = (text: string): string[] =>
    [...text.matchAll(/^\| `(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag!);
  const shared = flagsOf(sections.find((text) => text.startsWith('Flags of a namespace\n'))!);
  return new Map(
    sections.map((text) => {
      const name = text.slice(0, text.indexOf('\n'));
      return [name, new Set([...flagsOf(text), ...(text.includes('](#flags-of-a-namespace)') ? shared : [])])];
    }),
  );
}
