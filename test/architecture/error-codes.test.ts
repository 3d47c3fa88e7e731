import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, WARNING_CODES } from '../../src/errors/index.ts';

/* `sessionwise/errors` lists all codes, docs/errors.md has an entry for each, and no other code is used. */

const ROOT = join(import.meta.dirname, '../..');
const DOCUMENT = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
const [, WARNINGS = ''] = /^## Warnings\n([\s\S]*?)^## /m.exec(DOCUMENT) ?? [];
const SOURCES = new Map(
  (readdirSync(join(ROOT, 'src'), { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [`src/${file}`, readFileSync(join(ROOT, 'src', file), 'utf8')]),
);

/** The codes in the `code` column of error rows; test/architecture/errors.test.ts compares these with the classes. */
const documentedErrors = DOCUMENT.split('\n')
  .filter((line) => /^\| `\w+Error` \|/.test(line))
  .flatMap((line) => line.split('|')[2]!.match(/\w+/g) ?? []);
const documentedWarnings = [...WARNINGS.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code!);

/** Lines of code with a text, but for comments. */
function linesWith(pattern: RegExp): string[] {
  return [...SOURCES].flatMap(([file, source]) =>
    source
      .split('\n')
      .filter((line) => pattern.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
}

describe('the list of error codes', () => {
  it('is that of docs/errors.md', () => {
    expect(documentedErrors.length).toBeGreaterThan(30);
    expect([...documentedErrors].sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });

  it('is sorted, with one sentence for each', () => {
    expect(Object.keys(ERROR_CODES)).toEqual(Object.keys(ERROR_CODES).sort());
    for (const sentence of Object.values(ERROR_CODES)) expect(sentence).toMatch(/^[A-Z].{10,100}\.$/);
  });
});

describe('the list of warning codes', () => {
  it('is that of docs/errors.md', () => {
    expect(documentedWarnings.length).toBeGreaterThan(2);
    expect([...documentedWarnings].sort()).toEqual(Object.keys(WARNING_CODES).sort());
    for (const sentence of Object.values(WARNING_CODES)) expect(sentence).toMatch(/^[A-Z].{10,100}\.$/);
  });

  it('is that of the code', () => {
    const used = [...SOURCES]
      .filter(([file]) => !file.endsWith('/warning-codes.ts'))
      .flatMap(([, source]) => [...source.matchAll(/'(SESSIONWISE_[A-Z_]+)'/g)].map(([, code]) => code!))
      .filter((code) => !code.startsWith('SESSIONWISE_ARCHIVE') && !code.startsWith('SESSIONWISE_SE'));
    expect([...new Set(used)].sort()).toEqual(Object.keys(WARNING_CODES).sort());
  });

  it('is what every process warning has: all go through one function, which warns once', () => {
    expect(linesWith(/\bemitWarning\(/)).toEqual([
      "src/protocol/warn-once.ts: process.emitWarning(message, { type: 'SessionwiseWarning', code });",
    ]);
  });
});
