import { describe, expect, it } from 'vitest';
import { parseLogLine } from '../../../src/cli/replay/log-line.ts';

const AT = Date.UTC(2015, 4, 17, 10, 5, 3);
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64)';

function combined(request: string, { ip = '83.149.9.216', time = '17/May/2015:10:05:03 +0000', agent = AGENT } = {}) {
  return `${ip} - - [${time}] "${request}" 200 203023 "http://example.com/" "${agent}"`;
}

function pathOf(target: string): string | undefined {
  return parseLogLine(combined(`GET ${target} HTTP/1.1`))?.path;
}

describe('the formats of a log', () => {
  it('combined', () => {
    expect(parseLogLine(combined('GET /a/b.html?q=1 HTTP/1.1'))).toEqual({
      ip: '83.149.9.216',
      userAgent: AGENT,
      path: '/a/b.html',
      at: AT,
      method: 'GET',
      status: 200,
    });
  });

  it('common: the user agent is empty', () => {
    expect(parseLogLine('h.example - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.0" 304 -')).toEqual({
      ip: 'h.example',
      userAgent: '',
      path: '/',
      at: AT,
      method: 'GET',
      status: 304,
    });
  });

  it.each([
    ['a user with a space (nginx)', '::1 - John Doe [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-" "-"', '-'],
    ['further fields', `${combined('GET / HTTP/1.1')} "10.0.0.1" 0.002 upstream=[a]`, AGENT],
    ['a carriage return', `${combined('GET / HTTP/1.1')}\r`, AGENT],
    ['status and bytes unknown', '1.1.1.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" - - "-" "a"', 'a'],
    [
      'escaped quotes in the user agent',
      combined('GET / HTTP/1.1', { agent: String.raw`a \"b\" \\` }),
      String.raw`a \"b\" \\`,
    ],
    ['UTF-8 in the user agent', combined('GET / HTTP/1.1', { agent: Buffer.from('é').toString('latin1') }), 'é'],
    ['an empty user agent', combined('GET / HTTP/1.1', { agent: '' }), ''],
  ])('%s', (_, line, userAgent) => {
    expect(parseLogLine(line)).toMatchObject({ userAgent, path: '/', at: AT });
  });

  it.each(['2001:db8::1', '::ffff:1.2.3.4', 'fe80::1%eth0'])('address %s', (ip) => {
    expect(parseLogLine(combined('GET / HTTP/1.1', { ip }))?.ip).toBe(ip);
  });

  it.each(['GET', 'HEAD', 'POST', 'PROPFIND', 'M-SEARCH', 'options'])('method %s', (method) => {
    expect(parseLogLine(combined(`${method} /x HTTP/2.0`))?.path).toBe('/x');
  });
});

describe('the times of a log', () => {
  it.each([
    ['17/May/2015:12:05:03 +0200', AT],
    ['17/May/2015:15:35:03 +0530', AT],
    ['17/May/2015:00:05:03 -1000', AT],
    ['01/Jan/2016:00:30:00 +0100', Date.UTC(2015, 11, 31, 23, 30)],
    ['29/Feb/2016:00:00:00 +0000', Date.UTC(2016, 1, 29)],
    ['31/Dec/2016:23:59:60 +0000', Date.UTC(2017, 0, 1)],
    ['01/Jan/1970:00:00:00 +0000', 0],
  ])('%s', (time, at) => {
    expect(parseLogLine(combined('GET / HTTP/1.1', { time }))?.at).toBe(at);
  });

  it.each([
    '31/Feb/2015:10:05:03 +0000',
    '29/Feb/2015:10:05:03 +0000',
    '00/May/2015:10:05:03 +0000',
    '17/Mai/2015:10:05:03 +0000',
    '17/May/2015:24:05:03 +0000',
    '17/May/2015:10:60:03 +0000',
    '17/May/2015:10:05:61 +0000',
    '01/Jan/1970:00:00:00 +0100',
    '17/May/0015:10:05:03 +0000',
    '2015-05-17T10:05:03Z',
    '17/May/2015:10:05:03',
  ])('%s is none', (time) => {
    expect(parseLogLine(combined('GET / HTTP/1.1', { time }))).toBeUndefined();
  });
});

describe('the targets of a log', () => {
  it.each([
    ['/', '/'],
    ['/a?b#c', '/a'],
    ['/a/../b/./c', '/b/c'],
    ['//a//b', '//a//b'],
    ['http://example.com/p/q?r', '/p/q'],
    ['HTTPS://EXAMPLE.com', '/'],
    ['/%7euser', '/%7euser'],
    [String.raw`/a\"b`, '/a%22b'], // Apache
    [String.raw`/a\x22b`, '/a%22b'], // nginx
    [String.raw`/caf\xc3\xa9`, '/caf%C3%A9'],
    ['/caf\u00c3\u00a9', '/caf%C3%A9'], // raw bytes, as latin1
    [String.raw`/\xff\xfe`, '/%FF%FE'],
    [String.raw`/a\nb`, '/a%0Ab'],
    [`/${'a'.repeat(2047)}`, `/${'a'.repeat(2047)}`],
  ])('%s', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });

  it.each([
    '*',
    'foo',
    'example.com:443',
    'ftp://a/b',
    'http://',
    'http://a b/',
    '/a b',
    `/${'a'.repeat(2048)}`,
    '/\u0000',
  ])('%s is none', (target) => {
    expect(pathOf(target)).toBeUndefined();
  });
});

describe('a line of a log that is no request', () => {
  it.each([
    ['empty', ''],
    ['blank', '   '],
    ['a dash for a request', combined('-')],
    ['an empty request', combined('')],
    ['TLS on the wrong port', combined(String.raw`\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03`)],
    ['TLS, raw', combined('\u0016\u0003\u0001')],
    ['no version', combined('GET /')],
    ['a wrong version', combined('GET / HTTP/1.1.1')],
    ['truncated in the request', combined('GET / HTTP/1.1').slice(0, 60)],
    ['truncated in the user agent', combined('GET / HTTP/1.1').slice(0, -5)],
    ['truncated after the referer', '1.1.1.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "-"'],
    ['without a status', '1.1.1.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"'],
    ['an error log', '2015/05/17 10:05:03 [error] 1#1: *1 open() failed'],
    ['JSON', '{"request":"GET / HTTP/1.1"}'],
    ['binary', Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1')],
  ])('%s', (_, line) => {
    expect(parseLogLine(line)).toBeUndefined();
  });

  it.each([
    ['quotes', '"'.repeat(64_000)],
    ['backslashes', `1.1.1.1 - - [17/May/2015:10:05:03 +0000] "${'\\'.repeat(64_001)}`],
    ['times', '1 - '.concat(' [17/May/2015:10:05:03 +0000] "'.repeat(2_000))],
    ['spaces', `1 - -${' '.repeat(64_000)}`],
    ['trailing spaces', `${combined('GET / HTTP/1.1')} ${' '.repeat(60_000)}x`],
  ])('a long line of %s costs no time', (_, line) => {
    const started = performance.now();
    parseLogLine(line);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
