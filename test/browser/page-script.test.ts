import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { browserScript } from '../../src/adapters/index.ts';
import { PAGE_SCRIPT } from '../../src/browser/index.ts';

const MOST_BYTES = 1_500;

describe('the text of the script for pages', () => {
  it('is what its source makes', async () => {
    const { textModule } = (await import(new URL('../../scripts/write-browser-script.js', import.meta.url).href)) as {
      textModule(): string;
    };
    // After a change of the source: npm run browser-script.
    expect(readFileSync(new URL('../../src/browser/page-script-text.ts', import.meta.url), 'utf8')).toBe(textModule());
  });

  it(`is smaller than ${MOST_BYTES} bytes`, () => {
    expect(gzipSync(PAGE_SCRIPT).length).toBeLessThan(MOST_BYTES);
  });

  it('reads and writes nothing that the browser keeps', () => {
    expect(PAGE_SCRIPT).not.toMatch(/cookie|localStorage|sessionStorage|indexedDB|caches\b/i);
  });

  it('holds nothing that a strict policy for contents forbids', () => {
    expect(PAGE_SCRIPT).not.toMatch(/\beval\b|\bFunction\(|innerHTML|document\.write|javascript:|\bimport\b/);
  });
});

describe('browserScript', () => {
  it('serves under another path, with the same content', () => {
    const { src, path, integrity } = browserScript({ path: '/shop/_sw/' });
    expect([path, integrity]).toEqual(['/shop/_sw/', browserScript().integrity]);
    expect(src).toMatch(/^\/shop\/_sw\/[0-9a-f]{16}\.js$/);
  });

  it.each(['', '/', 'sw/', '/sw', '/a b/', '/a"/', '/../', '/a/./', '//', '/ä/'])('refuses the path %j', (path) => {
    expect(() => browserScript({ path })).toThrow(RangeError);
  });

  it('refuses unknown options', () => {
    expect(() => browserScript({ pth: '/a/' } as object)).toThrow(/path/);
  });
});
