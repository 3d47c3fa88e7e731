import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/* Two things that one part of the code knows and the rest does not: how a key is written, and whether Redis is a Cluster.
 * Read off the sources, without comments. */

const ROOT = join(import.meta.dirname, '../..');

/** The lines of a source, without its comments; a line's number is its index. */
function codeOf(source: string): string[] {
  const blank = (comment: string) => comment.replace(/[^\n]/g, '');
  return source
    .replace(/\/\*[\s\S]*?\*\//g, blank)
    .replace(/^\s*\/\/.*$/gm, '')
    .split('\n');
}

const sources = new Map(
  (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [`src/${file}`, codeOf(readFileSync(join(ROOT, 'src', file), 'utf8'))]),
);

/** `file:line: text` for every line that a pattern finds. */
function linesWith(pattern: RegExp, isAllowed: (file: string) => boolean): string[] {
  return [...sources]
    .filter(([file]) => !isAllowed(file))
    .flatMap(([file, lines]) =>
      lines.flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
    );
}

describe('the reader of sources', () => {
  it('leaves comments out and keeps the numbers of lines', () => {
    expect(codeOf("/* isCluster\n */ const a = 1;\n  // isCluster\nconst b = '//';")).toEqual([
      '',
      ' const a = 1;',
      '',
      "const b = '//';",
    ]);
    expect(sources.size).toBeGreaterThan(50);
  });
});

describe('whether Redis is a Cluster', () => {
  const ROOMS = ['redis', 'sessions/cluster', 'sessions/lua', 'sessions/connection'];
  /** Scripts of two forms, which `sessions/lua` puts together: there the word stands in the text of a script. */
  const FORMS = ['src/sessions/operations/scripts/', 'src/sessions/users/scripts/'];

  it('is asked in the rooms below only; elsewhere a capability says what follows from it', () => {
    const isAllowed = (file: string) =>
      ROOMS.some((room) => file.startsWith(`src/${room}/`)) || FORMS.some((folder) => file.startsWith(folder));
    expect(linesWith(/\bisCluster\b/, isAllowed)).toEqual([]);
    expect(linesWith(/\bisCluster\b/, () => false).length).toBeGreaterThan(10);
  });
});

describe('the text of keys', () => {
  const KEYS = ['src/redis/keys.ts', 'src/redis/keys-lua.ts'];
  /** The prefix of channels and of reply lists is part of the wire, for clients in any language. */
  const WIRE = 'src/protocol/namespace.ts';
  /** A hash tag, the name of a key that is no session's (`:@due`), or a text that begins with a namespace: in TypeScript
   *  and in Lua. */
  const KEY_TEXT = /:\{[^'"]*\}:|:@[a-z]|\$\{(?:[\w#]+\.)*(?:namespace|ns)\}:|\b(?:namespace|ns) \.\. ?\\?['"]:/;

  it.each([
    ['a hash tag', `\`\${ns}:{\${tag}}:x\``, true],
    ['the name of a key of a partition', "prefix + ':@due'", true],
    ['a key of a namespace', `\`\${this.#keys.namespace}:meta\``, true],
    ['a key in Lua', "return ns .. ':meta'", true],
    ['a call of keys.ts', "partition_key(ns, tag, 'due')", false],
    ['an import', "import { x } from '@redis/client';", false],
  ])('is seen: %s', (_, text, isSeen) => {
    expect(KEY_TEXT.test(text)).toBe(isSeen);
  });

  it('stands in keys.ts and keys-lua.ts only', () => {
    expect(linesWith(KEY_TEXT, (file) => KEYS.includes(file) || file === WIRE)).toEqual([]);
    expect(linesWith(KEY_TEXT, (file) => !KEYS.includes(file)).length).toBeGreaterThan(10);
  });
});
