import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PRIVACY_TESTS } from './privacy-tests.ts';

/* docs/privacy.md says nothing that no test shows: each sentence and each row of a table stands in privacy-promises.txt, a
 * line each, behind the names of the tests that show it, or behind `-` where it promises nothing of the software: it
 * explains, warns or advises. The names stand in privacy-tests.ts, and the tests are there. */

const ROOT = join(import.meta.dirname, '../..');

/** The sentences of a page, and the rows of its tables without their heads. */
function sentencesOf(page: string): string[] {
  const lines = page.replace(/^```[\s\S]*?^```$/gm, '').split('\n');
  return lines.flatMap((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    if (!line.startsWith('|')) return split(line.replace(/^- /, '').replaceAll('**', ''));
    if (/^\|[ |-]+\|$/.test(line) || /^\|[ |-]+\|$/.test(lines[i + 1] ?? '')) return [];
    const cells = line.slice(1, -1).split(/(?<!\\)\|/);
    return [
      cells
        .map((cell) => cell.trim())
        .join(' | ')
        .replaceAll('**', ''),
    ];
  });
}

function split(paragraph: string): string[] {
  return paragraph.split(/(?<=[.!?]\)?)\s+(?=[A-Z(`])/);
}

/** Whether a file has a test of this title: as a literal behind `it`, `it.each` and the like. */
function hasTest(file: string, title: string): boolean {
  const path = join(ROOT, file);
  if (!existsSync(path)) return false;
  const source = readFileSync(path, 'utf8');
  const forms = [JSON.stringify(title), `'${title.replaceAll("'", "\\'")}'`, `\`${title}\``];
  return forms.some((form) => source.includes(form)) && /\bit(\.\w+)?\(/.test(source);
}

const sentences = sentencesOf(readFileSync(join(ROOT, 'docs/privacy.md'), 'utf8'));
const lines = readFileSync(join(import.meta.dirname, 'privacy-promises.txt'), 'utf8')
  .trimEnd()
  .split('\n');
/** The names of the tests, and the sentence, of each line. */
const known = lines.map((line): [names: string[], sentence: string] => {
  const at = line.indexOf(': ');
  return [line.slice(0, at).split(', '), line.slice(at + 2)];
});
const named = Object.values(PRIVACY_TESTS).flatMap((tests) => Object.keys(tests));

describe('docs/privacy.md', () => {
  it('says nothing that is not known as a promise, with its tests, or as none', () => {
    const told = known.map(([, sentence]) => sentence);
    expect(sentences.filter((sentence) => !told.includes(sentence))).toEqual([]);
    expect(told.filter((sentence) => !sentences.includes(sentence))).toEqual([]);
    expect(told).toEqual([...new Set(told)]);
    expect(known.filter(([names]) => names[0] !== '-').length).toBeGreaterThan(80);
  });

  it('promises nothing without a test that is there', () => {
    const isKnown = (name: string): boolean => name === '-' || named.includes(name);
    expect(known.filter(([names]) => names.length === 0 || !names.every(isKnown))).toEqual([]);
    const missing = Object.entries(PRIVACY_TESTS).flatMap(([file, tests]) =>
      Object.values(tests)
        .filter((title) => !hasTest(file, title))
        .map((title) => `${file}: ${title}`),
    );
    expect(missing).toEqual([]);
  });

  it('has a use for each test that is named, and a name for each once', () => {
    const used = known.flatMap(([names]) => names);
    expect(named.filter((name) => !used.includes(name))).toEqual([]);
    expect(named).toEqual([...new Set(named)]);
  });
});

describe('the reader of the page', () => {
  it('takes sentences and rows, and leaves out headings, code and heads of tables', () => {
    const page =
      '# A\n\nOne. **Two** is `b`: c. (Three.)\n\n```sh\nfour\n```\n\n| x | y |\n| --- | --- |\n| **d** | e. F |\n\n- **Five:** six.\n';
    expect(sentencesOf(page)).toEqual(['One.', 'Two is `b`: c.', '(Three.)', 'd | e. F', 'Five: six.']);
  });

  it('knows a test that is not there, and a file that is not', () => {
    const file = 'test/privacy/privacy-page.test.ts';
    const [there, absent] = ['promises nothing without a test that is there', ['no test', 'of this name'].join(' ')];
    expect([hasTest(file, there), hasTest(file, absent), hasTest('test/none.ts', there)]).toEqual([true, false, false]);
  });
});
