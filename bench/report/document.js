import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BLOCKS } from './blocks.js';
import { Figures } from './figures.js';
import { GRAPHS } from './graphs.js';

/* document.js: the documents with figures. Their sentences are written there; what stands between `<!-- bench: NAME -->` and
 * `<!-- /bench -->` is drawn from results, and so are the graphs of docs/performance.md. */

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));
/** The documents of docs/ in which something is drawn. */
export const DOCUMENTS = ['performance.md', 'operations.md', 'architecture.md'];
const NOT_YET = 'Not measured yet.';
const MARK = /(<!-- bench: ([\w /.-]+) -->)([\s\S]*?)(<!-- \/bench -->)/g;

/** A document as it stands. */
export function readDocument(name) {
  return readFileSync(join(DOCS, name), 'utf8');
}

/** A document's text with all that is drawn drawn anew. @throws for a mark that names nothing */
export function drawText(text, results) {
  const figures = results && new Figures(results);
  return text.replace(MARK, (_, begin, name, before, end) => {
    const isBlock = before.includes('\n');
    const drawn = figures ? drawOne(name, figures) : NOT_YET;
    return isBlock ? `${begin}\n\n${drawn}\n\n${end}` : `${begin}${drawn}${end}`;
  });
}

function drawOne(name, figures) {
  const [block, ...given] = name.split(' ');
  if (!(block in BLOCKS)) throw new Error(`A document names "${name}", of which there is nothing.`);
  return BLOCKS[block](figures, ...given);
}

/** All graphs, by their files' names. */
export function drawGraphs(results) {
  if (!results) return {};
  const figures = new Figures(results);
  return Object.fromEntries(Object.entries(GRAPHS).map(([name, draw]) => [`${name}.svg`, draw(figures)]));
}

/** Draws all documents and their graphs anew. */
export function drawDocuments(results) {
  for (const name of DOCUMENTS) writeFileSync(join(DOCS, name), drawText(readDocument(name), results));
  const folder = join(DOCS, 'performance');
  mkdirSync(folder, { recursive: true });
  for (const [name, svg] of Object.entries(drawGraphs(results))) writeFileSync(join(folder, name), svg);
}
