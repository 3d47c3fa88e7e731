// Writes the texts of the scripts for pages from their sources: without comments and indentation. A test compares them.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../src/browser/', import.meta.url);

/** The scripts, by the constants that hold their texts. */
export const SCRIPTS = { PAGE_SCRIPT: 'page-script', LIVE_SCRIPT: 'live-script' };

const WHAT = {
  PAGE_SCRIPT: 'Text of the script for pages, as it is served.',
  LIVE_SCRIPT: 'Text of the script for pages that listen, as it is served.',
};

/** Returns the module that holds the text of a script. */
export function textModule(constant) {
  const name = SCRIPTS[constant];
  const source = readFileSync(new URL(`${name}.js`, FOLDER), 'utf8');
  const text = source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .split('\n')
    .map((line) => line.replace(/ {2,}/g, ' ').trim())
    .filter((line) => line !== '' && !line.startsWith('//'))
    .join('\n');
  if (text.includes('\\')) throw new Error(`${name}.js: a backslash cannot stand in its text.`);
  return `/* Made of ${name}.js by \`npm run browser-script\`: change that one. */

/** ${WHAT[constant]} */
export const ${constant}: string = \`${text.replace(/`|\$\{/g, '\\$&')}\`;
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [constant, name] of Object.entries(SCRIPTS)) {
    writeFileSync(new URL(`${name}-text.ts`, FOLDER), textModule(constant));
  }
}
