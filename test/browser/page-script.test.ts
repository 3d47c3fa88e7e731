import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { browserScript, liveScript } from '../../src/adapters/index.ts';
import { LIVE_SCRIPT, PAGE_SCRIPT } from '../../src/browser/index.ts';

describe.each([
  ['PAGE_SCRIPT', PAGE_SCRIPT, 1_500],
  ['LIVE_SCRIPT', LIVE_SCRIPT, 2_200],
] as const)('the text of %s', (constant, script, mostBytes) => {
  it('is what its source makes', async () => {
    const { textModule, SCRIPTS } = (await import(
      new URL('../../scripts/write-browser-script.js', import.meta.url).href
    )) as { textModule(constant: string): string; SCRIPTS: Record<string, string> };
    const file = new URL(`../../src/browser/${SCRIPTS[constant]}-text.ts`, import.meta.url);
    // After a change of the source: npm run browser-script.
    expect(readFileSync(file, 'utf8')).toBe(textModule(constant));
  });

  it(`is smaller than ${mostBytes} bytes`, () => {
    expect(gzipSync(script).length).toBeLessThan(mostBytes);
  });

  it('reads and writes nothing that the browser keeps', () => {
    expect(script).not.toMatch(/cookie|localStorage|sessionStorage|indexedDB|caches\b/i);
  });

  it('holds nothing that a strict policy for contents forbids', () => {
    expect(script).not.toMatch(/\beval\b|\bFunction\(|innerHTML|document\.write|javascript:|\bimport\b/);
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

describe('liveScript', () => {
  it('lies where the streams are mounted', () => {
    expect(liveScript({ path: '/shop/live/' }).src).toMatch(/^\/shop\/live\/[0-9a-f]{16}\.js$/);
    expect(() => liveScript({ path: '/live' })).toThrow(/liveScript: path "\/live" cannot be used/);
    expect(() => liveScript({ pth: '/a/' } as object)).toThrow(/did you mean "path"/);
  });
});
