import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/* Borders of the adapters: each framework stays in its folder, and our adapters are made of what a third party can
 * import. */

const ROOT = join(import.meta.dirname, '../..');
const FRAMEWORKS: Readonly<Record<string, RegExp>> = {
  express: /^(express|express-session)(\/|$)/,
  fastify: /^(fastify|@fastify\/.+|fastify-plugin)(\/|$)/,
  hono: /^(hono|@hono\/.+)(\/|$)/,
  koa: /^koa(\/|$)/,
  next: /^next(\/|$)/,
};

/** Folders of what adapters share. */
const SHARED = ['http', 'web'];

/** Imports of all files under `src/`, types included, as [file, target]. */
const imports: readonly (readonly [string, string])[] = (
  readdirSync(join(ROOT, 'src'), { recursive: true }) as string[]
)
  .filter((file) => file.endsWith('.ts'))
  .flatMap((name) => {
    const file = `src/${name}`;
    const code = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
    const targets = [...code.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\(\s*|\brequire\(\s*|\)\()'([^']+)'/g)];
    return targets.map(
      ([, target]) => [file, target!.startsWith('.') ? normalize(join(dirname(file), target!)) : target!] as const,
    );
  });
const folders = readdirSync(join(ROOT, 'src/adapters'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !SHARED.includes(entry.name))
  .map(({ name }) => name);

function of(file: string): string | undefined {
  return folders.find((folder) => file.startsWith(`src/adapters/${folder}/`));
}

describe('the adapters', () => {
  it('have a folder for each framework that this test knows', () => {
    expect(folders.sort()).toEqual(Object.keys(FRAMEWORKS).sort());
    // A reader of imports that finds none would find no violation either.
    for (const [folder, names] of Object.entries(FRAMEWORKS)) {
      expect(imports.filter(([file, target]) => of(file) === folder && names.test(target))).not.toEqual([]);
    }
  });

  it('never import each other, nor does what they share import one of them', () => {
    const crossing = imports.filter(
      ([file, target]) => file.startsWith('src/adapters/') && of(target) !== undefined && of(target) !== of(file),
    );
    expect(crossing).toEqual([]);
  });

  it.each(Object.entries(FRAMEWORKS))('%s is imported in its folder only', (folder, names) => {
    expect(imports.filter(([file, target]) => names.test(target) && of(file) !== folder)).toEqual([]);
  });

  it('take from the package what a third party can import: sessionwise/adapter, and the callbacks of async/', () => {
    const own = imports.filter(([file, target]) => of(file) !== undefined && target.startsWith('src/'));
    const other = own.filter(
      ([file, target]) =>
        target !== 'src/adapters/index.ts' &&
        target !== 'src/async/index.ts' &&
        !target.startsWith(`src/adapters/${of(file)}/`),
    );
    expect(other).toEqual([]);
  });

  it('share no type of Node’s requests: headers and bodies come as values and functions', () => {
    const shared = imports.filter(([file]) => file.startsWith('src/adapters/') && of(file) === undefined);
    expect(shared.filter(([, target]) => /^node:(http|https|http2|net)$/.test(target))).toEqual([]);
  });
});
