import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/* documents.ts: the Markdown of this repository, as its tests read it. */

export const ROOT: string = join(import.meta.dirname, '../..');

/** A fenced block of a document. */
export interface Block {
  /** The document, from the root of the repository. */
  readonly file: string;
  /** The heading that it stands under. */
  readonly heading: string;
  /** The first word behind the fence. */
  readonly language: string;
  /** Further words behind the fence: readers do not see them, tests do. */
  readonly words: readonly string[];
  /** Number of its first line in the document. */
  readonly firstLine: number;
  readonly text: string;
}

/** A link of a document. */
export interface Link {
  readonly file: string;
  readonly line: number;
  readonly target: string;
}

/** All documents: those that git knows or would add, else (no repository) those that stand where documents do. */
export const DOCUMENTS: readonly string[] = namesOfDocuments()
  .filter((file) => existsSync(join(ROOT, file)))
  .sort();

function namesOfDocuments(): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
  const { status, stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  if (status === 0) return stdout.split('\n').filter((file) => file !== '');
  return ['', 'docs', 'docs/adr', 'docs/recipes', 'docs/reference', 'examples/python', 'examples/shop'].flatMap(
    (folder) => readdirSync(join(ROOT, folder)).flatMap((name) => (name.endsWith('.md') ? [join(folder, name)] : [])),
  );
}

/** The text of a document. */
export function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The fenced blocks of a document, in order. */
export function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: { info: string; firstLine: number; lines: string[] } | undefined;
  for (const [i, line] of textOf(file).split('\n').entries()) {
    const fence = /^ *```(.*)$/.exec(line);
    if (fence && open) {
      const [language = '', ...words] = open.info.split(' ');
      blocks.push({ file, heading, language, words, firstLine: open.firstLine, text: open.lines.join('\n') });
      open = undefined;
    } else if (fence) open = { info: fence[1]!.trim(), firstLine: i + 2, lines: [] };
    else if (open) open.lines.push(line);
    else heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
  }
  if (open) throw new Error(`${file}:${open.firstLine}: the block does not end.`);
  return blocks;
}

/** The lines of a document without those of its fenced blocks, which are empty. */
export function proseOf(file: string): string[] {
  let isCode = false;
  return textOf(file)
    .split('\n')
    .map((line) => {
      const isFence = /^ *```/.test(line);
      if (isFence) isCode = !isCode;
      return isFence || isCode ? '' : line;
    });
}

/** The links and pictures of a document. */
export function linksOf(file: string): Link[] {
  return proseOf(file).flatMap((line, i) => {
    const withoutCode = line.replace(/`[^`]*`/g, (code) => ' '.repeat(code.length));
    const inline = [...withoutCode.matchAll(/\]\(<?([^)>\s]+)>?(?: "[^"]*")?\)/g)];
    const html = [...withoutCode.matchAll(/(?:src|href|srcset)="([^"]+)"/g)];
    return [...inline, ...html].map(([, target]) => ({ file, line: i + 1, target: target! }));
  });
}

/** The names to which a link can go within a document: its headings, as GitHub names them. */
export function anchorsOf(file: string): Set<string> {
  const anchors = new Set<string>();
  for (const line of proseOf(file)) {
    for (const [, id] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id!);
    const heading = /^#+ (.*?)(?: #+)?$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-');
    let name = slug;
    for (let n = 1; anchors.has(name); n += 1) name = `${slug}-${n}`;
    anchors.add(name);
  }
  return anchors;
}
