// Writes docs/reference/ from the code: the command line from its definitions, the configuration from its schema, options
// from their types, docstrings and checks. `--check` writes nothing and fails where a page is not what the code says.
import { readFileSync, writeFileSync } from 'node:fs';
import { drawCli } from './reference/draw-cli.js';
import { drawConfiguration } from './reference/draw-configuration.js';
import { drawOptions } from './reference/draw-options.js';

const pages = { cli: await drawCli(), configuration: drawConfiguration(), options: await drawOptions() };
const stale = [];
for (const [name, text] of Object.entries(pages)) {
  const file = new URL(`../docs/reference/${name}.md`, import.meta.url);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) stale.push(`docs/reference/${name}.md`);
}
if (stale.length > 0) {
  console.error(`Not what the code says: ${stale.join(', ')}. Type: npm run reference`);
  process.exitCode = 1;
}
