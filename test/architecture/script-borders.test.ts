import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/* Where scripts of Redis may stand, and which room of sessions/ may import which: read off the sources. */

const ROOT = join(import.meta.dirname, '../..');
const SOURCES = new Map(
  (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [`src/${file}`, readFileSync(join(ROOT, 'src', file), 'utf8')]),
);
const SESSIONS = [...SOURCES].filter(([file]) => file.startsWith('src/sessions/'));

const SCRIPT_FILE = /\/scripts\/[\w-]+\.ts$|-(lua|scripts?)\.ts$/;
const SCRIPT_CODE = /\bredis\.p?call\(|\bdefine(?:Script|Lua)\(|\bnew Script\b/;
const COMPARED = /[=!]==? -\d|-\d+ [=!]==? |\bcase -\d/;
/** They define what a script is. */
const DEFINITIONS = ['define-script', 'lua-text', 'script'].map((name) => `src/redis/${name}.ts`);

function isScriptFile(file: string): boolean {
  return SCRIPT_FILE.test(file);
}

describe('scripts', () => {
  it('stand in script files only', () => {
    const found = [...SOURCES].filter(([, source]) => SCRIPT_CODE.test(source)).map(([file]) => file);
    expect(found.length).toBeGreaterThan(20);
    expect(found.filter((file) => !isScriptFile(file) && !DEFINITIONS.includes(file))).toEqual([]);
  });

  it('of sessions answer statuses by name: no other file compares a negative number', () => {
    const comparing = SESSIONS.filter(([file]) => !isScriptFile(file)).flatMap(([file, source]) =>
      source.split('\n').flatMap((line) => (COMPARED.test(line) ? [`${file}: ${line.trim()}`] : [])),
    );
    expect(comparing).toEqual([]);
  });

  it('of sessions have one meaning for each negative status, and one number for each name', () => {
    const pairs = SESSIONS.flatMap(([, source]) =>
      [...source.matchAll(/(?:statuses: |const STATUSES = )\{([^}]+)\}/g)].flatMap(([, table]) =>
        [...table!.matchAll(/(\w+): (-\d+)/g)].map(([, name, number]) => `${number} ${name}`),
      ),
    );
    const kinds = [...new Set(pairs)];
    const repeated = (words: readonly string[]) => words.filter((word, i) => words.indexOf(word) !== i);
    expect(kinds.length).toBeGreaterThan(4);
    expect(repeated(kinds.map((kind) => kind.split(' ')[0]!))).toEqual([]);
    expect(repeated(kinds.map((kind) => kind.split(' ')[1]!))).toEqual([]);
  });
});

/** The rooms of sessions/, the lowest first: a room imports only itself and those of earlier lines. `record` lies below
 *  `lua`, because the scripts' texts are written with the record's layout, which stands in record-header.ts. */
const ROOMS = [
  ['errors', 'tokens'],
  ['record'],
  ['lua', 'options', 'connection'],
  ['cluster'],
  ['expiry'],
  ['operations', 'archive'],
  ['users'],
  ['mirror'],
  ['subjects'],
  ['session-data'],
  ['index'],
];

/** A file beside the folders is a room of its own, or belongs to that of its subject. */
function roomOf(file: string): string {
  const [name] = file.replace('src/sessions/', '').replace(/\.ts$/, '').split('/') as [string];
  if (ROOMS.flat().includes(name)) return name;
  if (name.endsWith('-error')) return 'errors';
  return ['known-options', 'archived-session'].includes(name) ? 'options' : 'session-data';
}

function levelOf(file: string): number {
  return ROOMS.findIndex((rooms) => rooms.includes(roomOf(file)));
}

describe('the rooms of sessions/', () => {
  it('import only those below them, types included', () => {
    const imports = SESSIONS.flatMap(([file, source]) =>
      [...source.matchAll(/^(?:import|export)\s[^;'"]*?from\s+'(\.[^']+)'/gm)]
        .map(([, target]) => ({ file, target: normalize(join(dirname(file), target!)) }))
        .filter(({ target }) => target.startsWith('src/sessions/')),
    );
    expect(imports.length).toBeGreaterThan(100);
    const upwards = imports.filter(
      ({ file, target }) => roomOf(file) !== roomOf(target) && levelOf(file) <= levelOf(target),
    );
    expect(upwards.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
  });
});
