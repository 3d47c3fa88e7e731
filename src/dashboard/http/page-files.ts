import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';

/** A file that browsers load. */
export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  /** Whether it is served before a login. */
  readonly isPublic: boolean;
}

const FOLDER = join(__dirname, '../page');
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const PUBLIC = ['style.css', 'theme.js', 'login.js', 'icon.svg'];
const PLOT = { 'uPlot.js': 'uPlot.iife.min.js', 'uPlot.css': 'uPlot.min.css' };

/** Reads all files of the pages, by their names. A request can name no other file: none is looked for on disk later. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  const add = (name: string, body: Buffer): void => {
    const type = TYPES[extname(name)];
    if (type !== undefined) files.set(name, { type, body, isPublic: PUBLIC.includes(name) });
  };
  for (const name of readdirSync(FOLDER)) add(name, readFileSync(join(FOLDER, name)));
  const plot = join(createRequire(__filename).resolve('uplot'), '..');
  for (const [name, file] of Object.entries(PLOT)) add(name, readFileSync(join(plot, file)));
  return files;
}
