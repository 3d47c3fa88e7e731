import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { printableFields } from '../../src/cli/printable.ts';
import { terminalLine } from '../../src/cli/terminal-line.ts';

describe('an entry of the log on a terminal', () => {
  function written(fields: object, message: string): string {
    let entry = '';
    const log = pino(
      { base: null, formatters: { log: printableFields } },
      {
        write: (line: string) => {
          entry += line;
        },
      },
    );
    log.warn(fields, message);
    return terminalLine(entry);
  }

  it('is one line: time, level, message and fields', () => {
    expect(written({ instance: 'a1', partitions: [1, 2] }, 'Serving.')).toMatch(
      /^\d\d:\d\d:\d\d WARN Serving\. instance=a1 partitions=\[1,2\]\n$/,
    );
  });

  it('shows an error by its message, and its stack below', () => {
    const text = written({ err: new RangeError('too large') }, 'Failed.');
    expect(text).toMatch(/^\d\d:\d\d:\d\d WARN Failed\. err=too large\n {2}RangeError: too large\n {6}at /);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('lets no foreign text control the terminal or imitate an entry', () => {
    const text = written({ name: 'a\u001b[2J\n12:00:00 ERROR Gone.' }, 'x\u009b31m\ny');
    expect(text.split('\n')).toHaveLength(2);
    expect(['\u001b', '\u009b'].filter((control) => text.includes(control))).toEqual([]);
  });

  it('passes on what is no entry', () => {
    expect(terminalLine('not JSON\n')).toBe('not JSON\n');
  });
});
