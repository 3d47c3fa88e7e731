import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { benchModule } from './bench-modules.ts';

/* docs/performance.md, and the marks of other documents, show what the newest file of bench/results/ says: nothing is typed
 * by hand. */

const { DOCUMENTS, drawGraphs, drawText, readDocument } = await benchModule('report/document.js');
const { readNewestResults } = await benchModule('report/results.js');
const { BLOCKS } = await benchModule('report/blocks.js');
const { GRAPHS } = await benchModule('report/graphs.js');

const DOCS = join(import.meta.dirname, '../../docs');
const REMEDY = 'run `npm run bench -- --draw`';
const results = readNewestResults();
const text: string = readDocument('performance.md');
const all: string = DOCUMENTS.map(readDocument).join('\n');

describe.each<string>(DOCUMENTS)('docs/%s', (name) => {
  it('is what the newest results draw', () => {
    const document = readDocument(name);
    expect(drawText(document, results), REMEDY).toBe(document);
    expect(document).toContain('<!-- bench: ');
  });
});

describe('docs/performance.md', () => {
  it('has the graphs that the newest results draw', () => {
    for (const [name, svg] of Object.entries(drawGraphs(results))) {
      expect(readFileSync(join(DOCS, 'performance', name), 'utf8'), REMEDY).toBe(svg);
    }
  });

  it('shows every graph, and no other picture', () => {
    const shown = [...text.matchAll(/!\[[^\]]+\]\(performance\/([\w-]+)\.svg\)/g)].map(([, name]) => name);
    expect(shown.sort()).toEqual(Object.keys(GRAPHS).sort());
    if (results) expect(shown.filter((name) => !existsSync(join(DOCS, 'performance', `${name}.svg`)))).toEqual([]);
  });

  it('and the others show every table that there is, the single figures aside', () => {
    const named = [...all.matchAll(/<!-- bench: ([\w-]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !(name in BLOCKS))).toEqual([]);
    const tables = Object.keys(BLOCKS).filter((name) => name !== 'median' && name !== 'ratio');
    expect(tables.filter((name) => !named.includes(name))).toEqual([]);
  });

  it('names its results, five rounds or more, made without a fault', async () => {
    if (!results) return;
    const { faultsOf } = await benchModule('report/results.js');
    expect(results.rounds).toBeGreaterThanOrEqual(5);
    expect(results.machine.commit).not.toContain('with changes');
    expect(faultsOf(results)).toEqual([]);
  });
});
