import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCsvLine, parseJsonLine } from '../../../src/cli/discover/basket-line.ts';
import { isDocumentRequest } from '../../../src/cli/discover/document-request.ts';
import { type BasketFormat, readBaskets } from '../../../src/cli/discover/read-baskets.ts';
import { parseLogLine } from '../../../src/cli/replay/log-line.ts';
import { MemoryBudget } from '../../../src/discover/index.ts';

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

function logLine(ip: string, path: string, { method = 'GET', status = '200', agent = BROWSER } = {}): string {
  return `${ip} - - [17/May/2015:10:05:03 +0000] "${method} ${path} HTTP/1.1" ${status} 20 "-" "${agent}"`;
}

describe('a line of baskets', () => {
  it.each([
    ['a,b', ['a', 'b']],
    ['a', ['a']],
    ['a,,b,', ['a', '', 'b', '']],
    ['"a, with comma",b', ['a, with comma', 'b']],
    ['"say ""hi""",b', ['say "hi"', 'b']],
    ['a, "b" ,c', ['a', 'b', 'c']],
    ['""', ['']],
    ['6" pipe,b', ['6" pipe', 'b']],
    ['"not closed,b', undefined],
    ['"a"b,c', undefined],
  ])('of CSV: %s', (line, items) => {
    expect(parseCsvLine(line, ',')).toEqual(items);
  });

  it('of CSV has other characters between its items too', () => {
    expect(parseCsvLine('a;"b;c"', ';')).toEqual(['a', 'b;c']);
    expect(parseCsvLine('a\t"b"\tc', '\t')).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['["a","b"]', ['a', 'b']],
    ['{"id":7,"items":["a",5]}', ['a', '5']],
    ['[]', []],
    ['["a",null]', undefined],
    ['{"basket":["a"]}', undefined],
    ['"a"', undefined],
    ['null', undefined],
    ['["a"', undefined],
  ])('of JSON: %s', (line, items) => {
    expect(parseJsonLine(line)).toEqual(items);
  });
});

describe('a request of a log', () => {
  it.each([
    ['/a', {}, true],
    ['/a', { status: '304' }, true],
    ['/a', { status: '301' }, false],
    ['/a', { status: '404' }, false],
    ['/a', { status: '-' }, false],
    ['/a', { method: 'POST' }, false],
    ['/a.css', {}, false],
    ['/images/a.PNG', {}, false],
    ['/a.html', {}, true],
    ['/a', { agent: 'Googlebot/2.1 (+http://www.google.com/bot.html)' }, false],
    ['/a', { agent: '' }, true],
  ])('%s %j is the view of a page by a person: %s', (path, rest, isDocument) => {
    expect(isDocumentRequest(parseLogLine(logLine('1.1.1.1', path, rest))!)).toBe(isDocument);
  });
});

describe('reading a file of baskets', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sw-baskets-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const read = async (
    content: string | Buffer,
    options: { format?: BasketFormat; allRequests?: boolean; delimiter?: string } = {},
  ) => {
    const file = join(folder, `baskets-${Math.random()}`);
    writeFileSync(file, content);
    const { store, ...rest } = await readBaskets(
      file,
      { format: 'auto', delimiter: ',', allRequests: false, ...options },
      new MemoryBudget(256 * 1024 * 1024),
    );
    const baskets: string[][] = [];
    store.forEach((items, length) => void baskets.push([...items.subarray(0, length)].map((i) => store.names[i]!)));
    return { baskets, ...rest };
  };

  it('takes CSV, with blanks, empty lines, repeated items, line ends of Windows and a mark at the beginning', async () => {
    const file = await read('\u{feff}milk, bread ,milk\r\n\r\n  \r\nbutter\r\n,,\r\nlast');
    expect(file).toMatchObject({ format: 'csv', skippedLines: 0, unusableItems: 0 });
    expect(file.baskets).toEqual([['milk', 'bread'], ['butter'], ['last']]);
  });

  it('takes gzip, whatever its name', async () => {
    expect((await read(gzipSync('a,b\nc'))).baskets).toEqual([['a', 'b'], ['c']]);
  });

  it('takes JSON lines, arrays and objects', async () => {
    const file = await read('["a","b"]\n{"items":["c"]}\nnonsense\n');
    expect(file).toMatchObject({ format: 'json', skippedLines: 1, firstSkipped: 3 });
    expect(file.baskets).toEqual([['a', 'b'], ['c']]);
  });

  it('keeps items with strange characters as they are, and reduces addresses as the service does', async () => {
    const file = await read('Käse "französisch",日本語 🍜,<b>&amp;,https://shop.example/a?utm=1#x,/b?q\n');
    expect(file.baskets).toEqual([['Käse "französisch"', '日本語 🍜', '<b>&amp;', '/a', '/b']]);
  });

  it('leaves out items that no rule could name, and lines that hold no basket', async () => {
    const file = await read(`a,${'x'.repeat(3_000)},http://,b\n"open\nc\0d\n`);
    expect(file).toMatchObject({ unusableItems: 2, skippedLines: 2, firstSkipped: 2 });
    expect(file.baskets).toEqual([['a', 'b']]);
  });

  it('reads a basket of 10,000 items, and leaves out a line of more than 16 MiB', async () => {
    const items = Array.from({ length: 10_000 }, (_, i) => `item number ${i}`);
    const file = await read(`${items.join(',')}\n${'x,'.repeat(9 * 1024 * 1024)}\na,b\n`);
    expect(file).toMatchObject({ skippedLines: 1, firstSkipped: 2 });
    expect(file.baskets).toEqual([items, ['a', 'b']]);
  });

  it('takes an access log: a visitor is a basket, by address and browser, and a page counts once', async () => {
    const lines = [
      logLine('1.1.1.1', '/a'),
      logLine('2.2.2.2', '/a'),
      logLine('1.1.1.1', '/b?x=1'),
      logLine('1.1.1.1', '/a'),
      logLine('1.1.1.1', '/c', { agent: `${BROWSER}1` }),
      logLine('1.1.1.1', '/style.css'),
      'nonsense',
    ];
    const file = await read(lines.join('\n'));
    expect(file).toMatchObject({ format: 'log', otherRequests: 1, skippedLines: 1, firstSkipped: 7 });
    expect(file.baskets.map((basket) => basket.sort())).toEqual([['/a', '/b'], ['/a'], ['/c']]);
    expect((await read(lines.join('\n'), { allRequests: true })).baskets[0]).toContain('/style.css');
  });

  it('takes a format that is given, and finds nothing in an empty file', async () => {
    expect((await read('["a"]\n', { format: 'csv' })).baskets).toEqual([['["a"]']]);
    expect((await read('a;b\n', { delimiter: ';' })).baskets).toEqual([['a', 'b']]);
    expect((await read('')).baskets).toEqual([]);
    expect((await read('\n\n')).baskets).toEqual([]);
  });

  it('says why a file cannot be read', async () => {
    const fails = (file: string) =>
      readBaskets(file, { format: 'auto', delimiter: ',', allRequests: false }, new MemoryBudget(2 ** 20));
    const error = (message: RegExp) =>
      expect.objectContaining({ code: 'BASKETS_UNREADABLE', message: expect.stringMatching(message) });
    await expect(fails(join(folder, 'none'))).rejects.toThrow(
      error(/^The file .*none cannot be read: there is no such file\.$/),
    );
    await expect(fails(folder)).rejects.toThrow(error(/it is a folder/));
    const cut = join(folder, 'cut.gz');
    writeFileSync(cut, gzipSync('a,b\n'.repeat(1_000)).subarray(0, 20));
    await expect(fails(cut)).rejects.toThrow(error(/gzip data ends too early/));
  });
});
