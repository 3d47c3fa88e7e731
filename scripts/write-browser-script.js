// Writes the text of the script for pages from its source: without comments and indentation. A test compares the two.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../src/browser/', import.meta.url);

/** Returns the module that holds the text of the script. */
export function textModule() {
  const source = readFileSync(new URL('page-script.js', FOLDER), 'utf8');
  const text = source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .split('\n')
    .map((line) => line.replace(/ {2,}/g, ' ').trim())
    .filter((line) => line !== '' && !line.startsWith('//'))
    .join('\n');
  if (/[`\\]|\$\{/.test(text))
    throw new Error('page-script.js: a backtick, a backslash or ${ cannot stand in its text.');
  return `/* Made of page-script.js by \`npm run browser-script\`: change that one. */

/** Text of the script for pages, as it is served. */
export const PAGE_SCRIPT: string = \`${text}\`;
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('page-script-text.ts', FOLDER), textModule());
}
