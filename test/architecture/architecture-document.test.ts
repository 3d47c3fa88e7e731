import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Keys } from '../../src/redis/index.ts';

/* docs/architecture.md names what is there: the folders of src/ and the keys of a session. */

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENT = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
/** Folders that stand in many others, where the document describes them once. */
const REPEATED = ['scripts', 'internal'];

function sectionOf(heading: string): string {
  return new RegExp(`^## ${heading}\\n([\\s\\S]*?)^## `, 'm').exec(DOCUMENT)![1]!;
}

describe('docs/architecture.md', () => {
  it('names each folder of src/, and no other', () => {
    const section = sectionOf('Folders');
    const folders = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !REPEATED.includes(entry.name))
      .map(({ parentPath, name }) => join(parentPath, name).slice(`${ROOT}/src/`.length));
    expect(folders.length).toBeGreaterThan(20);
    expect(
      folders.filter((folder) => !section.includes(`\`src/${folder}/\``) && !section.includes(`\`${folder}/\``)),
    ).toEqual([]);
    const named = [...section.matchAll(/`src\/([\w/-]+)\/`/g)].map(([, folder]) => folder!);
    expect(named.filter((folder) => !folders.includes(folder))).toEqual([]);
  });

  it('names each key of a session, and no other', () => {
    const keys = new Keys('sw');
    const all = [...keys.all('abc'), keys.record('abc'), keys.recordBefore('abc'), keys.mirrorBase('abc')];
    const rows = [...sectionOf('Keys').matchAll(/^\| (`[^|]+`) \|/gm)].map(([, names]) => names!);
    const named = rows.flatMap((names) => names.replaceAll('`', '').split(', '));
    expect(named.sort()).toEqual(all.map((key) => key.split(':').at(-1)!).sort());
  });
});
