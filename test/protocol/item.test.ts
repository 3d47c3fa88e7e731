import { describe, expect, it } from 'vitest';
import { isPageItem, MAX_ITEM_BYTES, normalizeItem, ProtocolError } from '../../src/protocol/index.ts';

function failureOf(item: string): ProtocolError {
  try {
    normalizeItem(item);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(item).slice(0, 60)} was taken`);
}

describe('an item that is a path or a web address', () => {
  it.each([
    ['/', '/'],
    ['/a', '/a'],
    ['/a/', '/a/'],
    ['/a?b=c', '/a'],
    ['/a#b', '/a'],
    ['/a?b#c', '/a'],
    ['/?', '/'],
    ['/a/../b', '/b'],
    ['/a/./b', '/a/b'],
    ['/../..', '/'],
    ['/a/%2e%2e/b', '/b'],
    ['/a//b', '/a//b'],
    ['//a/b', '//a/b'],
    ['//a', '//a'],
    ['///a', '///a'],
    ['/\\a', '//a'],
    ['/a b', '/a%20b'],
    ['/ä', '/%C3%A4'],
    ['/%c3%a4', '/%c3%a4'],
    ['/a\nb\tc', '/abc'],
    ['/@b:c', '/@b:c'],
    ['/http://x/y', '/http://x/y'],
    ['http://h', '/'],
    ['http://h/a', '/a'],
    ['https://h/a', '/a'],
    ['HTTPS://H/A', '/A'],
    ['http://u:p@h:81/a?b#c', '/a'],
    ['https://h?b', '/'],
    ['https://h/a/../b', '/b'],
    ['http://[::1]/a', '/a'],
  ])('%j is known by %j', (item, path) => {
    expect(normalizeItem(item)).toBe(path);
    expect(isPageItem(item)).toBe(true);
    expect(normalizeItem(path)).toBe(path);
  });

  it('is the same from a request line and from a full address, whatever path it has', () => {
    for (const path of ['/a', '//a/b', '/a/../b?c', '/ü#x', '/%zz']) {
      expect(normalizeItem(`https://shop.example${path}`)).toBe(normalizeItem(path));
    }
  });

  it.each(['http://', 'https://:80/a', 'http://h:99999/', 'http://a b/', 'https://[::1/'])(
    '%j is refused as no valid address',
    (item) => {
      expect(failureOf(item)).toMatchObject({ replyCode: 'bad-payload' });
      expect(failureOf(item).message).toContain(JSON.stringify(item));
    },
  );
});

describe('an item that is a plain path', () => {
  it('is what the rules of URLs make of it, though they are not asked', () => {
    const paths = [
      '/a',
      '/a/',
      '/a/b-c_d~e/0',
      '/A/b',
      '/a//b',
      '/./a',
      '/a/..',
      '/a.b',
      '/a%20',
      '/a b',
      '/',
      '//',
      '/~',
      '/-/_',
    ];
    for (const path of paths) expect(normalizeItem(path)).toBe(new URL(`http://h${path}`).pathname);
  });
});

describe('an item that is neither path nor web address', () => {
  it.each([
    'tv',
    'TV',
    ' /a',
    'a/../b',
    'a?b#c',
    '?',
    '#',
    ' ',
    '\n',
    '*',
    ':',
    'ftp://h/a',
    'http:/a',
    'mailto:a@b',
    'ä',
    '\u0000',
    '[1]',
    '{"a":1}',
  ])('%j is taken verbatim', (item) => {
    expect(normalizeItem(item)).toBe(item);
    expect(isPageItem(item)).toBe(false);
  });

  it.each(['a\ud800', '\udc00', 'x\ude00\ud83d'])('is refused where it has half of a surrogate pair: %j', (item) => {
    expect(() => normalizeItem(item)).toThrow(/half of a character/);
    expect(normalizeItem(`/${item}`)).toContain('%EF%BF%BD');
  });

  it('with whole pairs is one', () => {
    expect(normalizeItem('a\ud83d\ude00')).toBe('a\ud83d\ude00');
  });

  it('is refused where it is empty', () => {
    expect(failureOf('')).toMatchObject({ replyCode: 'bad-payload' });
  });
});

describe('the limit of an item', () => {
  it('is 2,048 bytes of UTF-8, the last one included', () => {
    expect(MAX_ITEM_BYTES).toBe(2048);
    expect(normalizeItem('x'.repeat(2048))).toHaveLength(2048);
    expect(normalizeItem('ä'.repeat(1024))).toHaveLength(1024);
    expect(failureOf('x'.repeat(2049))).toMatchObject({ replyCode: 'too-large' });
    expect(failureOf('ä'.repeat(1025))).toMatchObject({ replyCode: 'too-large' });
  });

  it('counts what is left of an address', () => {
    expect(normalizeItem(`https://h/${'x'.repeat(2047)}?${'q'.repeat(5000)}`)).toHaveLength(2048);
    expect(failureOf(`/${'x'.repeat(2048)}`)).toMatchObject({ replyCode: 'too-large' });
    // One ä is six bytes in a path: %C3%A4.
    expect(failureOf(`/${'ä'.repeat(342)}`)).toMatchObject({ replyCode: 'too-large' });
  });

  it('is told in a message that does not repeat the item', () => {
    expect(failureOf('x'.repeat(60_000)).message.length).toBeLessThan(200);
    expect(failureOf(`http://${' '.repeat(60_000)}`).message.length).toBeLessThan(200);
  });
});
