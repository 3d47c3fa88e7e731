import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf, DOCUMENTS, ROOT } from './documents.ts';
import { CODE_OF_EXAMPLES } from './treated-elsewhere.ts';
import { CONTEXTS, contextOf, moduleOf } from './typed-blocks.ts';

/* Each piece of JavaScript and TypeScript in the documents compiles in strict TypeScript, as a user would type it. */

const BLOCKS = DOCUMENTS.filter((file) => !CODE_OF_EXAMPLES.includes(file))
  .flatMap(blocksOf)
  .filter(({ language }) => /^[cm]?[jt]s$/.test(language));
const COMPILER_OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  module: 'nodenext',
  target: 'es2023',
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
  noEmit: true,
};

describe('the code in the documents', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-docs-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is there', () => {
    expect(BLOCKS.length).toBeGreaterThan(20);
  });

  it.each(Object.keys(CONTEXTS))('compiles: %s', async (context) => {
    const blocks = BLOCKS.filter((block) => contextOf(block) === context);
    const modules = blocks.map((block) => moduleOf(block, BLOCKS[BLOCKS.indexOf(block) - 1]));
    const errors = await compile(
      context,
      modules.map(({ text, extension }, i) => [`block${i}.${extension}`, text]),
    );
    const placed = errors.map((error) => {
      const [, index, line = '0', rest] = /^block(\d+)\.m[tj]s\((\d+),\d+\): (.*)$/.exec(error) ?? [];
      const block = blocks[Number(index)];
      const inBlock = Number(line) - (modules[Number(index)]?.linesBefore ?? 0);
      return block ? `${block.file}:${block.firstLine + inBlock - 1}: ${rest}` : error;
    });
    expect(placed).toEqual([]);
  });

  it.each(Object.keys(CONTEXTS))('is refused where it is wrong: %s', async (context) => {
    const wrong = context === 'page' ? 'sessionwise.un();' : 'sw.knowlege();';
    expect(await compile(context, [['wrong.mjs', `${wrong}\nexport {};`]])).toEqual([
      expect.stringMatching(/^wrong\.mjs\(1,.*(?:un|knowlege)/),
    ]);
  });

  async function compile(
    context: string,
    modules: readonly (readonly [name: string, text: string])[],
  ): Promise<string[]> {
    const project = mkdtempSync(join(folder, `${context}-`));
    mkdirSync(join(project, 'node_modules', '@types'), { recursive: true });
    for (const name of ['express', 'express-session', 'node', 'passport', 'passport-local', 'ws']) {
      symlinkSync(join(ROOT, 'node_modules/@types', name), join(project, 'node_modules/@types', name));
    }
    for (const name of [
      'fastify',
      '@fastify',
      'express',
      'express-session',
      'passport',
      'passport-local',
      'pg',
      'ws',
    ]) {
      symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name));
    }
    symlinkSync(ROOT, join(project, 'node_modules/sessionwise'));
    writeFileSync(join(project, 'package.json'), '{"name":"site","version":"1.0.0","type":"module"}');
    writeFileSync(join(project, 'context.d.ts'), CONTEXTS[context]!);
    for (const [name, text] of modules) writeFileSync(join(project, name), text);
    const compilerOptions = {
      ...COMPILER_OPTIONS,
      ...(context === 'page' ? { lib: ['es2023', 'dom', 'dom.iterable'], types: [] } : { types: ['node'] }),
    };
    const files = ['context.d.ts', ...modules.map(([name]) => name)];
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { stdout } = await promisify(execFile)(tsc, ['-p', project, '--pretty', 'false'], { cwd: project }).catch(
      (error: { stdout: string }) => error,
    );
    return stdout.split('\n').filter((line) => /^\S/.test(line));
  }
});
