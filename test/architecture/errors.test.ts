import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SessionwiseError } from '../../src/protocol/index.ts';

/* Errors: each extends SessionwiseError, lies in a file of its own, has codes that no other has, stands in docs/errors.md,
 * and can be imported from every subpath whose documentation names it behind a `@throws`. */

const ROOT = join(import.meta.dirname, '../..');
/** What a `@throws` may name without an export: bad arguments, and JavaScript's own. */
const BUILT_IN = ['Error', 'RangeError', 'SyntaxError', 'TypeError'];

const sources = new Map<string, string>(
  (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [`src/${file}`, readFileSync(join(ROOT, 'src', file), 'utf8')] as const),
);

interface ErrorClass {
  readonly name: string;
  readonly file: string;
  readonly parent: string;
  readonly codes: readonly string[];
  readonly statuses: readonly string[];
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '');
}

/** The error classes of a source file. */
function errorClassesIn(file: string, source: string): ErrorClass[] {
  return [...source.matchAll(/^(?:export )?(?:abstract )?class (\w+) extends (\w*Error)\b[\s\S]*?^\}/gm)].map(
    ([text, name, parent]) => {
      const given = /\breadonly code(?:: ([^=;]+))?(?: = ('\w+'))?;/.exec(text);
      const alias = given?.[1]?.trim().match(/^\w+$/)?.[0];
      const type = alias
        ? new RegExp(`type ${alias} =([^;]+);`).exec(withoutComments(source))?.[1]
        : (given?.[1] ?? given?.[2]);
      const status = /\breadonly status\??(?:: ([^=;]+))?(?: = (\d+))?;/.exec(text);
      return {
        name: name!,
        file,
        parent: parent!,
        codes: [...(type ?? '').matchAll(/'([^']*)'/g)].map(([, code]) => code!),
        statuses: (status?.[1] ?? status?.[2] ?? '').match(/\d+/g) ?? [],
      };
    },
  );
}

const classes = [...sources]
  .flatMap(([file, source]) => errorClassesIn(file, source))
  .filter(({ name }) => name !== 'SessionwiseError');
const classNamed = new Map(classes.map((one) => [one.name, one]));

const { exports: subpaths } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { default: { default: string } }>;
};
const modules = Object.entries(subpaths).flatMap(([subpath, target]) =>
  typeof target === 'string'
    ? []
    : [[subpath, target.default.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts')] as const],
);

/** The names that a file passes on, each with the file that they come from and their name there. */
function passedOn(file: string): Map<string, { from: string; as: string }> {
  const source = sources.get(file) ?? '';
  const found = new Map<string, { from: string; as: string }>();
  const lists = source.matchAll(/^(import|export) (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm);
  for (const [, , names, target] of lists) {
    for (const name of names!.split(',').map((each) => each.trim().replace(/^type /, ''))) {
      const [as, alias = as] = name.split(' as ');
      if (as) found.set(alias!, { from: normalize(join(dirname(file), target!)), as });
    }
  }
  return found;
}

/** The text of an exported declaration with its documentation, wherever it lies. */
function declarationOf(file: string, name: string): string {
  const source = sources.get(file) ?? '';
  const kinds = 'class|interface|function|const|type';
  const start = new RegExp(
    `(?:/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)?^export (?:abstract |async )*(${kinds}) ${name}\\b`,
    'm',
  ).exec(source);
  if (start) {
    const rest = source.slice(start.index + start[0].length);
    const hasMembers = start[1] === 'class' || start[1] === 'interface' || start[1] === 'type';
    const body = hasMembers ? rest.slice(0, rest.search(/^\}|;$/m) < 0 ? rest.length : endOf(rest)) : '';
    return start[0] + body;
  }
  const origin = passedOn(file).get(name);
  if (!origin) throw new Error(`${file} exports ${name}, and it is found nowhere.`);
  return declarationOf(origin.from, origin.as);
}

// Formatted code: a declaration of several lines ends with the first brace that begins one.
function endOf(text: string): number {
  const firstLine = text.slice(0, text.indexOf('\n'));
  return firstLine.endsWith('{') ? text.search(/^\}/m) : firstLine.length;
}

/** The errors that the `@throws` of a declaration name; those of private members count for nobody. */
function thrownBy(declaration: string): string[] {
  return [...declaration.matchAll(/\/\*\*([\s\S]*?)\*\/\s*(#?)/g)]
    .filter(([, , isPrivate]) => isPrivate === '')
    .flatMap(([, doc]) => [...doc!.matchAll(/@throws([\s\S]*?)(?=\n\s*\*\s*@|$)/g)])
    .flatMap(([, text]) => text!.match(/\b[A-Z]\w*Error\b|\bError\b/g) ?? [])
    .filter((name) => !BUILT_IN.includes(name));
}

/** The names that an index file exports. */
function namesOf(file: string): string[] {
  return [...sources.get(file)!.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, names]) => names!.split(','))
    .map((name) => name.trim().replace(/^type /, ''))
    .filter((name) => name !== '');
}

describe('the reader of errors', () => {
  it('reads codes and statuses in each form', () => {
    const source = [
      "type Why = 'ONE' | 'TWO';",
      "export class AError extends SessionwiseError {\n  override readonly code = 'A';\n  override readonly status = 503;\n}",
      "class BError extends AError {\n  override readonly code: 'B' | 'C';\n  override readonly status: 409 | 503;\n}",
      'export class CError extends Error {\n  readonly code: Why;\n}',
    ].join('\n');
    expect(
      errorClassesIn('f', source).map(({ name, parent, codes, statuses }) => [name, parent, codes, statuses]),
    ).toEqual([
      ['AError', 'SessionwiseError', ['A'], ['503']],
      ['BError', 'AError', ['B', 'C'], ['409', '503']],
      ['CError', 'Error', ['ONE', 'TWO'], []],
    ]);
  });

  it('finds what a declaration throws, but for its private members', () => {
    const method = declarationOf('src/index.ts', 'SessionData');
    expect(thrownBy(method)).toContain('SessionLimitError');
    expect(
      thrownBy('/** A.\n *  @throws AError, or a\n *  BError.\n *  @returns CError */\nexport function a() {}'),
    ).toEqual(['AError', 'BError']);
    expect(thrownBy('  /** @throws AError, RangeError */\n  #hidden() {}')).toEqual([]);
  });
});

describe('error classes', () => {
  it('extend SessionwiseError, one a file, which has their name', () => {
    expect(classes.length).toBeGreaterThan(25);
    const strangers = classes.filter(({ parent }) => parent !== 'SessionwiseError' && !classNamed.has(parent));
    expect(strangers.map(({ name, parent }) => `${name} extends ${parent}`)).toEqual([]);
    const misplaced = classes.filter(
      ({ name, file }) =>
        !file.endsWith(`/${name.replace(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.ts`) ||
        errorClassesIn(file, sources.get(file)!).length !== 1,
    );
    expect(misplaced.map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
  });

  it('have codes in upper snake case that no other class has', () => {
    const malformed = classes.filter(
      ({ codes }) => codes.length === 0 || codes.some((code) => !/^[A-Z][A-Z_]+$/.test(code)),
    );
    expect(malformed.map(({ name, codes }) => `${name}: ${codes.join(', ')}`)).toEqual([]);
    // A class lists the codes of those that extend it, because TypeScript wants them to be among its own.
    const own = classes.flatMap(({ name, codes }) => {
      const inherited = classes.filter(({ parent }) => parent === name).flatMap((child) => child.codes);
      return codes.filter((code) => !inherited.includes(code));
    });
    expect(own.filter((code, i) => own.indexOf(code) !== i)).toEqual([]);
  });

  it('are what a @throws names, everywhere', () => {
    const unknown = [...sources].flatMap(([file, source]) =>
      thrownBy(source)
        .filter((name) => !classNamed.has(name))
        .map((name) => `${file}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});

describe.each(modules)('the errors of %s', (_, file) => {
  const exported = namesOf(file);

  it('that its documentation names can be imported from it', () => {
    const missing = exported.flatMap((name) =>
      thrownBy(declarationOf(file, name))
        .filter((error) => !exported.includes(error))
        .map((error) => `${error}, which ${name} throws`),
    );
    expect([...new Set(missing)].sort()).toEqual([]);
  });

  it('come with their base, and extend it', async () => {
    const errors = exported.filter((name) => classNamed.has(name));
    if (errors.length > 0) expect(exported).toContain('SessionwiseError');
    const loaded = await import(/* @vite-ignore */ join(ROOT, file));
    const foreign = errors.filter((name) => !(loaded[name].prototype instanceof SessionwiseError));
    expect(foreign).toEqual([]);
  });
});

describe('docs/errors.md', () => {
  const rows = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
    .split('\n')
    .filter((line) => /^\| `\w+Error` \|/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

  it('has a row for every class, with its codes, its status and its subpaths', () => {
    const documented = rows.map(([, name, code, status, from]) => [
      name!.replaceAll('`', ''),
      code!.match(/\w+/g) ?? [],
      status!.match(/\d+/g) ?? [],
      from!.match(/`[^`]+`/g) ?? [],
    ]);
    const defined = classes.map(({ name, codes, statuses }) => [
      name,
      codes.filter((code) => !classes.some((child) => child.parent === name && child.codes.includes(code))),
      statuses,
      modules
        .filter(([, file]) => namesOf(file).includes(name))
        .map(([subpath]) => `\`${subpath.replace('.', 'sessionwise')}\``),
    ]);
    const byName = (a: unknown[], b: unknown[]): number => String(a[0]).localeCompare(String(b[0]));
    expect(documented.sort(byName)).toEqual(defined.sort(byName));
  });

  it('says of each when it occurs and what to do', () => {
    expect(rows.filter((cells) => cells.length !== 8 || !cells[5] || !cells[6]).map(([, name]) => name)).toEqual([]);
  });
});
