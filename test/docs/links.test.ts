import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, DOCUMENTS, linksOf, ROOT, textOf } from './documents.ts';

/* Links within the documents go somewhere: to a file that is there, and to a heading that it has. */

/** A link as file and anchor; undefined where it leaves the repository. */
function within(file: string, target: string): { path: string; anchor: string } | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(target)) return undefined;
  const [path = '', anchor = ''] = target.split('#');
  return { path: path === '' ? file : normalize(join(dirname(file), decodeURI(path))), anchor };
}

describe('the documents', () => {
  it('are found', () => {
    expect(DOCUMENTS).toEqual(expect.arrayContaining(['README.md', 'docs/README.md', 'docs/protocol.md']));
  });

  it.each(DOCUMENTS)('%s links to what is there', (file) => {
    const broken = linksOf(file).flatMap(({ target, line }) => {
      const goal = within(file, target);
      if (goal === undefined) return [];
      if (!existsSync(join(ROOT, goal.path))) return [`line ${line}: ${target} is not there`];
      if (goal.anchor === '' || !goal.path.endsWith('.md')) return [];
      return anchorsOf(goal.path).has(goal.anchor) ? [] : [`line ${line}: ${target} is no heading`];
    });
    expect(broken).toEqual([]);
  });

  it('each one in docs/ can be reached from the map, docs/README.md', () => {
    const reached = new Set(['docs/README.md']);
    for (const file of reached) {
      for (const { target } of linksOf(file)) {
        const goal = within(file, target)?.path;
        if (goal === undefined || !existsSync(join(ROOT, goal))) continue;
        const page = statSync(join(ROOT, goal)).isDirectory() ? join(goal, 'README.md') : goal;
        // Decisions have a list of their own.
        if (page.endsWith('.md') && (file === 'docs/README.md' || page.startsWith('docs/adr/'))) reached.add(page);
      }
    }
    expect(DOCUMENTS.filter((file) => file.startsWith('docs/') && !reached.has(file))).toEqual([]);
  });

  it('README.md is 7 KB at most, has the map of docs/ and its two commands', () => {
    const text = textOf('README.md');
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(7_000);
    expect(text).toContain('](docs/README.md)');
    for (const command of ['npm ci && npm start', 'npm ci && npm test'])
      expect(text).toContain(`\`\`\`sh\n${command}\n`);
  });

  it('pictures are small', () => {
    const folder = join(ROOT, 'docs/pictures');
    const large = readdirSync(folder).filter((name) => statSync(join(folder, name)).size > 200_000);
    expect(large).toEqual([]);
  });
});
