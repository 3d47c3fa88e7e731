import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/* The borders of design.md, read off the import lines. */

const ROOT = join(import.meta.dirname, '../..');

/** What a file imports: paths of our own files as `src/...`, names of everything else. */
interface Imports {
  /** At run time: `import type` leaves nothing behind. */
  readonly running: readonly string[];
  /** Of these, what is loaded by a call and not with the module. */
  readonly lazy: readonly string[];
  readonly all: readonly string[];
}

function readImports(file: string, source: string): Imports {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found: { target: string; isType: boolean; isLazy?: boolean }[] = [];
  for (const [, type, target] of code.matchAll(/^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+['"]([^'"]+)['"]/gm)) {
    found.push({ target: target!, isType: type !== undefined });
  }
  for (const [, target] of code.matchAll(/^\s*import\s+['"]([^'"]+)['"]/gm))
    found.push({ target: target!, isType: false });
  for (const [, target] of code.matchAll(/(?<!typeof )\b(?:import|require)\(\s*['"]([^'"]+)['"]/g)) {
    found.push({ target: target!, isType: false, isLazy: true });
  }
  const resolve = (target: string) => (target.startsWith('.') ? normalize(join(dirname(file), target)) : target);
  return {
    all: found.map(({ target }) => resolve(target)),
    running: found.filter(({ isType }) => !isType).map(({ target }) => resolve(target)),
    lazy: found.filter(({ isLazy }) => isLazy).map(({ target }) => resolve(target)),
  };
}

const sources = new Map(sourceFiles().map((file) => [file, readImports(file, readFileSync(join(ROOT, file), 'utf8'))]));

function sourceFiles(): string[] {
  return (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file}`);
}

/** All that running `entry` loads: our files, and other packages by name. `atOnce`: without what only a call loads. */
function closureOf(entry: string, atOnce = false): { files: Set<string>; packages: Set<string> } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    const { running, lazy }: Omit<Imports, 'all'> = sources.get(file) ?? { running: [], lazy: [] };
    for (const target of atOnce ? running.filter((each) => !lazy.includes(each)) : running) {
      if (target.startsWith('src/')) files.add(target);
      else if (!isBuiltin(target)) packages.add(target);
    }
  }
  return { files, packages };
}

function isBuiltin(name: string): boolean {
  return name.startsWith('node:') || builtinModules.includes(name);
}

/** `file -> target` for every import of a folder's files that is not allowed. */
function violations(folder: string, isAllowed: (target: string) => boolean): string[] {
  return [...sources]
    .filter(([file]) => file.startsWith(`src/${folder}/`))
    .flatMap(([file, { all }]) => all.filter((target) => !isAllowed(target)).map((target) => `${file} -> ${target}`));
}

describe('the reader of imports', () => {
  it('sees every form of an import, and tells types from code', () => {
    const source = [
      "import a from './a.ts';",
      "import { type B, b } from '../b/index.ts';",
      "import type { C } from './c.ts';",
      "export { d } from './d.ts';",
      "export type { E } from './e.ts';",
      "import 'f';",
      "export * from 'node:g';",
      'const h = await import("h");',
      "import {\n  i,\n  type I,\n} from 'i';",
      "// import j from 'j';",
      "/* import k from 'k'; */",
      "function l(): Promise<typeof import('l')> {}",
    ].join('\n');
    expect(readImports('src/x/y.ts', source)).toEqual({
      all: ['src/x/a.ts', 'src/b/index.ts', 'src/x/c.ts', 'src/x/d.ts', 'src/x/e.ts', 'node:g', 'i', 'f', 'h'],
      running: ['src/x/a.ts', 'src/b/index.ts', 'src/x/d.ts', 'node:g', 'i', 'f', 'h'],
      lazy: ['h'],
    });
  });

  it('finds every file that is imported', () => {
    const missing = [...sources.values()].flatMap(({ all }) =>
      all.filter((target) => target.startsWith('src/') && !sources.has(target)),
    );
    expect(missing).toEqual([]);
    expect(sources.size).toBeGreaterThan(50);
    expect(sources.get('src/index.ts')!.all.length).toBeGreaterThan(3);
  });
});

describe('the borders', () => {
  it('protocol imports nothing of ours', () => {
    expect(violations('protocol', (target) => target.startsWith('src/protocol/') || isBuiltin(target))).toEqual([]);
  });

  it('client and service never import each other, nor through somebody else', () => {
    expect(violations('client', (target) => !target.startsWith('src/service/'))).toEqual([]);
    expect(violations('service', (target) => !target.startsWith('src/client/'))).toEqual([]);
    expect(
      [...closureOf('src/client/session-client.ts').files].filter((file) => file.startsWith('src/service/')),
    ).toEqual([]);
    expect([...closureOf('src/service/index.ts').files].filter((file) => file.startsWith('src/client/'))).toEqual([]);
  });

  it('only redis/ imports the driver', () => {
    const driven = [...sources].filter(([, { all }]) =>
      all.some((name) => /^(redis|@redis\/.*|ioredis)(\/|$)/.test(name)),
    );
    expect(driven.map(([file]) => file)).toEqual(['src/redis/node/driver.ts']);
  });

  it('what lies below knows nothing of what lies above', () => {
    const within = (folders: string[]) => (target: string) =>
      !target.startsWith('src/') || folders.some((folder) => target.startsWith(`src/${folder}/`));
    expect(violations('browser', within(['browser']))).toEqual([]);
    expect(violations('async', within(['async']))).toEqual([]);
    expect(violations('redis', within(['redis', 'protocol', 'async']))).toEqual([]);
    expect(violations('knowledge', within(['knowledge', 'redis', 'protocol', 'async']))).toEqual([]);
    expect(violations('discover', within(['discover', 'protocol']))).toEqual([]);
    expect(violations('rules', within(['rules', 'protocol', 'knowledge']))).toEqual([]);
    expect(violations('transport', within(['transport', 'redis', 'protocol', 'async']))).toEqual([]);
    expect(violations('live', within(['live', 'client', 'redis', 'protocol', 'async']))).toEqual([]);
    expect(violations('consumers', within(['consumers', 'redis', 'protocol', 'async']))).toEqual([]);
    expect(violations('sessions', within(['sessions', 'consumers', 'redis', 'protocol', 'async']))).toEqual([]);
    expect(violations('archive', within(['archive', 'sessions', 'protocol']))).toEqual([]);
    expect(violations('adapters/http', within(['adapters/http', 'browser', 'protocol', 'client']))).toEqual([]);
  });

  it('rules are pure: of knowledge they take types only, and they load nothing of Redis', () => {
    const { files, packages } = closureOf('src/rules/index.ts');
    const others = [...files].filter((file) => !/^src\/(rules|protocol)\//.test(file));
    expect([others, [...packages]]).toEqual([[], []]);
    expect(files.size).toBeGreaterThan(10);
  });

  it.each([
    'src/index.ts',
    'src/adapters/index.ts',
    ...['express', 'fastify', 'hono', 'koa', 'next'].map((name) => `src/adapters/${name}/index.ts`),
  ])('%s pulls in the driver and nothing heavy', (entry) => {
    const { files, packages } = closureOf(entry, true);
    // Not `redis`: it adds four clients of modules, which nothing here uses.
    const light = entry.startsWith('src/adapters/') ? ['@redis/client', 'isbot'] : ['@redis/client'];
    expect([...packages].filter((name) => !light.includes(name))).toEqual([]);
    expect(files.size).toBeGreaterThan(1);
    const heavy = ['service', 'knowledge', 'cli'];
    expect([...files].filter((file) => heavy.some((folder) => file.startsWith(`src/${folder}/`)))).toEqual([]);
    expect([...files].filter((file) => file.includes('embedded') || file.includes('find-redis-server'))).toEqual([]);
  });

  it('an adapter reaches the service by one call in one file, and the client never', () => {
    const reaching = [...sources].filter(([file, { running }]) => {
      const isServing = file === 'src/index.ts' || /^src\/(adapters|client)\//.test(file);
      return isServing && running.some((target) => /^src\/(service|knowledge|cli)\//.test(target));
    });
    expect(reaching.map(([file, { running }]) => [file, running])).toEqual([
      ['src/adapters/load-service.ts', ['src/service/index.ts']],
    ]);
    expect(sources.get('src/adapters/load-service.ts')!.lazy).toEqual(['src/service/index.ts']);
  });

  it('src/protocol/index.ts pulls in nothing at all', () => {
    expect([...closureOf('src/protocol/index.ts').packages]).toEqual([]);
  });

  it('what is imported is a dependency, a peer or of Node', () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const declared = Object.keys({ ...dependencies, ...peerDependencies });
    const used = [...sources.values()].flatMap(({ running }) =>
      running
        .filter((name) => !name.startsWith('src/') && !isBuiltin(name))
        .map((name) => name.match(/^(@[^/]+\/)?[^/]+/)![0]),
    );
    expect(used.filter((name) => !declared.includes(name))).toEqual([]);
  });
});
