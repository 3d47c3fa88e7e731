import { describe, expect, it } from 'vitest';
import { benchModule } from './bench-modules.ts';

const { parseMonitorLine } = await benchModule('wire/monitor.js');
const { fill, prepare, templateOf } = await benchModule('wire/templates.js');

const SESSION = '0000000000000000000000abc';
const send = (commands: unknown, names: object) => prepare(commands).map((command: unknown) => fill(command, names));

describe('what MONITOR says', () => {
  it('is read byte by byte', () => {
    expect(parseMonitorLine('+1700000000.123456 [0 unix:/tmp/r] "SET" "a \\"b\\"" "\\x00\\xff\\n\\\\"')).toEqual([
      ...['SET', 'a "b"', '\x00\xff\n\\'],
    ]);
  });

  it('of scripts and of nothing is left out', () => {
    expect(parseMonitorLine('+1700000000.123456 [0 lua] "GET" "a"')).toBeUndefined();
    expect(parseMonitorLine('+OK')).toBeUndefined();
  });
});

describe('a request that was heard', () => {
  const heard = [
    ['PUBLISH', `sw:ss:pageview:${SESSION}:inbox1.7`, '/p'],
    ['PING'],
    ['PUBLISH', 'sw:async:_instances', '{"instance":"x"}'],
    ['EVALSHA', 'abc', '1', `sw:{t}:${SESSION}`, '\xff\x00'],
    ['PUBLISH', 'sw:async:inbox1', '7 {"a":1}'],
  ];

  it('over an inbox is sent again for another, without what others did', () => {
    const { ask, work, reply } = templateOf(heard, SESSION, false);
    const names = { request: 'other.12', inbox: 'other', number: '12' };
    expect(send(ask, names)).toEqual([['PUBLISH', `sw:ss:pageview:${SESSION}:other.12`, '/p']]);
    expect(send(work, names)).toEqual([['EVALSHA', 'abc', '1', `sw:{t}:${SESSION}`, Buffer.from([255, 0])]]);
    expect(send(reply, names)).toEqual([['PUBLISH', 'sw:async:other', '12 {"a":1}']]);
  });

  it.each([true, false])(
    'over a list keeps its transaction together (heard first that somebody waits: %s)',
    (waits) => {
      const key = `sw:async:pageview:${SESSION}:q-1`;
      const asked = [
        ['PUBLISH', `sw:ss:pageview:${SESSION}:q-1`, '/p'],
        ['BLPOP', key, '1'],
      ];
      const list = [
        ...(waits ? asked.toReversed() : asked),
        ['EVALSHA', 'abc', '1', `sw:{t}:${SESSION}`],
        ['MULTI'],
        ['LPUSH', key, '{"a":1}'],
        ['PEXPIRE', key, '500'],
        ['EXEC'],
      ];
      const { ask, work, reply } = templateOf(list, SESSION, false);
      const names = { request: 'r' };
      expect(send(ask, names).map(([name]: string[]) => name)).toEqual(['PUBLISH', 'BLPOP']);
      expect(send(ask, names).flat()).toContain(`sw:ss:pageview:${SESSION}:r`);
      expect(work).toHaveLength(1);
      expect(send(reply, names)).toEqual([
        ['MULTI'],
        ['LPUSH', `sw:async:pageview:${SESSION}:r`, '{"a":1}'],
        ['PEXPIRE', `sw:async:pageview:${SESSION}:r`, '500'],
        ['EXEC'],
      ]);
    },
  );

  it('over a stream is committed under its new entry, also where that stands within bytes', () => {
    const streams = [
      ['XADD', 'sw:{t}:@requests', '*', 'c', 'pageview', 's', SESSION, 'r', 'inbox1.7', 'p', '/p'],
      ['EVALSHA', 'abc', '1', `sw:{t}:${SESSION}`, '1700000000123-0', 'inbox1.7', '\xff1700000000123-0'],
      ['PUBLISH', 'sw:async:inbox1', '7 {"a":1}'],
    ];
    const { work } = templateOf(streams, SESSION, false);
    const names = { request: 'o.1', inbox: 'o', number: '1', entry: '18-3' };
    expect(send(work, names)).toEqual([
      ['EVALSHA', 'abc', '1', `sw:{t}:${SESSION}`, '18-3', 'o.1', Buffer.from('\xff18-3', 'latin1')],
    ]);
  });

  it('inline is work alone', () => {
    expect(templateOf(heard.slice(3, 4), SESSION, true)).toEqual({ ask: [], work: [heard[3]], reply: [] });
  });

  it('of which nothing was heard is an error', () => {
    expect(() => templateOf([['PING']], SESSION, false)).toThrow('Nothing was heard');
  });
});
