import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/* Each room of src/ has a door, its index.ts: other rooms import that and no file behind it. A room whose index.ts is a
 * public subpath has a second door for our own rooms (`internal/`), and a part that few need, or that is heavy, one of its
 * own (`redis/embedded/`, `transport/service/`, `sessions/maintenance/`). Tests may import any file. */

const ROOT = join(import.meta.dirname, '../..');
const ROOMS = [
  ...[
    'adapters',
    'archive',
    'async',
    'browser',
    'cli',
    'client',
    'consumers',
    'dashboard',
    'discover',
    'doctor',
    'errors',
    'live',
    'protocol',
    'redis',
    'rule-files',
    'rules',
    'service',
    'sessions',
    'knowledge',
  ],
  'transport',
];
/** Rooms within a room: for other rooms and for each other. */
const INNER_ROOMS = ['adapters/express', 'adapters/fastify', 'adapters/hono', 'adapters/koa', 'adapters/next'];

/** The room that a file is in; '' for `src/index.ts`, which is a door of all. */
function roomOf(file: string): string {
  const parts = file.replace(/^src\//, '').split('/');
  const inner = parts.slice(0, 2).join('/');
  if (parts.length > 2 && INNER_ROOMS.includes(inner)) return inner;
  return parts.length > 1 ? parts[0]! : '';
}

function isDoor(file: string): boolean {
  const [, , ...inner] = file.split('/');
  return inner.at(-1) === 'index.ts' && inner.length <= 2;
}

/** `file -> target` for each import of one of our own files. */
function importsOf(file: string, source: string): { file: string; target: string }[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const targets = [...code.matchAll(/(?:\bfrom|^\s*import|\bimport\()\s*['"](\.[^'"]+)['"]/gm)];
  return targets.map(([, target]) => ({ file, target: normalize(join(dirname(file), target!)) }));
}

function passDoors(imports: readonly { file: string; target: string }[]): string[] {
  return imports
    .filter(({ file, target }) => target.startsWith('src/') && roomOf(target) !== roomOf(file) && !isDoor(target))
    .map(({ file, target }) => `${file} -> ${target}`);
}

const files = (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/${file}`);
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), 'utf8')));

describe('the reader of doors', () => {
  it('sees what passes a door, in every form of an import', () => {
    const source = [
      "import { a } from '../redis/keys.ts';",
      "import type { B } from '../protocol/check-options.ts';",
      "export { c } from '../sessions/archive/archiver.ts';",
      "import '../transport/streams/index-of.ts';",
      "const d = await import('../service/metrics.ts');",
      "import {\n  e,\n} from '../redis/cluster/nodes/index.ts';",
      "// import { f } from '../redis/keys.ts';",
    ].join('\n');
    expect(passDoors(importsOf('src/client/x.ts', source)).map((line) => line.split(' -> ')[1])).toEqual([
      'src/redis/keys.ts',
      'src/protocol/check-options.ts',
      'src/sessions/archive/archiver.ts',
      'src/transport/streams/index-of.ts',
      'src/service/metrics.ts',
      'src/redis/cluster/nodes/index.ts',
    ]);
  });

  it('lets doors and files of the same room through', () => {
    const source = [
      "import { a } from '../redis/index.ts';",
      "import { b } from '../redis/embedded/index.ts';",
      "import { c } from './wait-budget.ts';",
    ].join('\n');
    expect(passDoors(importsOf('src/client/x.ts', source))).toEqual([]);
  });

  it('keeps one adapter from the files of another', () => {
    const source = "import { a } from '../express/session-store.ts';";
    expect(passDoors(importsOf('src/adapters/fastify/x.ts', source))).toHaveLength(1);
  });
});

describe('the doors', () => {
  it('are there for every room', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => room !== '').sort()).toEqual(
      [...ROOMS, ...INNER_ROOMS].sort(),
    );
    const withoutDoor = [...ROOMS, ...INNER_ROOMS].filter((room) => !files.includes(`src/${room}/index.ts`));
    // Nothing imports the command line.
    expect(withoutDoor).toEqual(['cli']);
  });

  it('are what other rooms import, and no file behind them', () => {
    expect(imports.length).toBeGreaterThan(300);
    expect(passDoors(imports)).toEqual([]);
  });
});
