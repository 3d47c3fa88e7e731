// Completes dist/ after both runs of tsc: says which module system each part has, writes the ESM doors, copies the pages of
// the dashboard, and sets the executable bit that `npx sessionwise` and a packed tarball need.
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../', import.meta.url);
const require = createRequire(import.meta.url);

write('dist/package.json', '{ "type": "commonjs" }\n');
write('dist/cli/package.json', '{ "type": "module" }\n');
chmodSync(new URL('dist/cli/main.js', ROOT), 0o755);

// Scripts and styles of pages are served as they are.
cpSync(new URL('src/dashboard/page', ROOT), new URL('dist/dashboard/page', ROOT), {
  recursive: true,
  filter: (source) => !source.endsWith('tsconfig.json'),
});

const { exports: doors } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
for (const door of Object.values(doors)) if (typeof door === 'object') writeDoor(door);

/** Writes the ESM module of a subpath: the same exports as its CommonJS module, of which there is one copy a process. The
 *  names are written out, because an `export *` of CommonJS gives what Node guesses from its text. */
function writeDoor({ import: esm, default: commonjs }) {
  const names = Object.keys(require(fileURLToPath(new URL(commonjs.default, ROOT)))).sort();
  const target = `./${basename(commonjs.default)}`;
  write(esm.default, `export {\n${names.map((name) => `  ${name},\n`).join('')}} from '${target}';\n`);
  write(esm.types, `export * from '${target}';\n`);
}

function write(file, text) {
  writeFileSync(new URL(file, ROOT), text);
}
